//! A backend as the host sees it, whether it is a foreign library, in another process, or a fake in a test.

mod calls;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bitboot_plugin_api::ffi::Event;
use tokio::sync::mpsc;

pub(crate) use calls::{
    Step, action, announce, author, caps, describe, health, here, lookup, open, quote, quote_action, read,
    save, withdraw, write,
};

/// Something that takes calls.
pub(crate) trait Backend: Send + Sync {
    /// Starts a call with its encoded body. The call ends when the inbox is dropped.
    fn call(&self, op: &str, body: Vec<u8>, deadline: Duration) -> Inbox;
}

/// What keeps a call under way. Dropping it cancels the call.
pub(crate) trait Tether: Send {
    /// So many bytes of an event were taken: more may come.
    fn taken(&mut self, _bytes: usize) {}

    /// The last event, where the backend could not say it itself.
    fn last_word(&mut self) -> Option<Event> {
        None
    }
}

/// A fake has nothing to cancel.
#[cfg(test)]
impl Tether for () {}

/// What comes back from one call.
pub(crate) struct Inbox {
    events: mpsc::Receiver<Event>,
    /// Bytes of the events that wait.
    waiting: Arc<AtomicUsize>,
    tether: Box<dyn Tether>,
}

impl Inbox {
    /// How many events may wait before the backend is told to pause.
    pub(crate) const DEPTH: usize = 1024;
    /// How many bytes of them may wait: 4 MiB.
    pub(crate) const MAX_WAITING: usize = 4 << 20;

    pub(crate) fn new(
        events: mpsc::Receiver<Event>,
        waiting: Arc<AtomicUsize>,
        tether: impl Tether + 'static,
    ) -> Self {
        Self { events, waiting, tether: Box::new(tether) }
    }

    /// The next event; `None` when the backend fell silent without a last one.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        let Some(event) = self.events.recv().await else { return self.tether.last_word() };
        self.waiting.fetch_sub(event.body.len(), Ordering::Relaxed);
        self.tether.taken(event.body.len());
        Some(event)
    }
}
