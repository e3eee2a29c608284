use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// Does things at their time, on a thread of its own: tokio's timers are a millisecond coarse, which is more than a test network's delay
/// may be off. What is not done when it is dropped is never done.
#[derive(Debug)]
pub(super) struct Delay<T> {
    queue: Arc<Queue<T>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Waiting<T> {
    /// By time, and by number where the time is the same.
    things: BTreeMap<(Instant, u64), T>,
    count: u64,
    is_open: bool,
}

impl<T: Send + 'static> Delay<T> {
    pub(super) fn start(mut act: impl FnMut(T) + Send + 'static) -> io::Result<Self> {
        let waiting = Mutex::new(Waiting { things: BTreeMap::new(), count: 0, is_open: true });
        let queue = Arc::new(Queue { waiting, changed: Condvar::new() });
        let thread = thread::Builder::new().name("dht-lab-delay".into());
        let thread = thread.spawn({
            let queue = queue.clone();
            move || {
                while let Some(thing) = queue.next() {
                    act(thing);
                }
            }
        })?;
        Ok(Self { queue, thread: Some(thread) })
    }

    pub(super) fn hold(&self, until: Instant, thing: T) {
        let mut waiting = self.queue.waiting();
        let key = (until, waiting.count);
        waiting.count += 1;
        waiting.things.insert(key, thing);
        // Whoever comes later than the first one changes nothing for the thread that waits for that.
        if waiting.things.first_key_value().is_some_and(|(first, _)| *first == key) {
            self.queue.changed.notify_one();
        }
    }
}

impl<T> Queue<T> {
    /// Waits for the next thing's time; `None` when it is over.
    fn next(&self) -> Option<T> {
        let mut waiting = self.waiting();
        loop {
            if !waiting.is_open {
                return None;
            }
            let now = Instant::now();
            waiting = match waiting.things.first_entry() {
                Some(first) if first.key().0 <= now => return Some(first.remove()),
                Some(first) => {
                    let left = first.key().0 - now;
                    self.changed.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Delay<T> {
    fn drop(&mut self) {
        {
            let mut waiting = self.queue.waiting();
            waiting.is_open = false;
            waiting.things.clear();
        }
        self.queue.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn things_are_done_at_their_time_and_in_its_order() {
        let (tell, told) = mpsc::channel();
        let delay = Delay::start(move |number| tell.send((number, Instant::now())).unwrap()).unwrap();
        let start = Instant::now();
        for ms in [30, 10, 20] {
            delay.hold(start + Duration::from_millis(ms), ms);
        }
        delay.hold(start + Duration::from_secs(3600), 0);
        for ms in [10, 20, 30] {
            let (number, at) = told.recv().unwrap();
            assert_eq!(number, ms);
            assert!(at >= start + Duration::from_millis(ms));
        }
        drop(delay);
        assert!(told.recv().is_err() && start.elapsed() < Duration::from_secs(60));
    }
}
