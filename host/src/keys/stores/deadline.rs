use std::sync::mpsc;
use std::time::Duration;

/// Does what may block for ever on a thread of its own; `None` when it is not done in time. What it then still does, it does for nobody.
pub(super) fn within<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, done) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("key store".into())
        .spawn(move || {
            // Nobody waits any longer.
            let _ = sender.send(work());
        })
        .ok()?;
    done.recv_timeout(patience).ok()
}
