//! What gateways have under a topic: asked for all at once, read once, verified, and kept.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod kept;
mod walk;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bitboot_plugin_api::{Found, Host, Level, Result};
use bitboot_rpc::{answers, grace, unread};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::config::ArweaveConfig;
use crate::gateway::Gateway;
use crate::topic::Topic;
use kept::{Kept, Pile};
use walk::{Walk, Walked};

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

/// What a gateway has to say.
enum Said {
    Record(Record),
    /// It was read to the end, or failed.
    Walked(Result<Walked>),
}

/// Reads all gateways, for all lookups.
pub(crate) struct Reader {
    host: Host,
    gateways: Vec<Gateway>,
    lookback: u64,
    pending: bool,
    /// `None` until the cache was asked.
    kept: Mutex<Option<Kept>>,
}

/// Its name in the host's cache.
const NAME: &str = "records";
/// While reading takes long, what was read is kept this often.
const KEEP_EVERY: Duration = Duration::from_secs(2);
/// What is left of the time of a lookup when it has to end with what it knows.
const TO_TELL: Duration = Duration::from_millis(400);
/// A block with so many after it stays in the chain, and is in every index by then.
const SETTLED: u64 = 50;
/// Of one owner under one topic: more would crowd out others.
const MOST_OF_ONE: usize = 16;

impl Reader {
    pub(crate) fn new(gateways: Vec<Gateway>, config: &ArweaveConfig, host: Host) -> Self {
        let lookback = u64::from(config.lookback_blocks.max(1));
        Self { host, gateways, lookback, pending: config.pending, kept: Mutex::new(None) }
    }

    /// Reports all values under a topic: those that are settled at once, the others when a gateway still lists them. Ends before its deadline with
    /// what was read by then: a silent gateway hides nothing that another one has told.
    pub(crate) async fn find(&self, topic: Topic, found: &Found) -> Result<()> {
        let pile = Arc::new(self.pile(topic).await);
        let mut told = BTreeSet::new();
        for record in pile.settled() {
            told.insert(record.id);
            found.value(&record.value).await?;
        }
        let (sender, mut said) = mpsc::channel(16);
        // Of a set, so that they end with this lookup.
        let mut walking = JoinSet::new();
        for gateway in &self.gateways {
            let walk =
                Walk { gateway: gateway.clone(), topic, pile: Arc::clone(&pile), lookback: self.lookback };
            walking.spawn(walk.run(sender.clone()));
        }
        drop(sender);
        let (start, deadline) = (Instant::now(), found.cx().deadline());
        let mut end = deadline.checked_sub(TO_TELL).unwrap_or(deadline);
        let (mut outcomes, mut new, mut saved) = (Vec::new(), Vec::new(), start);
        while let Ok(Some(said)) = timeout_at(end, said.recv()).await {
            match said {
                Said::Record(record) => {
                    // Not before it counts: another gateway may have in a block what waits for one here.
                    if (self.pending || record.height.is_some()) && told.insert(record.id) {
                        found.value(&record.value).await?;
                    }
                    new.push(record);
                }
                Said::Walked(walked) => {
                    // One that has nothing says nothing about others.
                    if walked.is_ok() && !told.is_empty() {
                        end = end.min(grace(start));
                    }
                    outcomes.push(walked);
                }
            }
            if saved.elapsed() > KEEP_EVERY {
                self.keep(topic, std::mem::take(&mut new), &[], false).await;
                saved = Instant::now();
            }
        }
        if outcomes.len() < self.gateways.len() {
            outcomes.push(Err(unread("a gateway", "60s")));
        }
        let (walked, failure) = match answers(outcomes, &self.host) {
            Ok(walked) => (walked, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        self.compare(&walked);
        self.keep(topic, new, &walked, walked.len() == self.gateways.len()).await;
        match failure {
            Some(error) if told.is_empty() => Err(error),
            // What was told is found, although no gateway was read to the end.
            Some(error) => {
                self.host.log(Level::Warn, error.to_string());
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn pile(&self, topic: Topic) -> Pile {
        let mut kept = self.kept.lock().await;
        if kept.is_none() {
            let cached = self.host.cache_get(NAME).await.ok().flatten();
            *kept = Some(cached.and_then(|bytes| Kept::of_bytes(&bytes)).unwrap_or_default());
        }
        kept.get_or_insert_with(Kept::default).pile(topic).clone()
    }

    /// Adds what was read. A cache that cannot be written makes the next lookup slower, nothing else.
    async fn keep(&self, topic: Topic, new: Vec<Record>, walked: &[Walked], all: bool) {
        let mut kept = self.kept.lock().await;
        let kept = kept.get_or_insert_with(Kept::default);
        let pile = kept.pile(topic);
        let before = pile.clone();
        pile.add(new);
        for walked in walked {
            pile.came(walked.mark, walked.reached(), walked.is_whole);
        }
        if all {
            pile.forget(walked);
        }
        if *pile == before {
            return;
        }
        kept.bound();
        if let Err(error) = self.host.cache_put(NAME, &kept.to_bytes()).await {
            self.host.log(Level::Debug, format!("what was read cannot be kept: {error}"));
        }
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
            self.host.log(Level::Warn, text);
        }
    }
}
