//! What waits for a block: provisional, for it may never get into one.

use std::collections::{HashMap, HashSet};

use bitboot_plugin_api::Result;
use bitcoin::{Amount, Transaction, Txid};

use super::Find;
use super::walk::{find_of, is_candidate};
use crate::node::Node;

/// What is known of the transactions that wait.
#[derive(Default)]
pub(super) struct Provisional {
    seen: HashMap<Txid, Option<Find>>,
}

/// So many transactions are asked for at once.
const STEP: usize = 100;
/// So many are looked at in one lookup; where more wait, the rest is for the next one.
const MOST: usize = 5000;

impl Provisional {
    pub(super) fn finds(&self) -> impl Iterator<Item = &Find> {
        self.seen.values().flatten()
    }

    /// Looks at what came since the last time, and forgets what is gone; how many are left to be looked at.
    pub(super) async fn refresh(&mut self, node: &Node) -> Result<usize> {
        let waiting: HashSet<Txid> = node.waiting().await?.into_iter().collect();
        self.seen.retain(|id, _| waiting.contains(id));
        let mut new: Vec<Txid> = waiting.into_iter().filter(|id| !self.seen.contains_key(id)).collect();
        let left = new.len().saturating_sub(MOST);
        new.truncate(MOST);
        for ids in new.chunks(STEP) {
            for (id, transaction) in ids.iter().zip(node.transactions(ids).await?) {
                // Gone meanwhile, as may be what it spends: where it still waits, the next lookup looks again.
                let Some(transaction) = transaction else { continue };
                let find = if is_candidate(&transaction) {
                    let Some(spent) = spent(node, &transaction).await? else { continue };
                    find_of(&transaction, spent, 0)
                } else {
                    None
                };
                self.seen.insert(*id, find);
            }
        }
        Ok(left)
    }
}

/// How much the first input of a waiting transaction spends: an output in the chain, or of another waiting one.
async fn spent(node: &Node, transaction: &Transaction) -> Result<Option<Amount>> {
    let Some(at) = transaction.input.first().map(|input| input.previous_output) else { return Ok(None) };
    if let Some(coin) = node.output(at, None, false).await? {
        return Ok(Some(coin.value));
    }
    let parent = node.transactions(&[at.txid]).await?.pop().flatten();
    let output = parent.as_ref().and_then(|parent| parent.output.get(usize::try_from(at.vout).ok()?));
    Ok(output.map(|output| output.value))
}
