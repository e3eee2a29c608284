//! What gateways have under a topic: asked for all at once, read once, verified, and kept.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod kept;
mod walk;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bitboot_plugin_api::{Found, Host, Level, Result};
use bitboot_rpc::gather;
use tokio::sync::Mutex;

use crate::config::ArweaveConfig;
use crate::gateway::Gateway;
use crate::topic::Topic;
use kept::{Kept, Pile};
use walk::{New, Walk, Walked};

/// A value whose transaction has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) id: [u8; 32],
    /// The address of the key that signed and paid.
    pub(crate) owner: [u8; 32],
    /// Of its block; `None` where it waits for one.
    pub(crate) height: Option<u64>,
    pub(crate) value: Vec<u8>,
}

/// Which gateway it is.
type Mark = [u8; 8];

/// Records, each by the word of a gateway.
type Words = Vec<(Mark, Record)>;

/// Reads all gateways, for all lookups.
pub(crate) struct Reader {
    store: Arc<Store>,
    gateways: Vec<Gateway>,
    lookback: u64,
    pending: bool,
}

/// What was read by all lookups.
struct Store {
    host: Host,
    gateways: Vec<Mark>,
    /// `None` until the cache was asked.
    kept: Mutex<Option<Kept>>,
}

/// Its name in the host's cache.
const NAME: &str = "records";
/// While reading takes long, what was read is kept this often.
const KEEP_EVERY: Duration = Duration::from_secs(2);
/// A block with so many after it stays in the chain, and is in every index by then.
const SETTLED: u64 = 50;
/// Of one owner under one topic: more would crowd out others.
const MOST_OF_ONE: usize = 16;

impl Reader {
    pub(crate) fn new(gateways: Vec<Gateway>, config: &ArweaveConfig, host: Host) -> Self {
        let lookback = u64::from(config.lookback_blocks.max(1));
        let marks = gateways.iter().map(Gateway::mark).collect();
        let store = Arc::new(Store { host, gateways: marks, kept: Mutex::new(None) });
        Self { store, gateways, lookback, pending: config.pending }
    }

    /// Reports all values under a topic: those that are settled at once, the others when a gateway still lists them. Ends before its deadline with
    /// what was read by then: a silent gateway hides nothing that another one has told.
    pub(crate) async fn find(&self, topic: Topic, found: &Found) -> Result<()> {
        let (store, lookback, pending) = (&self.store, self.lookback, self.pending);
        let pile = Arc::new(store.pile(topic).await);
        let new = New::default();
        let walks = self.gateways.iter().map(|gateway| {
            let (pile, store, new) = (Arc::clone(&pile), Arc::clone(store), new.clone());
            Walk { gateway: gateway.clone(), topic, pile, lookback, pending, store, new }
        });
        let tell = |(_, value): ([u8; 32], Vec<u8>)| async move { found.value(&value).await };
        let gathered = gather(walks, found.cx().deadline(), tell).await?;
        let answers = gathered.answers("a gateway", "60s", &store.host);
        let walked = answers.as_deref().unwrap_or_default();
        self.compare(walked);
        store.keep(topic, new.take(), walked).await;
        answers.map(drop)
    }

    /// Tells when one gateway lists what another one should have too.
    fn compare(&self, walked: &[Walked]) {
        let Some(from) = walked.iter().map(|walked| walked.floor).max() else { return };
        let to = walked.iter().map(|walked| walked.tip).min().unwrap_or_default().saturating_sub(SETTLED);
        let lists = |walked: &Walked| -> BTreeSet<[u8; 32]> {
            let common = walked.listed.iter().filter(|(_, height)| (from..=to).contains(height));
            common.map(|(id, _)| *id).collect()
        };
        let lists: Vec<_> = walked.iter().filter(|walked| walked.is_whole).map(lists).collect();
        let all = lists.iter().flatten().collect::<BTreeSet<_>>().len();
        if let Some(fewest) = lists.iter().map(BTreeSet::len).min().filter(|fewest| *fewest < all) {
            let text = format!(
                "the gateways disagree: of {all} settled announcements one lists {fewest} only, it lags or hides some"
            );
            self.store.host.log(Level::Warn, text);
        }
    }
}

impl Store {
    async fn pile(&self, topic: Topic) -> Pile {
        let mut kept = self.kept.lock().await;
        if kept.is_none() {
            let cached = self.host.cache_get(NAME).await.ok().flatten();
            *kept = Some(cached.and_then(|bytes| Kept::of_bytes(&bytes)).unwrap_or_default());
        }
        kept.get_or_insert_with(Kept::default).pile(topic).clone()
    }

    /// Adds what was read. A cache that cannot be written makes the next lookup slower, nothing else.
    async fn keep(&self, topic: Topic, new: Words, walked: &[Walked]) {
        let mut kept = self.kept.lock().await;
        let kept = kept.get_or_insert_with(Kept::default);
        let pile = kept.pile(topic);
        let before = pile.clone();
        pile.add(new);
        for walked in walked {
            pile.came(walked.mark, walked.reached(), walked.is_whole);
            pile.forget(walked);
        }
        if *pile == before {
            return;
        }
        kept.bound(&self.gateways);
        if let Err(error) = self.host.cache_put(NAME, &kept.to_bytes()).await {
            self.host.log(Level::Debug, format!("what was read cannot be kept: {error}"));
        }
    }
}
