//! Back from the first block that was read, where more is wanted than was then.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use bitboot_plugin_api::Result;
use bitcoin::BlockHash;

use super::ahead::Ahead;
use super::kept::Kept;
use super::walk::KEEP_EVERY;
use super::{Scan, under};
use crate::lookup::Ear;
use crate::message::Tag;

/// So many blocks are read before it counts: they are lost where the time is over.
const STEP: u32 = 16;

impl Scan {
    /// Reads what is older than what was read, back to a height, the newest blocks first; `false` where the chain has changed meanwhile.
    pub(super) async fn deepen(&self, kept: &mut Kept, first: u32, tag: Tag, ear: &Ear) -> Result<bool> {
        let (mut saved, mut after): (_, Option<BlockHash>) = (Instant::now(), None);
        while kept.from > first {
            let from = kept.from.saturating_sub(STEP).max(first);
            let hashes: Option<Vec<BlockHash>> =
                self.node.hashes(from..kept.from).await?.into_iter().collect();
            let Some(hashes) = hashes else { return Ok(false) };
            let (mut ahead, mut finds) = (Ahead::new(&self.node, &hashes), Vec::new());
            let (mut before, mut parent): (Option<BlockHash>, _) = (None, None);
            for (height, hash) in (from..kept.from).zip(hashes.iter().copied()) {
                let Some(block) = ahead.next().await? else { return Ok(false) };
                if before.is_some_and(|before| before != block.header.prev_blockhash) {
                    return Ok(false);
                }
                parent = parent.or(Some(block.header.prev_blockhash));
                before = Some(hash);
                finds.extend(self.finds_of(&block, hash, height).await?);
            }
            if after.is_some_and(|after| before != Some(after)) {
                return Ok(false);
            }
            after = parent;
            ear.tell_some(under(tag, finds.iter())).await;
            kept.prepend(from, finds);
            self.is_ahead.store(true, Relaxed);
            if saved.elapsed() > KEEP_EVERY {
                self.keep(&self.name("chain"), kept).await;
                saved = Instant::now();
            }
        }
        Ok(true)
    }
}
