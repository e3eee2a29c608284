//! What one node's chain has of ours: walked once, kept, and followed when the chain is reorganized.

mod kept;
mod provisional;
mod walk;

use std::sync::Arc;

use bitboot_plugin_api::{Author, Authored, Host, Level, Result};
use bitcoin::BlockHash;
use tokio::sync::Mutex;

use crate::config::BitcoinConfig;
use crate::message::Tag;
use crate::node::Node;
use kept::Kept;
use provisional::Provisional;

/// A message whose author has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Find {
    /// The block in which it is; 0 while it waits for one.
    pub(crate) height: u32,
    pub(crate) tag: Tag,
    pub(crate) author: [u8; 33],
    pub(crate) value: Vec<u8>,
}

/// Reads one node, for all lookups.
pub(crate) struct Scan {
    node: Node,
    host: Host,
    /// Its name in the host's cache.
    name: String,
    lookback: u32,
    mempool: bool,
    state: Arc<Mutex<State>>,
}

/// One lookup at a time goes on reading; the others wait for what it finds.
struct State {
    /// `None` until the cache was asked.
    kept: Option<Kept>,
    waiting: Provisional,
}

impl Scan {
    pub(crate) fn new(number: usize, node: Node, config: &BitcoinConfig, host: Host) -> Self {
        Self {
            node,
            host,
            name: format!("chain-{number}"),
            lookback: config.lookback_blocks.max(1),
            mempool: config.mempool,
            state: Arc::new(Mutex::new(State { kept: None, waiting: Provisional::default() })),
        }
    }

    /// All messages under a tag, the newest first.
    pub(crate) async fn find(&self, tag: Tag) -> Result<Vec<Find>> {
        self.node.check().await?;
        let mut state = self.state.lock().await;
        if state.kept.is_none() {
            let cached = self.host.cache_get(&self.name).await.ok().flatten();
            state.kept = Some(cached.and_then(|bytes| Kept::of_bytes(&bytes)).unwrap_or_default());
        }
        let State { kept, waiting } = &mut *state;
        let kept = kept.get_or_insert_with(Kept::default);
        self.walk(kept).await?;
        if self.mempool {
            // What waits is an extra: a node that does not tell it is no reason to tell nothing.
            if let Err(error) = waiting.refresh(&self.node).await {
                self.host.log(Level::Warn, format!("unconfirmed transactions were not read: {error}"));
            }
        }
        let all = waiting.finds().chain(kept.finds.iter().rev());
        Ok(all.filter(|find| find.tag == tag).cloned().collect())
    }

    /// The last block that was read up to a height.
    pub(crate) async fn last(&self, height: u32) -> Option<(u32, BlockHash)> {
        let state = self.state.lock().await;
        state.kept.as_ref()?.blocks.iter().rev().find(|(at, _)| *at <= height).copied()
    }

    /// Keeps how far it has come. A cache that cannot be written makes the next lookup slower, nothing else.
    async fn keep(&self, kept: &Kept) {
        if let Err(error) = self.host.cache_put(&self.name, &kept.to_bytes()).await {
            self.host.log(Level::Debug, format!("what was read cannot be kept: {error}"));
        }
    }
}

impl Find {
    pub(crate) fn authored(&self) -> Option<Authored> {
        Some(Authored::new(self.value.clone(), Author::new(&self.author)?))
    }
}
