use super::exit::Exit;

/// Waits for the user or the system to end the process: Ctrl-C, or a request to terminate.
pub(super) async fn stopped() -> Exit {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let hang = std::future::pending::<Option<()>>;
        let mut interrupt = signal(SignalKind::interrupt()).ok();
        let mut terminate = signal(SignalKind::terminate()).ok();
        tokio::select! {
            Some(()) = async { match &mut interrupt { Some(signal) => signal.recv().await, None => hang().await } } => Exit::signal(2),
            Some(()) = async { match &mut terminate { Some(signal) => signal.recv().await, None => hang().await } } => Exit::signal(15),
            else => std::future::pending().await,
        }
    }
    #[cfg(not(unix))]
    match tokio::signal::ctrl_c().await {
        Ok(()) => Exit::signal(2),
        Err(_) => std::future::pending().await,
    }
}
