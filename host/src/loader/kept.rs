use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bitboot_plugin_api::ffi::{Event, Kind};
use bitboot_plugin_api::{ErrorKind, message};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::open::Loader;
use super::request::Request;
use crate::backend::{Backend, Inbox, Tether};
use crate::error::Result;
use crate::worker::Remote;

/// The pause before a plugin that died is started anew, and how often that is done.
const PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(8)];
/// A death is forgotten after that.
const WHILE: Duration = Duration::from_secs(600);

/// A backend in a worker that is opened anew when the worker has died, so that a long command outlives it.
pub(super) struct Kept(Arc<Inner>);

struct Inner {
    loader: Weak<Loader>,
    request: Request,
    remote: Mutex<Arc<Remote>>,
    /// When it was started anew; held while that is done.
    anew: tokio::sync::Mutex<VecDeque<Instant>>,
}

impl Kept {
    pub(super) fn new(loader: &Arc<Loader>, request: &Request, remote: Remote) -> Self {
        Self(Arc::new(Inner {
            loader: Arc::downgrade(loader),
            request: request.clone(),
            remote: Mutex::new(Arc::new(remote)),
            anew: tokio::sync::Mutex::default(),
        }))
    }
}

impl Backend for Kept {
    fn call(&self, op: &str, body: Vec<u8>, deadline: Duration) -> Inbox {
        let remote = self.0.remote();
        // What it kept in its memory is gone with it.
        if remote.death().is_none() || op == "save" {
            return remote.call(op, body, deadline);
        }
        let (sender, events) = mpsc::channel(Inbox::DEPTH);
        let (inner, op) = (Arc::clone(&self.0), op.to_owned());
        let task = tokio::spawn(async move { inner.call_anew(&op, body, deadline, &sender).await });
        Inbox::new(events, Arc::default(), Task(task.abort_handle()))
    }
}

impl Inner {
    fn remote(&self) -> Arc<Remote> {
        Arc::clone(&self.remote.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn call_anew(&self, op: &str, body: Vec<u8>, deadline: Duration, to: &mpsc::Sender<Event>) {
        let start = Instant::now();
        let remote = match tokio::time::timeout(deadline, self.open_anew()).await {
            Ok(Ok(remote)) => remote,
            Ok(Err(error)) => {
                let mut told = bitboot_plugin_api::Error::new(ErrorKind::Panicked, error.what);
                (told.why, told.fix) = (error.why, error.fix);
                let _ = to.send(Event { kind: Kind::Failed, body: message::encode(&told) }).await;
                return;
            }
            Err(_) => {
                let told = bitboot_plugin_api::Error::new(
                    ErrorKind::TimedOut,
                    "the plugin died and is being started anew",
                );
                let _ = to.send(Event { kind: Kind::Failed, body: message::encode(&told) }).await;
                return;
            }
        };
        let mut inbox = remote.call(op, body, deadline.saturating_sub(start.elapsed()));
        while let Some(event) = inbox.next().await {
            let is_last = matches!(event.kind, Kind::Done | Kind::Failed);
            if to.send(event).await.is_err() || is_last {
                return;
            }
        }
    }

    async fn open_anew(&self) -> Result<Arc<Remote>> {
        let mut anew = self.anew.lock().await;
        let remote = self.remote();
        // Another call has done it meanwhile.
        let Some(death) = remote.death() else { return Ok(remote) };
        anew.retain(|when| when.elapsed() < WHILE);
        let of_death = || crate::error::Error::of_backend(&self.request.backend, death.error());
        let (Some(pause), Some(loader)) = (PAUSES.get(anew.len()), self.loader.upgrade()) else {
            return Err(of_death());
        };
        anew.push_back(Instant::now());
        tokio::time::sleep(*pause).await;
        let remote = Arc::new(loader.open_remote(&self.request, true).await?);
        *self.remote.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&remote);
        Ok(remote)
    }
}

/// Ends with whoever listens.
struct Task(AbortHandle);

impl Tether for Task {}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
