//! By the node's filters: only blocks that may pay to the index output of a place are read. At worst, where somebody pays there in every block,
//! that are all of them.

use std::collections::HashMap;

use bitboot_plugin_api::{Error, ErrorKind, Level, Result};
use bitcoin::BlockHash;

use super::ahead::Ahead;
use super::kept::Kept;
use super::{Find, Scan, under};
use crate::config::Index;
use crate::lookup::Ear;
use crate::message::{Place, Tag};

/// The filters of so many blocks are searched with one question: a second's work.
const STEP: u32 = 2000;
/// The heights of so many blocks are asked for at once.
const HEIGHTS: usize = 100;
/// So many blocks that have no filter yet are read without; where there are more, the index is of no use.
const MOST_BEHIND: u32 = 100;

impl Scan {
    /// Tells what the index leads to; `false` where it is not used, or cannot be: then every block is to be read.
    pub(super) async fn indexed(&self, place: &Place, ear: &Ear) -> bool {
        if self.index == Index::Off {
            return false;
        }
        let Err(error) = self.read_indexed(place, ear).await else { return true };
        self.host.log(Level::Warn, format!("the index is not used, every block is read instead: {error}"));
        false
    }

    async fn read_indexed(&self, place: &Place, ear: &Ear) -> Result<()> {
        let mut state = self.state.lock().await;
        let name = self.name("index");
        let kept = self.recall(&mut state.indexed, &name).await;
        let blocks = self.named(place, kept).await?;
        let new: Vec<(u32, BlockHash)> =
            blocks.iter().filter(|(height, hash)| kept.hash_at(*height) != Some(*hash)).copied().collect();
        if !new.is_empty() {
            self.read_blocks(&new, kept, place.tag, ear).await?;
            self.keep(&name, kept).await;
        }
        // Of others is read what stands in the same blocks, and of blocks that are not in the chain any more nothing.
        let is_there = |find: &&Find| blocks.binary_search_by_key(&find.height, |(at, _)| *at).is_ok();
        ear.tell(under(place.tag, kept.finds.iter().filter(is_there))).await;
        Ok(())
    }

    /// The blocks that have to be read for a place, by height: those that the filters name, and those that have none yet.
    async fn named(&self, place: &Place, kept: &Kept) -> Result<Vec<(u32, BlockHash)>> {
        let tip = self.node.height().await?;
        let mut next = (tip + 1).saturating_sub(self.lookback);
        let filtered = self.node.filtered().await?.min(tip);
        if tip - filtered > MOST_BEHIND {
            let what = format!("the node's filters are {} blocks behind", tip - filtered);
            return Err(Error::new(ErrorKind::Unsupported, what).fix("wait until it has made them all"));
        }
        let mut blocks = Vec::new();
        while next <= filtered {
            let last = filtered.min(next.saturating_add(STEP - 1));
            let hashes = self.node.paying(&place.index, next, last).await?;
            blocks.extend(
                self.heights(&hashes, kept).await?.into_iter().filter(|(at, _)| (next..=last).contains(at)),
            );
            next = last + 1;
        }
        let rest = (next..=tip).zip(self.node.hashes(next..=tip).await?);
        blocks.extend(rest.filter_map(|(height, hash)| Some((height, hash?))));
        blocks.sort_unstable();
        blocks.dedup_by_key(|(height, _)| *height);
        Ok(blocks)
    }

    async fn heights(&self, hashes: &[BlockHash], kept: &Kept) -> Result<Vec<(u32, BlockHash)>> {
        let known: HashMap<BlockHash, u32> =
            kept.blocks.iter().map(|(height, hash)| (*hash, *height)).collect();
        let mut blocks: Vec<_> = hashes.iter().filter_map(|hash| Some((*known.get(hash)?, *hash))).collect();
        let new: Vec<BlockHash> = hashes.iter().filter(|hash| !known.contains_key(*hash)).copied().collect();
        for new in new.chunks(HEIGHTS) {
            let told = self.node.heights(new).await?;
            for (height, hash) in told.into_iter().zip(new) {
                let unknown = || {
                    Error::new(ErrorKind::Integrity, "the node does not know a block that its filters name")
                };
                blocks.push((height.ok_or_else(unknown)?, *hash));
            }
        }
        Ok(blocks)
    }

    async fn read_blocks(
        &self,
        new: &[(u32, BlockHash)],
        kept: &mut Kept,
        tag: Tag,
        ear: &Ear,
    ) -> Result<()> {
        let hashes: Vec<BlockHash> = new.iter().map(|(_, hash)| *hash).collect();
        let mut ahead = Ahead::new(&self.node, &hashes);
        for (height, hash) in new {
            let missing =
                || Error::new(ErrorKind::Integrity, "the node gives fewer blocks than were asked for");
            let block = ahead.next().await?.ok_or_else(missing)?;
            let finds = self.finds_of(&block, *hash, *height).await?;
            ear.tell_some(under(tag, finds.iter())).await;
            kept.put(*height, *hash, finds);
        }
        Ok(())
    }
}
