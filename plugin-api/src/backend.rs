use std::future::{Future, ready};
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{
    Action, ActionInfo, Announcement, Author, Caps, Cx, Error, Found, Health, Host, Output, Query, Quote,
    Receipt, Result, Write,
};

/// A medium on which peers announce themselves and are looked up: what a plugin's author implements.
///
/// The methods may be written as plain `async fn`. Each call runs on the plugin's own runtime with a deadline; when the host no longer
/// wants the answer, the future is dropped, so there is nothing else to do for cancellation. A panic becomes an error of that one
/// call. Blocking code belongs into `tokio::task::spawn_blocking`.
///
/// What is *not* promised: that `open` is followed by any call, that calls come one at a time, or that the backend is dropped before
/// the process ends.
pub trait Backend: Send + Sync + Sized + 'static {
    /// The kind's name, as in the `[[backend]]` table of `plugin.toml`: lower case letters, digits and `-`.
    const KIND: &'static str;

    /// What the user may set, an object. Its JSON schema is published with the plugin; give every field a default that works.
    type Config: DeserializeOwned + JsonSchema + Send;

    /// Makes a backend of its configuration. Cheap: sockets and files are best opened by the first call that needs them.
    fn open(config: Self::Config, host: Host) -> impl Future<Output = Result<Self>> + Send;

    /// What the medium can do and costs.
    fn caps(&self) -> Caps;

    /// Publishes, and says how well that went. Repeating it renews the announcement.
    fn announce(&self, what: Announcement, cx: Cx) -> impl Future<Output = Result<Receipt>> + Send;

    /// Reports each peer or value to `found` the moment it is known, and returns when the medium has no more.
    fn lookup(&self, query: Query, found: Found) -> impl Future<Output = Result<()>> + Send;

    /// Takes an announcement back before it expires.
    fn withdraw(&self, what: Announcement, cx: Cx) -> impl Future<Output = Result<Receipt>> + Send {
        let _ = (what, cx);
        ready(Err(Error::unsupported("this medium takes nothing back; announcements expire")))
    }

    /// Reports every *different* value that any place of the medium holds under a slot, the query's locator, and returns when all places
    /// that matter were asked. Several can be there at once when writers raced; which of them counts is not the backend's to judge.
    /// Where nobody has written, nothing is reported, and that is no error.
    ///
    /// For media with [`Caps::register`]. A locator that is not [`Write::SLOT`] bytes long is refused.
    fn read(&self, query: Query, found: Found) -> impl Future<Output = Result<()>> + Send {
        let _ = (query, found);
        ready(Err(Error::unsupported("this medium has no registers")))
    }

    /// Writes a value at the revision after [`Write::after`], to be held until [`Receipt::expires_in_s`], and says how well that went.
    ///
    /// Fails with [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when the medium shows that another writer was faster. What is *not*
    /// promised: that it always shows. Two writers of one moment may both succeed, each at some of the places, so a writer reads again
    /// after a while and writes again what is missing.
    fn write(&self, what: Write, cx: Cx) -> impl Future<Output = Result<Receipt>> + Send {
        let _ = (what, cx);
        ready(Err(Error::unsupported("this medium has no registers")))
    }

    /// Under which address others on this medium reach this machine, if that is known: what a port alone stands for in a signed record.
    fn here(&self, cx: Cx) -> impl Future<Output = Result<Option<IpAddr>>> + Send {
        let _ = cx;
        ready(Ok(None))
    }

    /// Under which key the medium will show what this backend announces: the [`Authored::author`](crate::Authored) that readers will see.
    /// Asked before something is sealed, so that nobody else can bring the same bytes as their own. `None` where the medium names nobody.
    fn author(&self, cx: Cx) -> impl Future<Output = Result<Option<Author>>> + Send {
        let _ = cx;
        ready(Ok(None))
    }

    /// Reports peers for as long as somebody listens.
    fn watch(&self, query: Query, found: Found) -> impl Future<Output = Result<()>> + Send {
        let _ = (query, found);
        ready(Err(Error::unsupported("this backend is polled, it does not watch")))
    }

    /// What announcing would cost. A free medium need not answer.
    fn quote(&self, what: Announcement, cx: Cx) -> impl Future<Output = Result<Quote>> + Send {
        let _ = (what, cx);
        ready(Ok(Quote::free()))
    }

    /// Whether the medium answers. The default says that nobody can know.
    fn health(&self, cx: Cx) -> impl Future<Output = Result<Health>> + Send {
        let _ = cx;
        ready(Err(Error::unsupported("this backend does not tell its health")))
    }

    /// Keeps warm state through [`Host::cache_put`] before the process ends.
    fn save(&self, cx: Cx) -> impl Future<Output = Result<()>> + Send {
        let _ = cx;
        ready(Ok(()))
    }

    /// The names and arguments of what only this kind can do.
    #[must_use]
    fn actions() -> Vec<ActionInfo> {
        Vec::new()
    }

    /// What carrying out an action would cost. Asked before each action of a plugin that may spend; actions that cost nothing need not answer.
    /// An action signs no more than the user has agreed to by this quote.
    fn quote_action(&self, action: Action, cx: Cx) -> impl Future<Output = Result<Quote>> + Send {
        let _ = (action, cx);
        ready(Ok(Quote::free()))
    }

    /// Carries out one of [`Backend::actions`], reporting results as they come.
    fn action(&self, action: Action, out: Output) -> impl Future<Output = Result<()>> + Send {
        let _ = out;
        ready(Err(Error::unsupported(format!("this kind of backend has no action `{}`", action.name))))
    }
}
