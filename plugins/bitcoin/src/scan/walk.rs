//! From the last block that was read to the tip.

use std::ops::RangeInclusive;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bitboot_plugin_api::{Error, ErrorKind, Result};
use bitcoin::{Block, BlockHash, Transaction};

use super::ahead::Ahead;
use super::kept::Kept;
use super::{Find, Scan, under};
use crate::lookup::Ear;
use crate::message::{Message, Tag, claimed_author, verifies};

/// So many hashes are asked for at once.
const STEP: u32 = 100;
/// While a walk takes long, it is kept this often how far it has come.
pub(super) const KEEP_EVERY: Duration = Duration::from_secs(2);
/// A chain that changes more often while it is read is told as an error.
const PATIENCE: usize = 5;

impl Scan {
    /// Reads what is new in the chain, and tells what is under a tag. Where it was reorganized, what is gone is forgotten first.
    pub(super) async fn walk(&self, kept: &mut Kept, tag: Tag, ear: &Ear) -> Result<()> {
        for _ in 0..PATIENCE {
            self.rewind(kept).await?;
            let tip = self.node.height().await?;
            // The last block that was read is in the chain, whatever the node says of its length.
            let tip = kept.blocks.back().map_or(tip, |(height, _)| tip.max(*height));
            let first = tip.saturating_add(1).saturating_sub(self.lookback);
            let next = kept.blocks.back().map_or(first, |(height, _)| height.saturating_add(1).max(first));
            // What is known already does not wait for what is new.
            ear.tell(under(tag, kept.finds.iter().filter(|find| find.height >= first))).await;
            if self.read(kept, next..=tip, tag, ear).await? && self.deepen(kept, first, tag, ear).await? {
                // Only now: until its blocks are there the height is nothing but the node's word.
                kept.forget_before(first);
                if self.is_ahead.load(Relaxed) {
                    self.keep(&self.name("chain"), kept).await;
                }
                return Ok(());
            }
        }
        let what = format!("the chain of the node at {} changes faster than it can be read", self.node.url());
        Err(Error::new(ErrorKind::Unreachable, what).fix("try again in a moment"))
    }

    /// Forgets the blocks that are not in the chain any more.
    async fn rewind(&self, kept: &mut Kept) -> Result<()> {
        while let Some((height, hash)) = kept.blocks.back().copied() {
            let now = self.node.hashes(std::iter::once(height)).await?.pop().flatten();
            if now == Some(hash) {
                break;
            }
            kept.undo();
            self.is_ahead.store(true, Relaxed);
        }
        Ok(())
    }

    /// Reads some blocks; `false` where one does not follow on the one before, because the chain has changed meanwhile.
    async fn read(&self, kept: &mut Kept, heights: RangeInclusive<u32>, tag: Tag, ear: &Ear) -> Result<bool> {
        let (mut saved, mut next, to) = (Instant::now(), *heights.start(), *heights.end());
        while next <= to {
            let last = to.min(next.saturating_add(STEP - 1));
            let hashes: Option<Vec<BlockHash>> = self.node.hashes(next..=last).await?.into_iter().collect();
            let Some(hashes) = hashes else { return Ok(false) };
            let mut ahead = Ahead::new(&self.node, &hashes);
            for (height, hash) in (next..=last).zip(hashes.iter().copied()) {
                let Some(block) = ahead.next().await? else { return Ok(false) };
                let before = kept.blocks.back().filter(|(before, _)| before.checked_add(1) == Some(height));
                if before.is_some_and(|(_, before)| *before != block.header.prev_blockhash) {
                    return Ok(false);
                }
                let finds = self.finds_of(&block, hash, height).await?;
                ear.tell_some(under(tag, finds.iter())).await;
                kept.add(height, hash, finds);
                self.is_ahead.store(true, Relaxed);
                if saved.elapsed() > KEEP_EVERY {
                    self.keep(&self.name("chain"), kept).await;
                    saved = Instant::now();
                }
            }
            next = last + 1;
        }
        Ok(true)
    }

    /// The messages of a block whose authors signed them.
    pub(super) async fn finds_of(&self, block: &Block, hash: BlockHash, height: u32) -> Result<Vec<Find>> {
        let candidates: Vec<&Transaction> =
            block.txdata.iter().filter(|transaction| is_candidate(transaction)).collect();
        let ids: Vec<_> = candidates.iter().map(|transaction| (transaction.compute_txid(), hash)).collect();
        let mut finds = Vec::new();
        for (candidates, ids) in candidates.chunks(STEP as usize).zip(ids.chunks(STEP as usize)) {
            for (transaction, spent) in candidates.iter().zip(self.node.spent(ids).await?) {
                let spent = spent.ok_or_else(|| self.silent_about_spent(height))?;
                finds.extend(find_of(transaction, spent, height));
            }
        }
        Ok(finds)
    }

    /// Every transaction that is no coinbase spends something, and a node that has the block has it for undoing. Who announced there cannot be
    /// told without: passed over, it would be hidden for good.
    fn silent_about_spent(&self, height: u32) -> Error {
        let what = format!("the node at {} does not tell what is spent in block {height}", self.node.url());
        Error::new(ErrorKind::Unsupported, what)
            .because("Bitcoin Core tells it since version 25, of blocks that it can undo")
            .fix("use Core 25 or newer, or look less far back: bitboot backend set NAME lookback_blocks=...")
    }
}

/// Whether a transaction may be an announcement of anybody.
pub(crate) fn is_candidate(transaction: &Transaction) -> bool {
    !transaction.is_coinbase() && claimed_author(transaction).is_some() && Message::of(transaction).is_some()
}

/// What a transaction says, if its author signed it.
pub(crate) fn find_of(transaction: &Transaction, spent: bitcoin::Amount, height: u32) -> Option<Find> {
    let (author, message) = (claimed_author(transaction)?, Message::of(transaction)?);
    let find = Find { height, tag: message.tag, author: author.to_bytes(), value: message.value };
    verifies(transaction, &author, spent).then_some(find)
}
