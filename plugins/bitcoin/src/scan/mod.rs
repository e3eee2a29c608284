//! What one node's chain has of ours: walked once, or found by its index; kept, and followed when the chain is reorganized.

mod ahead;
mod deepen;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod indexed;
mod kept;
mod provisional;
mod walk;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bitboot_plugin_api::{Host, Level, Result};
use bitboot_rpc::Node as _;
use bitcoin::BlockHash;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::config::{BitcoinConfig, Index};
use crate::lookup::{Ear, Told};
use crate::message::{Place, Tag};
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
    lookback: u32,
    index: Index,
    mempool: bool,
    state: Mutex<State>,
    /// More was walked than is kept.
    is_ahead: AtomicBool,
}

/// One lookup at a time goes on reading; the others wait for what it finds. What is kept is `None` until the cache was asked.
#[derive(Default)]
struct State {
    walked: Option<Kept>,
    indexed: Option<Kept>,
    waiting: Provisional,
}

impl Scan {
    pub(crate) fn new(node: Node, config: &BitcoinConfig, host: Host) -> Self {
        Self {
            node,
            host,
            lookback: config.lookback_blocks.max(1),
            index: config.index,
            mempool: config.mempool,
            state: Mutex::default(),
            is_ahead: AtomicBool::new(false),
        }
    }

    /// Tells all messages of a place as they come: those that wait for a block, those that the index leads to, and those of every block.
    pub(crate) async fn look(&self, place: &Place, ear: &Ear) -> Result<()> {
        self.node.check().await?;
        // Before the blocks, so that none gets into one unseen.
        self.waiting(place.tag, ear).await;
        if self.indexed(place, ear).await && self.index == Index::Only {
            return Ok(());
        }
        self.walked(place.tag, ear).await
    }

    /// All messages under a tag in the chain: every block is read that was not before.
    async fn walked(&self, tag: Tag, ear: &Ear) -> Result<()> {
        let mut state = self.state.lock().await;
        let kept = self.recall(&mut state.walked, &self.name("chain")).await;
        self.walk(kept, tag, ear).await?;
        ear.tell(under(tag, kept.finds.iter())).await;
        Ok(())
    }

    /// Messages under a tag that wait for a block.
    async fn waiting(&self, tag: Tag, ear: &Ear) {
        if !self.mempool {
            return;
        }
        let mut state = self.state.lock().await;
        // What waits is an extra: a node that does not tell it is no reason to tell nothing.
        match state.waiting.refresh(&self.node).await {
            Ok(0) => {}
            Ok(left) => {
                let text = format!("{left} unconfirmed transactions were not looked at: too many wait");
                self.host.log(Level::Info, text);
            }
            Err(error) => {
                self.host.log(Level::Warn, format!("unconfirmed transactions were not read: {error}"));
            }
        }
        let finds = state.waiting.finds().filter(|find| find.tag == tag).map(Find::told).collect();
        ear.tell_some(finds).await;
    }

    /// When the node answered last.
    pub(crate) fn answered(&self) -> Option<Instant> {
        self.node.answered()
    }

    /// The last block that was read up to a height.
    pub(crate) async fn last(&self, height: u32) -> Option<(u32, BlockHash)> {
        let state = self.state.lock().await;
        state.walked.as_ref()?.blocks.iter().rev().find(|(at, _)| *at <= height).copied()
    }

    /// The name of something of this node's in the host's cache. Another node in its place begins anew: what this one may have hidden must not
    /// stay hidden.
    fn name(&self, what: &str) -> String {
        format!("{what}-{}", self.node.mark())
    }

    /// What was kept under a name.
    async fn recall<'a>(&self, kept: &'a mut Option<Kept>, name: &str) -> &'a mut Kept {
        if kept.is_none() {
            let cached = self.host.cache_get(name).await.ok().flatten();
            *kept = cached.and_then(|bytes| Kept::of_bytes(&bytes));
        }
        kept.get_or_insert_default()
    }

    /// Keeps how far a walk has come that was broken off.
    pub(crate) async fn save(&self) {
        let state = self.state.lock().await;
        if let Some(kept) = state.walked.as_ref().filter(|_| self.is_ahead.load(Relaxed)) {
            self.keep(&self.name("chain"), kept).await;
        }
    }

    /// Keeps how far it has come. A cache that cannot be written makes the next lookup slower, nothing else.
    async fn keep(&self, name: &str, kept: &Kept) {
        if let Err(error) = self.host.cache_put(name, &kept.to_bytes()).await {
            self.host.log(Level::Debug, format!("what was read cannot be kept: {error}"));
        }
        self.is_ahead.store(false, Relaxed);
    }
}

/// What was found under a tag, the newest first.
fn under<'a>(tag: Tag, finds: impl DoubleEndedIterator<Item = &'a Find>) -> Vec<Told> {
    finds.rev().filter(|find| find.tag == tag).map(Find::told).collect()
}

impl Find {
    fn told(&self) -> Told {
        Told { author: self.author, value: self.value.clone() }
    }
}
