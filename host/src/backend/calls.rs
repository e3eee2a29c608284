//! The operations of the contract, typed.

use std::net::IpAddr;
use std::time::Duration;

use bitboot_plugin_api::ffi::{Event, Kind};
use bitboot_plugin_api::{
    Action, Announcement, Author, Authored, Caps, Error, ErrorKind, Health, Held, KindInfo, Peer, Progress,
    Query, Quote, Receipt, Result, Write, message,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::{Backend, Inbox};

/// What the plugin may take beyond a deadline that it should have kept itself.
const GRACE: Duration = Duration::from_millis(500);
/// For what needs no medium.
const AT_ONCE: Duration = Duration::from_secs(5);

pub(crate) async fn describe(backend: &dyn Backend) -> Result<KindInfo> {
    one(backend, "describe", &(), AT_ONCE).await
}

pub(crate) async fn open(backend: &dyn Backend, config: &Value) -> Result<()> {
    one(backend, "open", config, AT_ONCE).await
}

pub(crate) async fn caps(backend: &dyn Backend) -> Result<Caps> {
    one(backend, "caps", &(), AT_ONCE).await
}

pub(crate) async fn announce(
    backend: &dyn Backend,
    what: &Announcement,
    deadline: Duration,
) -> Result<Receipt> {
    one(backend, "announce", what, deadline).await
}

pub(crate) async fn withdraw(
    backend: &dyn Backend,
    what: &Announcement,
    deadline: Duration,
) -> Result<Receipt> {
    one(backend, "withdraw", what, deadline).await
}

pub(crate) async fn quote(backend: &dyn Backend, what: &Announcement, deadline: Duration) -> Result<Quote> {
    one(backend, "quote", what, deadline).await
}

/// What an action would cost; `None` where it is free, as are all actions of a plugin that knows no such question.
pub(crate) async fn quote_action(
    backend: &dyn Backend,
    action: &Action,
    deadline: Duration,
) -> Result<Option<Quote>> {
    match one::<Quote>(backend, "quote_action", action, deadline).await {
        Ok(quote) => Ok(Some(quote).filter(|quote| quote.fee.is_some())),
        Err(error) if error.kind == ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) async fn here(backend: &dyn Backend, deadline: Duration) -> Result<Option<IpAddr>> {
    one(backend, "here", &(), deadline).await
}

pub(crate) async fn author(backend: &dyn Backend, deadline: Duration) -> Result<Option<Author>> {
    one(backend, "author", &(), deadline).await
}

pub(crate) async fn health(backend: &dyn Backend, deadline: Duration) -> Result<Health> {
    one(backend, "health", &(), deadline).await
}

pub(crate) async fn save(backend: &dyn Backend, deadline: Duration) -> Result<()> {
    one(backend, "save", &(), deadline).await
}

pub(crate) fn lookup(backend: &dyn Backend, query: &Query, deadline: Duration) -> Following {
    Following::start(backend, "lookup", query, deadline)
}

/// Reads every value that the medium holds in a register; the query's locator is the slot.
pub(crate) fn read(backend: &dyn Backend, query: &Query, deadline: Duration) -> Following {
    Following::start(backend, "read", query, deadline)
}

pub(crate) async fn write(backend: &dyn Backend, what: &Write, deadline: Duration) -> Result<Receipt> {
    one(backend, "write", what, deadline).await
}

/// Carries out an action, which takes as long as it takes.
pub(crate) fn action(backend: &dyn Backend, action: &Action) -> Following {
    const FOR_EVER: Duration = Duration::from_secs(365 * 86_400);
    Following::start(backend, "action", action, FOR_EVER)
}

async fn one<T: DeserializeOwned>(
    backend: &dyn Backend,
    op: &'static str,
    body: &impl Serialize,
    deadline: Duration,
) -> Result<T> {
    let mut following = Following::start(backend, op, body, deadline);
    loop {
        if let Step::Done(answer) = following.next().await? {
            return message::decode(&answer);
        }
    }
}

/// A call under way, followed to its end. Dropping it cancels.
pub(crate) struct Following {
    inbox: Inbox,
    op: &'static str,
    deadline: Instant,
}

/// What happens in a call.
pub(crate) enum Step {
    /// A backend found a peer.
    Peer(Peer),
    /// A backend found sealed bytes.
    Value(Vec<u8>),
    /// A backend found sealed bytes, and knows who wrote them.
    Authored(Authored),
    /// A place of the medium holds this in a register.
    Held(Held),
    /// An action has a result.
    Output(Value),
    /// A call has come so far.
    Progress(Progress),
    /// The call has ended with this answer.
    Done(Vec<u8>),
}

impl Following {
    fn start(backend: &dyn Backend, op: &'static str, body: &impl Serialize, deadline: Duration) -> Self {
        let inbox = backend.call(op, message::encode(body), deadline);
        // The plugin keeps the deadline itself; one that hangs is left behind a little later.
        Self { inbox, op, deadline: Instant::now() + deadline + GRACE }
    }

    /// The next step; nothing comes after an error or after [`Step::Done`]. Safe to be cancelled.
    pub(crate) async fn next(&mut self) -> Result<Step> {
        loop {
            // Looked at first: where something always waits, a timer is never asked.
            let event = if Instant::now() < self.deadline {
                tokio::time::timeout_at(self.deadline, self.inbox.next()).await.ok()
            } else {
                None
            };
            let event = event.ok_or_else(|| {
                Error::new(
                    ErrorKind::TimedOut,
                    format!("the plugin did not end `{}` at its deadline", self.op),
                )
                .because("its code hangs, blocks its threads, or tells without end")
            })?;
            let Some(Event { kind, body }) = event else {
                return Err(Error::new(
                    ErrorKind::Panicked,
                    format!("the plugin fell silent in `{}`", self.op),
                ));
            };
            return match kind {
                Kind::Peer => message::decode(&body).map(Step::Peer),
                Kind::Value => Ok(Step::Value(body)),
                Kind::Authored => message::decode(&body).map(Step::Authored),
                Kind::Held => message::decode(&body).map(Step::Held),
                Kind::Output => message::decode(&body).map(Step::Output),
                Kind::Progress => message::decode(&body).map(Step::Progress),
                Kind::Done => Ok(Step::Done(body)),
                Kind::Failed => Err(message::decode(&body)?),
                _ => continue,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::mpsc;

    use super::*;

    /// Never ends, and never lets the host wait.
    struct Flood;

    impl Backend for Flood {
        fn call(&self, _op: &str, _body: Vec<u8>, _deadline: Duration) -> Inbox {
            let (sender, events) = mpsc::channel(Inbox::DEPTH);
            std::thread::spawn(move || {
                while sender.blocking_send(Event { kind: Kind::Value, body: Vec::new() }).is_ok() {}
            });
            Inbox::new(events, Arc::new(AtomicUsize::new(0)), ())
        }
    }

    #[tokio::test]
    async fn what_floods_ends_at_its_deadline() {
        let calling = tokio::spawn(async { health(&Flood, Duration::from_millis(200)).await });
        let ended = tokio::time::timeout(Duration::from_secs(60), calling).await;
        assert_eq!(ended.unwrap().unwrap().unwrap_err().kind, ErrorKind::TimedOut);
    }
}
