use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bitboot_plugin_api::ffi::frame::Frame;

/// More than this waits for the host only where it cannot be offered again later.
const ENOUGH: usize = 4 << 20;
/// So much may wait at all, besides the last events of calls.
const MOST: usize = 8 << 20;

/// The way to the host. What the plugin's threads say at the same time goes out in few writes.
pub(super) struct Out {
    waiting: Mutex<Waiting>,
    /// Something waits that nobody writes.
    work: Condvar,
    /// Something was written.
    room: Condvar,
}

struct Waiting {
    bytes: Vec<u8>,
    /// The pipe; taken by whoever writes.
    pipe: Option<Box<dyn Write + Send>>,
}

impl Out {
    pub(super) fn new(pipe: impl Write + Send + 'static) -> Self {
        let waiting = Waiting { bytes: Vec::new(), pipe: Some(Box::new(pipe)) };
        Self { waiting: Mutex::new(waiting), work: Condvar::new(), room: Condvar::new() }
    }

    /// Says one of many things; `false` while too much waits already. Never blocks for long.
    pub(super) fn offer(&self, frame: Frame<'_>) -> bool {
        let mut waiting = self.lock();
        if waiting.bytes.len() > ENOUGH {
            return false;
        }
        let is_first = waiting.bytes.is_empty();
        let fits = frame.write(&mut waiting.bytes);
        // Whoever writes goes on until nothing waits.
        if is_first && waiting.pipe.is_some() {
            self.work.notify_one();
        }
        fits
    }

    /// Says something that somebody waits for, at once. `false` where it is too large for a frame.
    pub(super) fn say(&self, frame: Frame<'_>) -> bool {
        let mut waiting = self.lock();
        let fits = frame.write(&mut waiting.bytes);
        self.flush(waiting);
        fits
    }

    /// The same once there is room: for what a plugin may say as often as it likes.
    pub(super) fn say_in_turn(&self, frame: Frame<'_>) -> bool {
        let mut waiting = self.lock();
        while waiting.bytes.len() > MOST {
            waiting = self.room.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let fits = frame.write(&mut waiting.bytes);
        self.flush(waiting);
        fits
    }

    /// Writes what [`Out::offer`] leaves behind, for ever.
    pub(super) fn write_on(&self) {
        loop {
            let mut waiting = self.lock();
            while waiting.bytes.is_empty() || waiting.pipe.is_none() {
                waiting = self.work.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            self.flush(waiting);
        }
    }

    fn flush<'a>(&'a self, mut waiting: MutexGuard<'a, Waiting>) {
        let Some(mut pipe) = waiting.pipe.take() else { return };
        let mut bytes = Vec::new();
        while !waiting.bytes.is_empty() {
            bytes.clear();
            std::mem::swap(&mut bytes, &mut waiting.bytes);
            drop(waiting);
            // A host that is gone ends this process by the other pipe.
            let _ = pipe.write_all(&bytes).and_then(|()| pipe.flush());
            self.room.notify_all();
            waiting = self.lock();
        }
        waiting.pipe = Some(pipe);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
