//! Linux: Landlock for files and TCP, seccomp for what a plugin has no use for, limits of resources. Each as far as the kernel has it; that
//! something is missing is found out by measuring, not here.

mod files;
mod limits;
mod syscalls;

use std::io;
use std::path::Path;

use super::Confine;

pub(super) fn confine(confine: &Confine, library: &Path) -> io::Result<()> {
    limits::set(confine)?;
    // A kernel without Landlock is none of the errors.
    files::restrict(confine, library).map_err(io::Error::other)?;
    limits::drop_capabilities(library);
    // The last one: it refuses some of what the others do.
    syscalls::refuse(confine)
}
