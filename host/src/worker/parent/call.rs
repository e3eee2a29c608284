use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bitboot_plugin_api::ffi::frame::Frame;
use bitboot_plugin_api::ffi::{Event, Kind};
use bitboot_plugin_api::{Error, message};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::death::Death;
use super::shared::{Shared, lock};
use crate::backend::{Inbox, Tether};
use crate::worker::talk::{Credit, WINDOW, ask};

/// How long the plugin may take to let go of a call that was ended or that failed.
const GRACE: Duration = Duration::from_secs(10);

/// A call under way, as the host keeps it.
pub(super) struct Call {
    op: String,
    /// `None` once nobody listens: then the plugin has to let go of it.
    events: Option<mpsc::Sender<Event>>,
    waiting: Arc<AtomicUsize>,
    last_word: Arc<OnceLock<Event>>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It waits for whoever listens, or nobody does.
    Yes,
    /// It was more than had been allowed: the worker breaks the rules.
    TooMuch,
}

/// Starts a call. It is told why, when the worker is gone.
pub(super) fn start(shared: &Arc<Shared>, backend: u64, op: &str, call: &[u8]) -> Inbox {
    let (sender, events) = mpsc::channel(WINDOW.events as usize + 1);
    let (waiting, last_word) = (Arc::<AtomicUsize>::default(), Arc::<OnceLock<Event>>::default());
    let id = shared.number();
    let kept = Call {
        op: op.into(),
        events: Some(sender),
        waiting: Arc::clone(&waiting),
        last_word: Arc::clone(&last_word),
    };
    let body = [&backend.to_le_bytes(), call].concat();
    lock(&shared.calls).insert(id, kept);
    // After it is kept: a worker that dies now fails it, one that has died is seen here.
    if shared.link.say(Frame { kind: ask::CALL, id, body: &body }).is_err() {
        let kept = lock(&shared.calls).remove(&id);
        if let Some(kept) = kept {
            kept.fail(&shared.gone());
        }
    }
    let running = Running { shared: Arc::clone(shared), id, last_word, taken: Credit::default() };
    Inbox::new(events, waiting, running)
}

impl Call {
    /// Hands an event on; the rest of what the plugin says in this call is awaited by nobody after a failure.
    pub(super) fn take(&mut self, kind: Kind, body: &[u8]) -> Taken {
        let Some(events) = &self.events else { return Taken::Yes };
        let before = self.waiting.fetch_add(body.len(), Ordering::Relaxed);
        let last = matches!(kind, Kind::Done | Kind::Failed);
        if before > WINDOW.bytes as usize + message::MAX && !last {
            return Taken::TooMuch;
        }
        let sent = events.try_send(Event { kind, body: body.to_vec() });
        if last {
            self.events = None;
        }
        if matches!(sent, Err(TrySendError::Full(_))) { Taken::TooMuch } else { Taken::Yes }
    }

    /// The last word is not the plugin's.
    pub(super) fn fail(self, error: &Error) {
        let _ = self.last_word.set(Event { kind: Kind::Failed, body: message::encode(error) });
    }
}

/// Sees to it that the plugin lets go of a call.
pub(super) fn expect_end(shared: &Arc<Shared>, id: u64) {
    let kept = Arc::clone(shared);
    shared.runtime.spawn(async move {
        tokio::time::sleep(GRACE).await;
        let stuck = lock(&kept.calls).get(&id).map(|call| call.op.clone());
        if let Some(op) = stuck {
            let cause = format!("did not end `{op}` when it had to, and was ended");
            kept.kill(Death::by_host(&cause, false));
        }
    });
}

/// Whoever listens to a call holds this.
struct Running {
    shared: Arc<Shared>,
    id: u64,
    last_word: Arc<OnceLock<Event>>,
    /// What was taken since the worker was told.
    taken: Credit,
}

impl Tether for Running {
    fn taken(&mut self, bytes: usize) {
        self.taken.events += 1;
        self.taken.bytes = self.taken.bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        if self.taken.events >= WINDOW.events / 4 || self.taken.bytes >= WINDOW.bytes / 4 {
            let body = std::mem::take(&mut self.taken).to_bytes();
            // A worker that is gone needs none.
            let _ = self.shared.link.say(Frame { kind: ask::CREDIT, id: self.id, body: &body });
        }
    }

    fn last_word(&mut self) -> Option<Event> {
        self.last_word.get().cloned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let is_open =
            lock(&self.shared.calls).get_mut(&self.id).is_some_and(|call| call.events.take().is_some());
        if is_open && self.shared.link.say(Frame { kind: ask::CANCEL, id: self.id, body: &[] }).is_ok() {
            expect_end(&self.shared, self.id);
        }
    }
}
