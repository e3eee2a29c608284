use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

/// Spaces the searches of a node out, so that their answers do not come all at once.
///
/// The crate's socket has the system's receive buffer, 208 KiB on Linux, and the answers of three or four searches fill it: on a LAN or
/// loopback, 32 searches at once lose most of their answers, so that what is there is not found.
#[derive(Clone)]
pub(super) struct Turns(Arc<Semaphore>);

/// What a search holds until it ends.
pub(super) struct Turn {
    _running: oneshot::Sender<()>,
}

/// How many searches may begin together.
const TOGETHER: usize = 2;
/// A search that takes longer than this has its answers from afar, one by one, and the next may begin.
const BURST: Duration = Duration::from_millis(200);

impl Turns {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(TOGETHER)))
    }

    /// Waits until a search may begin.
    pub(super) async fn take(self) -> Turn {
        let place = self.0.acquire_owned().await;
        let (running, ended) = oneshot::channel();
        tokio::spawn(async move {
            // Nothing is ever sent: it ends with the turn.
            let _ = timeout(BURST, ended).await;
            drop(place);
        });
        Turn { _running: running }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn quick_searches_wait_for_each_other_and_slow_ones_for_a_moment() {
        let (turns, start) = (Turns::new(), Instant::now());
        for _ in 0..100 {
            drop(turns.clone().take().await);
        }
        assert!(start.elapsed() < BURST);

        let start = Instant::now();
        let _slow = [turns.clone().take().await, turns.clone().take().await];
        assert!(start.elapsed() < BURST);
        let _third = turns.take().await;
        assert!(start.elapsed() >= BURST);
    }
}
