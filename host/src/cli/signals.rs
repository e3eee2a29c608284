use super::exit::Exit;
#[cfg(unix)]
use crate::output::stdout::Reader;

/// The wish of the user or the system to end the process: Ctrl-C, a request to terminate, that nobody reads the results any more, or, on Windows, that its
/// console is closed. Made once a command: a signal that comes while nobody waits is kept.
pub(super) struct Signals {
    #[cfg(unix)]
    reader: Reader,
    #[cfg(unix)]
    interrupt: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
    #[cfg(windows)]
    interrupt: Option<tokio::signal::windows::CtrlC>,
    #[cfg(windows)]
    stop: Option<tokio::signal::windows::CtrlBreak>,
    #[cfg(windows)]
    close: Option<tokio::signal::windows::CtrlClose>,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            reader: Reader::new(),
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    #[cfg(windows)]
    pub(super) fn new() -> Self {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};
        Self { interrupt: ctrl_c().ok(), stop: ctrl_break().ok(), close: ctrl_close().ok() }
    }

    /// Waits for the wish. Safe to be cancelled.
    #[cfg(unix)]
    pub(super) async fn stopped(&mut self) -> Exit {
        async fn came(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                // A signal that cannot be listened to never comes.
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = came(&mut self.interrupt) => Exit::signal(2),
            () = came(&mut self.terminate) => Exit::signal(15),
            () = self.reader.left() => Exit::OK,
        }
    }

    /// Waits for the wish. Safe to be cancelled.
    #[cfg(windows)]
    pub(super) async fn stopped(&mut self) -> Exit {
        // A signal that cannot be listened to never comes.
        tokio::select! {
            Some(()) = async { self.interrupt.as_mut()?.recv().await } => Exit::signal(2),
            Some(()) = async { self.stop.as_mut()?.recv().await } => Exit::signal(15),
            Some(()) = async { self.close.as_mut()?.recv().await } => Exit::signal(15),
            else => std::future::pending().await,
        }
    }
}
