use super::exit::Exit;

/// The wish of the user or the system to end the process: Ctrl-C, or a request to terminate. Made once a command: a signal that comes while
/// nobody waits is kept.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> Self {
        Self {}
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
        }
    }

    /// Waits for the wish. Safe to be cancelled.
    #[cfg(not(unix))]
    pub(super) async fn stopped(&mut self) -> Exit {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Exit::signal(2),
            Err(_) => std::future::pending().await,
        }
    }
}
