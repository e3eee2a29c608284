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

/// Tells when nobody reads the results any more, where they go into a pipe.
#[cfg(unix)]
pub(crate) struct Reader(Option<tokio::net::unix::pipe::Sender>);

#[cfg(unix)]
impl Reader {
    /// To be called in a runtime.
    pub(crate) fn new() -> Self {
        use std::os::unix::fs::FileTypeExt;
        let results = RESULTS.get().and_then(Option::as_ref).and_then(|results| results.try_clone().ok());
        let is_pipe =
            |results: &std::fs::File| results.metadata().is_ok_and(|about| about.file_type().is_fifo());
        // Unchecked: nothing is written there, so the pipe, which others share, stays one that blocks.
        let watch = |results| tokio::net::unix::pipe::Sender::from_file_unchecked(results).ok();
        Self(results.filter(is_pipe).and_then(watch))
    }

    /// Waits until it is gone. Safe to be cancelled.
    pub(crate) async fn left(&self) {
        match &self.0 {
            Some(watched) => drop(watched.ready(tokio::io::Interest::ERROR).await),
            None => std::future::pending().await,
        }
    }
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
