//! Where results go. Plugins run in this process and may print: what they print to stdout goes to stderr, so that whoever reads results
//! reads nothing else.

use std::io::{self, Write};
use std::process::Stdio;
use std::sync::OnceLock;

#[cfg(unix)]
static RESULTS: OnceLock<Option<std::fs::File>> = OnceLock::new();
#[cfg(not(unix))]
static RESULTS: OnceLock<Option<io::Stdout>> = OnceLock::new();

/// Takes stdout away from everybody else. Whether it is a terminal has to be asked before.
pub(super) fn take() {
    RESULTS.get_or_init(duplicate);
}

/// Writes a line at once, so that the lines of a process that shares the pipe do not come between.
pub(super) fn write(text: &str) -> io::Result<()> {
    let line = format!("{text}\n");
    match RESULTS.get() {
        Some(Some(results)) => {
            let mut results = results;
            results.write_all(line.as_bytes()).and_then(|()| results.flush())
        }
        _ => io::stdout().lock().write_all(line.as_bytes()).and_then(|()| io::stdout().flush()),
    }
}

/// Lets everybody else's standard output be a file, where the system can.
pub(crate) fn divert(to: &std::fs::File) {
    #[cfg(unix)]
    let _ = rustix::stdio::dup2_stdout(to);
    #[cfg(not(unix))]
    let _ = to;
}

/// For a program whose results are results of ours.
pub(crate) fn share() -> Stdio {
    #[cfg(unix)]
    if let Some(Some(results)) = RESULTS.get()
        && let Ok(shared) = results.try_clone()
    {
        return shared.into();
    }
    Stdio::inherit()
}

#[cfg(unix)]
fn duplicate() -> Option<std::fs::File> {
    use rustix::stdio::{dup2_stdout, stderr, stdout};
    let results = rustix::io::fcntl_dupfd_cloexec(stdout(), 3).ok()?;
    dup2_stdout(stderr()).ok()?;
    Some(results.into())
}

/// No such thing without unsafe code: there a plugin's words come between results.
#[cfg(not(unix))]
fn duplicate() -> Option<io::Stdout> {
    None
}
