use std::collections::{BTreeMap, VecDeque};

use bitboot_plugin_api::message;
use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::Find;

/// How far a chain has been read, and what was found on the way.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// The last blocks that were read, the oldest first, by height: to notice when they are not in the chain any more.
    pub(super) blocks: VecDeque<(u32, BlockHash)>,
    /// In the order of the chain.
    pub(super) finds: Vec<Find>,
}

/// A reorganization that is deeper makes everything be read anew.
const MOST_BLOCKS: usize = 200;
/// What has room in the host's cache (1 MiB) at their longest, some 130 bytes each.
const MOST_FINDS: usize = 7000;
/// Of one author under one tag: more would crowd out others.
const MOST_OF_ONE: usize = 16;
const VERSION: u8 = 1;

/// As it lies in the cache.
#[derive(Serialize, Deserialize)]
struct Stored(u8, Vec<(u32, ByteBuf)>, Vec<(u32, ByteBuf, ByteBuf, ByteBuf)>);

impl Kept {
    /// Adds a block and what is in it.
    pub(super) fn add(&mut self, height: u32, hash: BlockHash, finds: Vec<Find>) {
        self.blocks.push_back((height, hash));
        if self.blocks.len() > MOST_BLOCKS {
            self.blocks.pop_front();
        }
        if !finds.is_empty() {
            self.finds.extend(finds);
            self.bound();
        }
    }

    /// Forgets the last block, which is not in the chain any more.
    pub(super) fn undo(&mut self) {
        let Some((height, _)) = self.blocks.pop_back() else { return };
        self.finds.retain(|find| find.height < height);
        // Nothing is left to compare the chain with: what is older may be gone as well.
        if self.blocks.is_empty() {
            self.finds.clear();
        }
    }

    pub(super) fn forget_before(&mut self, height: u32) {
        self.finds.retain(|find| find.height >= height);
    }

    /// Drops what is beyond the bounds, the oldest first.
    fn bound(&mut self) {
        let mut count: BTreeMap<_, usize> = BTreeMap::new();
        let mut newest: Vec<Find> = std::mem::take(&mut self.finds);
        newest.reverse();
        newest.retain(|find| {
            let of_one = count.entry((find.tag, find.author)).or_default();
            *of_one += 1;
            *of_one <= MOST_OF_ONE
        });
        newest.truncate(MOST_FINDS);
        newest.reverse();
        self.finds = newest;
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let bytes = |bytes: &[u8]| ByteBuf::from(bytes);
        let blocks =
            self.blocks.iter().map(|(height, hash)| (*height, bytes(hash.as_byte_array()))).collect();
        let find = |find: &Find| (find.height, bytes(&find.tag), bytes(&find.author), bytes(&find.value));
        message::encode(&Stored(VERSION, blocks, self.finds.iter().map(find).collect()))
    }

    /// What was kept, if this version wrote it.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let Stored(version, blocks, finds) = message::decode(bytes).ok()?;
        (version == VERSION).then_some(())?;
        let block = |(height, hash): (u32, ByteBuf)| Some((height, BlockHash::from_slice(&hash).ok()?));
        let find = |(height, tag, author, value): (u32, ByteBuf, ByteBuf, ByteBuf)| {
            let (tag, author) = (tag.into_vec().try_into().ok()?, author.into_vec().try_into().ok()?);
            Some(Find { height, tag, author, value: value.into_vec() })
        };
        Some(Self {
            blocks: blocks.into_iter().map(block).collect::<Option<_>>()?,
            finds: finds.into_iter().map(find).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(height: u32, author: u16, number: u8) -> Find {
        let mut key = [2; 33];
        key[1..3].copy_from_slice(&author.to_be_bytes());
        Find { height, tag: [0xff; 8], author: key, value: vec![number; 72] }
    }

    fn hash(number: u8) -> BlockHash {
        BlockHash::from_byte_array([number; 32])
    }

    #[test]
    fn what_is_kept_comes_back_and_fits_into_the_cache() {
        let mut kept = Kept::default();
        for number in 0..250 {
            kept.add(
                number.into(),
                hash(number),
                (0..40).map(|more| find(number.into(), u16::from(number) * 40 + more, 1)).collect(),
            );
        }
        assert_eq!((kept.blocks.len(), kept.finds.len()), (MOST_BLOCKS, MOST_FINDS));
        let bytes = kept.to_bytes();
        assert!(bytes.len() < message::MAX - 1024, "{}", bytes.len());
        assert_eq!(Kept::of_bytes(&bytes), Some(kept));
        assert_eq!(Kept::of_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Kept::of_bytes(b"junk"), None);
    }

    #[test]
    fn one_author_crowds_out_nobody() {
        let mut kept = Kept::default();
        kept.add(1, hash(1), vec![find(1, 1, 0)]);
        kept.add(2, hash(2), (0..200).map(|number| find(2, 2, number)).collect());
        assert_eq!(kept.finds.len(), 1 + MOST_OF_ONE);
        assert_eq!((kept.finds[0].author[2], kept.finds.last().unwrap().value[0]), (1, 199));
    }

    #[test]
    fn blocks_that_are_undone_take_their_finds_along() {
        let mut kept = Kept::default();
        for number in 1..=3 {
            kept.add(number.into(), hash(number), vec![find(number.into(), 1, number)]);
        }
        kept.undo();
        assert_eq!(kept.finds.len(), 2);
        kept.forget_before(2);
        assert_eq!(kept.finds.len(), 1);
        (0..5).for_each(|_| kept.undo());
        assert_eq!(kept, Kept::default());
    }
}
