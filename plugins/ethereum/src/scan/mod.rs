//! Reading events: which have been read already, and which are new.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod kept;
mod walk;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use alloy_primitives::{Address, B256, Bytes, keccak256};
use bitboot_plugin_api::{Host, Level, Result};
use bitboot_rpc::Node as _;
use tokio::sync::Mutex;

use crate::config::EthereumConfig;
use crate::node::Node;
use kept::Kept;

/// A value that somebody announced, as a node tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Find {
    pub(crate) block: u64,
    /// Its place in the block.
    pub(crate) index: u64,
    pub(crate) writer: Address,
    pub(crate) value: Bytes,
}

/// Reads one node, for all lookups.
pub(crate) struct Scan {
    node: Node,
    host: Host,
    contract: Address,
    /// Its name in the host's cache.
    name: String,
    /// Of which contract by which node: what one node hides must not stay hidden when another takes its place.
    whose: Vec<u8>,
    lookback: u64,
    range: u64,
    /// `None` until the cache was asked. One lookup at a time goes on reading; the others wait for what it finds.
    kept: Arc<Mutex<Option<Kept>>>,
    /// Something was read that the cache does not have.
    is_ahead: AtomicBool,
}

impl Scan {
    pub(crate) fn new(
        number: usize,
        node: Node,
        contract: Address,
        config: &EthereumConfig,
        host: Host,
    ) -> Self {
        let whose = [contract.as_slice(), &keccak256(node.url())[..8]].concat();
        Self {
            node,
            host,
            contract,
            name: format!("events-{number}"),
            whose,
            lookback: config.lookback_blocks.max(1).into(),
            range: config.range_blocks.max(1).into(),
            kept: Arc::default(),
            is_ahead: AtomicBool::new(false),
        }
    }

    /// All values under a key: the last one of each writer, the newest first, and then the others.
    pub(crate) async fn find(&self, key: B256) -> Result<Vec<Find>> {
        self.node.check().await?;
        let mut kept = self.kept.lock().await;
        if kept.is_none() {
            let cached = self.host.cache_get(&self.name).await.ok().flatten();
            *kept = Some(cached.and_then(|bytes| Kept::of_bytes(&bytes, &self.whose)).unwrap_or_default());
        }
        let kept = kept.get_or_insert_with(Kept::default);
        self.walk(kept, key).await?;
        Ok(kept.finds(key))
    }

    /// What was read so far, where a walk has failed or was broken off.
    pub(crate) async fn known(&self, key: B256) -> Vec<Find> {
        self.kept.lock().await.as_ref().map(|kept| kept.finds(key)).unwrap_or_default()
    }

    /// Keeps how far a walk has come that was broken off.
    pub(crate) async fn save(&self) {
        let kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|_| self.is_ahead.load(Relaxed)) {
            self.keep(kept).await;
        }
    }

    /// Keeps how far it has come. A cache that cannot be written makes the next lookup slower, nothing else.
    async fn keep(&self, kept: &Kept) {
        self.is_ahead.store(false, Relaxed);
        if let Err(error) = self.host.cache_put(&self.name, &kept.to_bytes(&self.whose)).await {
            self.host.log(Level::Debug, format!("what was read cannot be kept: {error}"));
        }
    }
}
