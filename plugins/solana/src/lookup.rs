//! All that the nodes have under a place, in both ways, told as it is read; and whether they keep the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use bitboot_plugin_api::{Error, Found, Host, Level, Result};
use bitboot_rpc::{Ear, Node as _, Reader, gather};
use tokio::time::Instant;

use crate::config::{Mode, SolanaConfig};
use crate::layout::Entry;
use crate::memos::Memos;
use crate::node::Node;
use crate::wire::Key;

/// Reads all nodes, for all lookups.
pub(crate) struct Readers {
    sources: Vec<Arc<Source>>,
    host: Host,
}

/// What one node has.
struct Source {
    node: Node,
    memos: Memos,
    mode: Mode,
    host: Host,
}

/// One lookup of one node.
struct Look {
    source: Arc<Source>,
    place: Key,
}

impl Readers {
    pub(crate) fn new(nodes: &[Node], config: &SolanaConfig, host: &Host) -> Self {
        let source = |node: &Node| Arc::new(Source::new(node.clone(), config, host.clone()));
        Self { sources: nodes.iter().map(source).collect(), host: host.clone() }
    }

    /// Reports what any of them has, each value once, the moment that it is read. Ends before its deadline: a silent node hides nothing that
    /// another one has told, nor what was read of it before.
    pub(crate) async fn find(&self, place: Key, found: &Found) -> Result<()> {
        let looks = self.sources.iter().map(|source| Look { source: Arc::clone(source), place });
        let tell = |value: Vec<u8>| async move { found.value(&value).await };
        let gathered = gather(looks, found.cx().deadline(), tell).await?;
        let accounts = gathered.answers("a node", "60s", &self.host)?;
        if accounts.windows(2).any(|pair| pair[0] != pair[1]) {
            let text = "the nodes do not keep the same accounts: one is behind, or hides or invents some";
            self.host.log(Level::Warn, text);
        }
        Ok(())
    }
}

impl Reader for Look {
    type Find = Vec<u8>;
    /// Its accounts, which are the same on all nodes. How far back memos go depends on the node.
    type End = BTreeSet<Vec<u8>>;

    /// Both ways are read, whichever this backend writes in. Only its own must not fail: many providers have switched one of them off.
    async fn read(&self, ear: &Ear<Self>) -> Result<BTreeSet<Vec<u8>>> {
        let source = &*self.source;
        source.node.check().await?;
        let accounts = async {
            let accounts = source.accounts(self.place).await?;
            // They are in no order, and must leave room for memos.
            ear.tell_some(accounts.iter().cloned().collect()).await;
            Ok::<_, Error>(accounts)
        };
        let memos = async {
            ear.tell(source.memos.find(self.place).await?).await;
            Ok::<_, Error>(())
        };
        let (accounts, memos) = tokio::join!(accounts, memos);
        match source.mode {
            Mode::Account => {
                source.extra(memos);
                accounts
            }
            Mode::Memo => memos.map(|()| source.extra(accounts)),
        }
    }

    async fn known(&self) -> Vec<Vec<u8>> {
        self.source.memos.known(self.place).await
    }

    fn answered(&self) -> Option<Instant> {
        self.source.node.answered()
    }
}

impl Source {
    fn new(node: Node, config: &SolanaConfig, host: Host) -> Self {
        let memos = Memos::new(node.clone(), config.history, host.clone());
        Self { node, memos, mode: config.mode, host }
    }

    async fn accounts(&self, place: Key) -> Result<BTreeSet<Vec<u8>>> {
        let stored = self.node.accounts(&Entry::start(place)).await?;
        let entries = stored.iter().filter_map(|stored| Entry::of_bytes(place, &stored.data));
        Ok(entries.map(|entry| entry.value).collect())
    }

    fn extra<T: Default>(&self, outcome: Result<T>) -> T {
        outcome.unwrap_or_else(|error| {
            self.host.log(Level::Warn, format!("the other way of announcing was not read: {error}"));
            T::default()
        })
    }
}
