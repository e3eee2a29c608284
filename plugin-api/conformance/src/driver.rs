use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bitboot_plugin_api::ffi::outside::{Callee, Library};
use bitboot_plugin_api::{
    Action, Announcement, Author, Call, Caps, Error, ErrorKind, Health, Held, KindInfo, Peer, Query, Quote,
    Receipt, Result, Write, message,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::stream::wordless;
use crate::{Desk, Said, Stream, Subject};

/// The deadline of calls whose caller gives none.
const DEADLINE: Duration = Duration::from_secs(20);

/// The most finds that are gathered, and bytes of values: a plugin that floods must not take the test's memory.
const MOST: usize = 100_000;
const MOST_BYTES: usize = 256 << 20;
/// So many of each kind are written out where it is told what was found.
const SHOWN: usize = 8;

/// Talks to one backend of a plugin as a host does, in this process.
pub struct Driver {
    callee: Callee,
    desk: Arc<Desk>,
}

/// What a lookup or a read found, and how it ended.
pub struct Finds {
    /// The peers, as often as they were told.
    pub peers: Vec<Peer>,
    /// The values, as often as they were told.
    pub values: Vec<Vec<u8>>,
    /// Who wrote the values, where the medium tells: in the order of the values.
    pub authors: Vec<Author>,
    /// What places hold in a register, as often as it was told.
    pub held: Vec<Held>,
    /// How the call ended; what was found before a failure stays found.
    pub outcome: Result<()>,
}

impl Driver {
    /// Loads a plugin, makes a backend of a kind and opens it with a configuration, an object.
    ///
    /// # Errors
    /// When the library is refused, or what the plugin answers.
    pub async fn open(path: &Path, kind: &str, config: Value) -> Result<Self> {
        let driver = Self::create(&Library::open(path)?, kind)?;
        driver.configure(&config).await?;
        Ok(driver)
    }

    /// Makes a backend of a kind that is not yet opened.
    ///
    /// # Errors
    /// What the plugin answers, such as a kind that it does not have.
    pub fn create(library: &Library, kind: &str) -> Result<Self> {
        Self::with_desk(*library, kind, Desk::new(library.manifest(), None))
    }

    /// One of the kind that is put to the test.
    pub(crate) fn create_for(library: Library, subject: &Subject) -> Result<Self> {
        Self::with_desk(library, &subject.kind, Desk::new(library.manifest(), subject.outside.clone()))
    }

    fn with_desk(library: Library, kind: &str, desk: Desk) -> Result<Self> {
        let desk = Arc::new(desk);
        Ok(Self { callee: library.create(kind, desk.clone())?, desk })
    }

    /// What the host does for this backend: its log and its cache.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Opens the backend.
    pub async fn configure(&self, config: &Value) -> Result<()> {
        self.desk.set(config);
        self.ask("open", config).await
    }

    /// What the kind tells of itself; possible before it is opened.
    pub async fn describe(&self) -> Result<KindInfo> {
        self.ask("describe", &()).await
    }

    /// What the medium can do.
    pub async fn caps(&self) -> Result<Caps> {
        self.ask("caps", &()).await
    }

    /// Announces.
    pub async fn announce(&self, what: &Announcement) -> Result<Receipt> {
        self.ask("announce", what).await
    }

    /// Takes an announcement back.
    pub async fn withdraw(&self, what: &Announcement) -> Result<Receipt> {
        self.ask("withdraw", what).await
    }

    /// What announcing would cost.
    pub async fn quote(&self, what: &Announcement) -> Result<Quote> {
        self.ask("quote", what).await
    }

    /// Under which key the medium will show what this backend announces.
    pub async fn author(&self) -> Result<Option<Author>> {
        self.ask("author", &()).await
    }

    /// Whether the medium answers.
    pub async fn health(&self) -> Result<Health> {
        self.ask("health", &()).await
    }

    /// Lets the backend keep its warm state.
    pub async fn save(&self) -> Result<()> {
        self.ask("save", &()).await
    }

    /// Looks up until the backend ends.
    pub async fn lookup(&self, query: &Query, deadline: Duration) -> Finds {
        self.lookup_stream(query, deadline).collect().await
    }

    /// Looks up, and hands over what is found as it is found.
    #[must_use]
    pub fn lookup_stream(&self, query: &Query, deadline: Duration) -> Stream {
        self.start("lookup", query, deadline)
    }

    /// Reads a register until the backend ends; the query's locator is the slot.
    pub async fn read(&self, slot: &Query, deadline: Duration) -> Finds {
        self.read_stream(slot, deadline).collect().await
    }

    /// Reads a register, and hands over what places hold as they tell.
    #[must_use]
    pub fn read_stream(&self, slot: &Query, deadline: Duration) -> Stream {
        self.start("read", slot, deadline)
    }

    /// Writes a register.
    pub async fn write(&self, what: &Write) -> Result<Receipt> {
        self.ask("write", what).await
    }

    /// Starts to write a register.
    #[must_use]
    pub fn write_stream(&self, what: &Write, deadline: Duration) -> Stream {
        self.start("write", what, deadline)
    }

    /// Watches for as long as the stream is kept, at most until the deadline.
    #[must_use]
    pub fn watch_stream(&self, query: &Query, deadline: Duration) -> Stream {
        self.start("watch", query, deadline)
    }

    /// What carrying out an action would cost.
    pub async fn quote_action(&self, name: &str, args: Value) -> Result<Quote> {
        self.ask("quote_action", &Action::new(name, args)).await
    }

    /// Carries out an action, and hands over its results as they come.
    #[must_use]
    pub fn action(&self, name: &str, args: Value, deadline: Duration) -> Stream {
        self.start("action", &Action::new(name, args), deadline)
    }

    /// Starts any operation with any bytes as its body.
    #[must_use]
    pub fn call(&self, op: &str, body: Vec<u8>, deadline: Duration) -> Stream {
        Stream::start(&self.callee, message::encode(&request(op, body, deadline)), deadline)
    }

    /// The backend itself, for a test that listens in its own way.
    #[must_use]
    pub fn callee(&self) -> &Callee {
        &self.callee
    }

    fn start<T: Serialize + ?Sized>(&self, op: &str, body: &T, deadline: Duration) -> Stream {
        self.call(op, message::encode(body), deadline)
    }

    async fn ask<T: Serialize + ?Sized, A: DeserializeOwned>(&self, op: &str, body: &T) -> Result<A> {
        self.start(op, body, DEADLINE).finish().await
    }
}

impl Stream {
    /// Gathers what a lookup or a read finds, to its end.
    pub async fn collect(mut self) -> Finds {
        let mut finds = Finds {
            peers: Vec::new(),
            values: Vec::new(),
            authors: Vec::new(),
            held: Vec::new(),
            outcome: Err(wordless()),
        };
        let mut bytes = 0;
        while let Some(said) = self.next().await {
            bytes += match &said {
                Said::Value(value) => value.len(),
                Said::Authored(what) => what.value.len(),
                _ => 0,
            };
            if finds.peers.len() + finds.values.len() + finds.held.len() >= MOST || bytes > MOST_BYTES {
                let most = format!("it found more than {MOST}, or than {MOST_BYTES} bytes");
                finds.outcome = Err(Error::new(ErrorKind::Other, most));
                break;
            }
            match said {
                Said::Peer(peer) => finds.peers.push(peer),
                Said::Value(value) => finds.values.push(value),
                Said::Authored(what) => {
                    finds.values.push(what.value);
                    finds.authors.push(what.author);
                }
                Said::Held(held) => finds.held.push(held),
                Said::Progress(_) | Said::Output(_) => {}
                Said::Done(_) => {
                    finds.outcome = Ok(());
                    break;
                }
                Said::Failed(error) | Said::Unreadable(error) => {
                    finds.outcome = Err(error);
                    break;
                }
            }
        }
        finds
    }
}

impl fmt::Debug for Finds {
    /// Of each kind the first ones, and how many there are: there may be many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peers, values, authors, held, outcome } = self;
        f.debug_struct("Finds")
            .field("peers", &First(peers))
            .field("values", &First(values))
            .field("authors", &First(authors))
            .field("held", &First(held))
            .field("outcome", outcome)
            .finish()
    }
}

/// The first ones of many.
struct First<'a, T>(&'a [T]);

impl<T: fmt::Debug> fmt::Debug for First<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, more) = self.0.split_at(self.0.len().min(SHOWN));
        f.debug_list().entries(shown).finish()?;
        if more.is_empty() { Ok(()) } else { write!(f, " and {} more", more.len()) }
    }
}

/// A call as it crosses the border.
pub(crate) fn request(op: &str, body: Vec<u8>, deadline: Duration) -> Call {
    Call { op: op.into(), deadline_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX), body }
}
