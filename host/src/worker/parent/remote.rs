use std::sync::Arc;
use std::time::Duration;

use bitboot_plugin_api::ffi::frame::Frame;
use bitboot_plugin_api::ffi::{Event, outside::Services};
use bitboot_plugin_api::{Call, Result, message};
use tokio::sync::oneshot;

use super::shared::lock;
use super::{Death, Worker, call};
use crate::backend::{Backend, Inbox};
use crate::worker::talk::ask;

/// A backend in a worker. The worker lives for as long as one of its backends or the [`Worker`] itself is kept.
pub struct Remote {
    worker: Worker,
    id: u64,
}

/// What comes back from one call; dropping it ends the call.
pub struct Events(Inbox);

impl Remote {
    pub(super) async fn create(worker: Worker, kind: &str, desk: Arc<dyn Services>) -> Result<Self> {
        let shared = Arc::clone(worker.shared());
        let (sender, created) = oneshot::channel();
        let id = shared.number();
        lock(&shared.desks).insert(id, desk);
        lock(&shared.creating).insert(id, sender);
        let remote = Self { worker: worker.clone(), id };
        if shared.link.say(Frame { kind: ask::CREATE, id, body: kind.as_bytes() }).is_err() {
            return Err(shared.gone());
        }
        match tokio::time::timeout(super::START, created).await {
            Ok(Ok(created)) => created.map(|()| remote),
            Ok(Err(_)) => Err(shared.gone()),
            Err(_) => {
                let cause = "did not make a backend in time, and was ended";
                shared.kill(Death::by_host(cause, false));
                Err(shared.gone())
            }
        }
    }

    /// Starts an operation with its encoded body, see [`Call`].
    #[must_use]
    pub fn start(&self, op: &str, body: Vec<u8>, deadline: Duration) -> Events {
        Events(self.call(op, body, deadline))
    }

    /// How its worker ended, if it has.
    pub(crate) fn death(&self) -> Option<&Death> {
        self.worker.death()
    }
}

impl Events {
    /// The next event; `None` when the backend fell silent without a last one. Safe to be cancelled.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.next().await
    }
}

impl Backend for Remote {
    fn call(&self, op: &str, body: Vec<u8>, deadline: Duration) -> Inbox {
        let deadline_ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        let call = message::encode(&Call { op: op.into(), deadline_ms, body });
        call::start(self.worker.shared(), self.id, op, &call)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let shared = self.worker.shared();
        lock(&shared.desks).remove(&self.id);
        lock(&shared.creating).remove(&self.id);
        // One that is gone has dropped it already.
        let _ = shared.link.say(Frame { kind: ask::DROP, id: self.id, body: &[] });
    }
}
