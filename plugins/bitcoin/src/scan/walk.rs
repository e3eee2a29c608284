//! From the last block that was read to the tip.

use std::time::{Duration, Instant};

use bitboot_plugin_api::{Error, ErrorKind, Result};
use bitcoin::{Block, BlockHash, Transaction};

use super::kept::Kept;
use super::{Find, Scan};
use crate::message::{Message, claimed_author, verifies};

/// So many hashes are asked for at once.
const STEP: u32 = 100;
/// While a walk takes long, it is kept this often how far it has come.
const KEEP_EVERY: Duration = Duration::from_secs(2);
/// A chain that changes more often while it is read is told as an error.
const PATIENCE: usize = 5;

impl Scan {
    /// Reads what is new in the chain. Where it was reorganized, what is gone is forgotten first.
    pub(super) async fn walk(&self, kept: &mut Kept) -> Result<()> {
        for _ in 0..PATIENCE {
            let gone = self.rewind(kept).await?;
            let tip = self.node.height().await?;
            let first = (tip + 1).saturating_sub(self.lookback);
            kept.forget_before(first);
            let next = kept.blocks.back().map_or(first, |(height, _)| (height + 1).max(first));
            if self.read(kept, next, tip).await? {
                if next <= tip || gone {
                    self.keep(kept).await;
                }
                return Ok(());
            }
        }
        let what = format!("the chain of the node at {} changes faster than it can be read", self.node.url());
        Err(Error::new(ErrorKind::Unreachable, what).fix("try again in a moment"))
    }

    /// Forgets the blocks that are not in the chain any more; whether there were any.
    async fn rewind(&self, kept: &mut Kept) -> Result<bool> {
        let mut gone = false;
        while let Some((height, hash)) = kept.blocks.back().copied() {
            let now = self.node.hashes(std::iter::once(height)).await?.pop().flatten();
            if now == Some(hash) {
                break;
            }
            kept.undo();
            gone = true;
        }
        Ok(gone)
    }

    /// Reads some blocks; `false` where one does not follow on the one before, because the chain has changed meanwhile.
    async fn read(&self, kept: &mut Kept, from: u32, to: u32) -> Result<bool> {
        let mut saved = Instant::now();
        let mut next = from;
        while next <= to {
            let last = to.min(next.saturating_add(STEP - 1));
            for (height, hash) in (next..=last).zip(self.node.hashes(next..=last).await?) {
                let Some(hash) = hash else { return Ok(false) };
                let block = self.node.block(hash).await?;
                let before = kept.blocks.back().filter(|(before, _)| before + 1 == height);
                if before.is_some_and(|(_, before)| *before != block.header.prev_blockhash) {
                    return Ok(false);
                }
                let finds = self.finds_of(&block, hash, height).await?;
                kept.add(height, hash, finds);
                if saved.elapsed() > KEEP_EVERY {
                    self.keep(kept).await;
                    saved = Instant::now();
                }
            }
            next = last + 1;
        }
        Ok(true)
    }

    /// The messages of a block whose authors signed them.
    async fn finds_of(&self, block: &Block, hash: BlockHash, height: u32) -> Result<Vec<Find>> {
        let candidates: Vec<&Transaction> =
            block.txdata.iter().filter(|transaction| is_candidate(transaction)).collect();
        let ids: Vec<_> = candidates.iter().map(|transaction| (transaction.compute_txid(), hash)).collect();
        let mut finds = Vec::new();
        for (candidates, ids) in candidates.chunks(STEP as usize).zip(ids.chunks(STEP as usize)) {
            let spent = self.node.spent(ids).await?;
            finds.extend(
                candidates
                    .iter()
                    .zip(spent)
                    .filter_map(|(transaction, spent)| find_of(transaction, spent?, height)),
            );
        }
        Ok(finds)
    }
}

/// Whether a transaction may be an announcement of anybody.
pub(super) fn is_candidate(transaction: &Transaction) -> bool {
    claimed_author(transaction).is_some() && Message::of(transaction).is_some()
}

/// What a transaction says, if its author signed it.
pub(super) fn find_of(transaction: &Transaction, spent: bitcoin::Amount, height: u32) -> Option<Find> {
    let (author, message) = (claimed_author(transaction)?, Message::of(transaction)?);
    let find = Find { height, tag: message.tag, author: author.to_bytes(), value: message.value };
    verifies(transaction, &author, spent).then_some(find)
}
