//! The two pipes to the host, out of the plugin's reach as far as it behaves: what it prints goes to stderr, and it reads nothing.

use std::fs::File;
use std::io;

#[cfg(unix)]
pub(super) fn take() -> io::Result<(File, File)> {
    use rustix::io::fcntl_dupfd_cloexec;
    use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdin, stdout};
    let pipes = (fcntl_dupfd_cloexec(stdin(), 3)?.into(), fcntl_dupfd_cloexec(stdout(), 3)?.into());
    dup2_stdin(File::open("/dev/null")?)?;
    dup2_stdout(stderr())?;
    Ok(pipes)
}

/// There a plugin prints between the frames, and the host ends the conversation.
#[cfg(windows)]
pub(super) fn take() -> io::Result<(File, File)> {
    bitboot_plugin_api::ffi::outside::process::pipes()
}

/// Returns when the host has closed the pipe or has died, however much waits in it.
#[cfg(unix)]
pub(super) fn wait_for_the_end(input: &File) {
    use rustix::event::{PollFd, PollFlags, poll};
    loop {
        let mut descriptors = [PollFd::new(input, PollFlags::empty())];
        match poll(&mut descriptors, None) {
            Ok(_) if !descriptors[0].revents().is_empty() => return,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}
