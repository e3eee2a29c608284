use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bitboot_plugin_api::ffi::outside::{Callee, Services};
use bitboot_plugin_api::ffi::{Event, Flow, Kind, outside};
use bitboot_plugin_api::{Call, Result, message};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::backend::{Backend, Inbox, Tether};

/// A backend in a library of this process.
pub(super) struct Foreign(Callee);

impl Foreign {
    pub(super) fn new(library: outside::Library, kind: &str, services: Arc<dyn Services>) -> Result<Self> {
        library.create(kind, services).map(Self)
    }
}

impl Tether for outside::Running {}

impl Backend for Foreign {
    fn call(&self, op: &str, body: Vec<u8>, deadline: Duration) -> Inbox {
        let (sender, events) = mpsc::channel(Inbox::DEPTH);
        let deadline_ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        let call = message::encode(&Call { op: op.into(), deadline_ms, body });
        let waiting = Arc::new(AtomicUsize::new(0));
        let heard = Arc::clone(&waiting);
        let running = self.0.call(call, move |kind: Kind, body: &[u8]| {
            // The body is copied only when there is room for it; an inbox that is empty takes any.
            let before = heard.load(Ordering::Relaxed);
            if before > 0 && before + body.len() > Inbox::MAX_WAITING {
                return if sender.is_closed() { Flow::Stop } else { Flow::Later };
            }
            match sender.try_reserve() {
                Ok(room) => {
                    heard.fetch_add(body.len(), Ordering::Relaxed);
                    room.send(Event { kind, body: body.to_vec() });
                    Flow::GoOn
                }
                Err(TrySendError::Full(())) => Flow::Later,
                Err(TrySendError::Closed(())) => Flow::Stop,
            }
        });
        Inbox::new(events, waiting, running)
    }
}
