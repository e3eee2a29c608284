//! Where a plugin's library lies.

use std::env::consts::{ARCH, DLL_PREFIX, DLL_SUFFIX, OS};
use std::path::{Path, PathBuf};

/// The folder name of an installed library's machine, such as `x86_64-linux`.
pub(crate) const TARGET: (&str, &str) = (ARCH, OS);

/// The file name of a library on this system, such as `libbitboot_local.so`.
pub(crate) fn file_name(library: &str) -> String {
    format!("{DLL_PREFIX}{library}{DLL_SUFFIX}")
}

/// The library of a plugin that ships with bitboot, by its bare name.
pub(crate) fn find(library: &str) -> Option<PathBuf> {
    candidates(library).into_iter().find(|path| path.is_file())
}

/// All places where a library that ships with bitboot may lie, best first.
pub(crate) fn candidates(library: &str) -> Vec<PathBuf> {
    // The real path: an installed `bitboot` may be a link into its own folder.
    let binary = std::env::current_exe().and_then(dunce::canonicalize).unwrap_or_default();
    let folder = binary.parent().unwrap_or(Path::new("."));
    let up = folder.parent().unwrap_or(folder);
    let name = file_name(library);
    // In `target/debug` cargo puts libraries beside the binary or, for tests, into `deps`; tests themselves run in `deps`.
    [
        folder.join(&name),
        folder.join("deps").join(&name),
        up.join("lib").join("bitboot").join(&name),
        up.join(&name),
    ]
    .into()
}
