use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::Serialize;

use super::Cx;
use crate::ffi::inside::Listener;
use crate::ffi::{Flow, Kind};
use crate::{Authored, Error, ErrorKind, Held, Peer, Result, message};

/// Where a lookup or a read reports what it finds.
#[derive(Clone)]
pub struct Found {
    ear: Ear,
    cx: Cx,
}

impl Found {
    pub(super) fn new(ear: Ear, cx: Cx) -> Self {
        Self { ear, cx }
    }

    /// Reports a peer the moment it is known. Reporting one twice does no harm.
    ///
    /// # Errors
    /// When nobody listens any more: return it with `?`, which ends the lookup without fuss.
    pub async fn peer(&self, peer: Peer) -> Result<()> {
        self.ear.tell(Kind::Peer, &peer).await
    }

    /// Reports sealed bytes as they were stored.
    ///
    /// # Errors
    /// When nobody listens any more, or the value is larger than a message may be (1 MiB).
    pub async fn value(&self, value: &[u8]) -> Result<()> {
        self.ear.offer(Kind::Value, value).await
    }

    /// Reports sealed bytes as they were stored, with who wrote them: only what the backend has verified. For media with
    /// [`Caps::authored`](crate::Caps::authored), instead of [`Found::value`].
    ///
    /// # Errors
    /// When nobody listens any more: return it with `?`.
    pub async fn authored(&self, what: &Authored) -> Result<()> {
        self.ear.tell(Kind::Authored, what).await
    }

    /// Reports a value that a place holds in a register. Reporting one twice does no harm.
    ///
    /// # Errors
    /// When nobody listens any more: return it with `?`.
    pub async fn held(&self, held: &Held) -> Result<()> {
        self.ear.tell(Kind::Held, held).await
    }

    /// The call's deadline and progress.
    #[must_use]
    pub fn cx(&self) -> &Cx {
        &self.cx
    }
}

/// Says anything at all, which [`Found`] would not let an author do: for a test's plugin that misbehaves.
pub fn say(found: &Found, kind: u8, body: &[u8]) {
    if let Some(listener) = found.ear.0.upgrade() {
        listener.say(kind, body);
    }
}

/// Goes on saying anything at all after the call has ended, which [`Found`] would not let an author do either.
pub fn keep(found: &Found) -> impl Fn(u8, &[u8]) + Send + 'static {
    let listener = found.ear.0.upgrade();
    move |kind, body| {
        if let Some(listener) = &listener {
            listener.say(kind, body);
        }
    }
}

/// Where an action reports its results.
#[derive(Clone)]
pub struct Output {
    ear: Ear,
    cx: Cx,
}

impl Output {
    pub(super) fn new(ear: Ear, cx: Cx) -> Self {
        Self { ear, cx }
    }

    /// Reports one result: a JSON object, printed as a line of its own.
    ///
    /// # Errors
    /// When nobody listens any more: return it with `?`.
    pub async fn emit(&self, result: &serde_json::Value) -> Result<()> {
        self.ear.tell(Kind::Output, result).await
    }

    /// The call's deadline and progress.
    #[must_use]
    pub fn cx(&self) -> &Cx {
        &self.cx
    }
}

/// The host's ear for one call, with the manners of waiting. It is deaf once the call has ended, whoever still keeps it: so a host that
/// sees the listener go knows that the author's code is no longer within the call.
#[derive(Clone)]
pub(super) struct Ear(Weak<Listener>);

/// How long an event waits before it is offered again to a host that is behind.
const PAUSE: Duration = Duration::from_millis(1);

impl Ear {
    pub(super) fn of(listener: &Arc<Listener>) -> Self {
        Self(Arc::downgrade(listener))
    }

    pub(super) async fn tell<T: Serialize>(&self, kind: Kind, body: &T) -> Result<()> {
        self.offer(kind, &message::encode(body)).await
    }

    pub(super) async fn offer(&self, kind: Kind, body: &[u8]) -> Result<()> {
        if body.len() > message::MAX {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("{} bytes are more than one message may have", body.len()),
            ));
        }
        loop {
            // Not kept while it waits: the call may end meanwhile.
            let flow = self.0.upgrade().map_or(Flow::Stop, |listener| listener.event(kind, body));
            match flow {
                Flow::GoOn => return Ok(()),
                Flow::Stop => return Err(Error::stopped()),
                // No thread may block here: the library has two for all of its backends.
                Flow::Later => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// The last event of a call.
    pub(super) async fn finish(&self, outcome: Result<Vec<u8>>) {
        let _ = match outcome {
            Ok(body) => self.offer(Kind::Done, &body).await,
            Err(error) => self.tell(Kind::Failed, &error).await,
        };
    }
}
