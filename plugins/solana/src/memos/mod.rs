//! The memos of one node's chain: each read once, kept, and gone on with.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod kept;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use bitboot_plugin_api::{Host, Level, Result};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::node::Node;
use crate::wire::Key;
use kept::Kept;

/// How long a lookup that is given up waits for what it has read to be kept.
const TO_KEEP: Duration = Duration::from_millis(100);

/// Reads one node, for all lookups.
pub(crate) struct Memos {
    node: Node,
    host: Host,
    /// Its name in the host's cache.
    name: String,
    /// How many memos of a place are looked at.
    history: usize,
    /// One lookup at a time goes on reading; the others wait for what it finds. `None` until the cache was asked.
    kept: Arc<Mutex<Option<Kept>>>,
}

/// A memo whose author has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Find {
    pub(crate) author: Key,
    pub(crate) value: Vec<u8>,
}

impl Memos {
    pub(crate) fn new(node: Node, history: u32, host: Host) -> Self {
        let history = usize::try_from(history).unwrap_or(usize::MAX).max(1);
        // What one node hides must not stay hidden where another one takes its place.
        let name = format!("memos-{}", mark(node.url()));
        Self { node, host, name, history, kept: Arc::default() }
    }

    /// The values of all memos of a place, the newest first. What was read before something went wrong counts, now and before: it fails only
    /// where that is nothing.
    pub(crate) async fn find(&self, place: Key) -> Result<Vec<Vec<u8>>> {
        let genesis = self.node.genesis().await?;
        let mut kept = self.kept.lock().await;
        if kept.is_none() {
            let cached = self.host.cache_get(&self.name).await.ok().flatten();
            *kept = cached.and_then(|bytes| Kept::of_bytes(&bytes));
        }
        let kept = kept.get_or_insert_with(Kept::default);
        kept.belong_to(genesis);
        let before = kept.at(place).clone();
        // Changed in place: a lookup that is given up loses nothing of what it has read.
        let walked = self.walk(place, kept).await;
        let values: Vec<_> = kept.at(place).finds().map(|find| find.value.clone()).collect();
        if *kept.at(place) != before {
            self.keep(kept).await;
        }
        kept.bound();
        match walked {
            Err(error) if values.is_empty() => Err(error),
            Err(error) => {
                let text = format!("memos were not read to the end, which hides new ones at most: {error}");
                self.host.log(Level::Warn, text);
                Ok(values)
            }
            Ok(()) => Ok(values),
        }
    }

    /// The values of those that were read so far, by a lookup that was given up.
    pub(crate) async fn known(&self, place: Key) -> Vec<Vec<u8>> {
        let mut kept = self.kept.lock().await;
        let Some(kept) = kept.as_mut() else { return Vec::new() };
        // Whoever asks has little time, and what is kept is not what they wait for.
        let _ = timeout(TO_KEEP, self.keep(kept)).await;
        kept.at(place).finds().map(|find| find.value.clone()).collect()
    }

    /// Keeps how far it has come. A cache that cannot be written makes the next lookup slower, nothing else.
    async fn keep(&self, kept: &Kept) {
        let mut kept = kept.clone();
        kept.bound();
        if let Err(error) = self.host.cache_put(&self.name, &kept.to_bytes()).await {
            self.host.log(Level::Debug, format!("what was read cannot be kept: {error}"));
        }
    }
}

/// What tells a node from others in the host's cache.
fn mark(url: &str) -> String {
    Key::hash(&[b"bitboot/1 solana node", url.as_bytes()]).to_string().chars().take(11).collect()
}
