//! All that the nodes have under a place, in both ways, told as it is read; and whether they keep the same.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bitboot_plugin_api::{Error, Found, Host, Level, Result};
use bitboot_rpc::{Node as _, answers, grace, unread};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::config::{Mode, SolanaConfig};
use crate::layout::Entry;
use crate::memos::Memos;
use crate::node::Node;
use crate::wire::Key;

/// Reads all nodes, for all lookups.
pub(crate) struct Readers {
    readers: Vec<Arc<Reader>>,
    host: Host,
}

/// Reads one node.
struct Reader {
    node: Node,
    memos: Memos,
    mode: Mode,
    host: Host,
}

/// What a node has to say.
enum Said {
    /// What it has in one of both ways.
    Values(Vec<Vec<u8>>),
    /// It was read to the end: its accounts, which are the same on all nodes. How far back memos go depends on the node.
    Ended(Result<BTreeSet<Vec<u8>>>),
}

/// What is left of the time of a lookup when it has to tell what it knows.
const TO_TELL: Duration = Duration::from_millis(400);

impl Readers {
    pub(crate) fn new(nodes: &[Node], config: &SolanaConfig, host: &Host) -> Self {
        let reader = |node: &Node| Arc::new(Reader::new(node.clone(), config, host.clone()));
        Self { readers: nodes.iter().map(reader).collect(), host: host.clone() }
    }

    /// Reports what any of them has, each value once, the moment that it is read. Ends before its deadline: a silent node hides nothing that
    /// another one has told, nor what was read of it before.
    pub(crate) async fn find(&self, place: Key, found: &Found) -> Result<()> {
        let (sender, mut said) = mpsc::channel(16);
        // Of a set, so that they end with this lookup.
        let mut asked = JoinSet::new();
        for reader in &self.readers {
            asked.spawn(Arc::clone(reader).read(place, sender.clone()));
        }
        drop(sender);
        let (start, deadline) = (Instant::now(), found.cx().deadline());
        let mut end = deadline.checked_sub(TO_TELL).unwrap_or(deadline);
        let (mut outcomes, mut told) = (Vec::new(), BTreeSet::new());
        while let Ok(Some(said)) = timeout_at(end, said.recv()).await {
            match said {
                Said::Values(values) => tell(values, &mut told, found).await?,
                Said::Ended(outcome) => {
                    // One that has nothing says nothing about others.
                    if outcome.is_ok() && !told.is_empty() {
                        end = end.min(grace(start));
                    }
                    outcomes.push(outcome);
                }
            }
        }
        if outcomes.len() < self.readers.len() {
            asked.shutdown().await;
            let rest = timeout_at(deadline.checked_sub(TO_TELL / 2).unwrap_or(deadline), self.known(place));
            tell(rest.await.unwrap_or_default(), &mut told, found).await?;
            outcomes.push(Err(unread("a node", "60s")));
        }
        match answers(outcomes, &self.host) {
            Ok(accounts) if accounts.windows(2).any(|pair| pair[0] != pair[1]) => {
                let text = "the nodes do not keep the same accounts: one is behind, or hides or invents some";
                self.host.log(Level::Warn, text);
            }
            Ok(_) => {}
            // What was told is found, although no node was read to the end.
            Err(error) if !told.is_empty() => {
                self.host.log(Level::Warn, error.to_string());
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// What was read of memos so far.
    async fn known(&self, place: Key) -> Vec<Vec<u8>> {
        let mut known = Vec::new();
        for reader in &self.readers {
            known.extend(reader.memos.known(place).await);
        }
        known
    }
}

async fn tell(values: Vec<Vec<u8>>, told: &mut BTreeSet<Vec<u8>>, found: &Found) -> Result<()> {
    for value in values {
        if !told.contains(&value) {
            found.value(&value).await?;
            told.insert(value);
        }
    }
    Ok(())
}

impl Reader {
    fn new(node: Node, config: &SolanaConfig, host: Host) -> Self {
        let memos = Memos::new(node.clone(), config.history, host.clone());
        Self { node, memos, mode: config.mode, host }
    }

    async fn read(self: Arc<Self>, place: Key, sender: mpsc::Sender<Said>) {
        let outcome = self.both(place, &sender).await;
        // Nobody listens where the lookup is over.
        let _ = sender.send(Said::Ended(outcome)).await;
    }

    /// Both ways are read, whichever this backend writes in. Only its own must not fail: many providers have switched one of them off.
    async fn both(&self, place: Key, sender: &mpsc::Sender<Said>) -> Result<BTreeSet<Vec<u8>>> {
        self.node.check().await?;
        let accounts = async {
            let accounts = self.accounts(place).await?;
            let _ = sender.send(Said::Values(accounts.iter().cloned().collect())).await;
            Ok::<_, Error>(accounts)
        };
        let memos = async {
            let _ = sender.send(Said::Values(self.memos.find(place).await?)).await;
            Ok::<_, Error>(())
        };
        let (accounts, memos) = tokio::join!(accounts, memos);
        match self.mode {
            Mode::Account => {
                self.extra(memos);
                accounts
            }
            Mode::Memo => memos.map(|()| self.extra(accounts)),
        }
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
