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
    /// The height of the first block of those that were read one after the other.
    pub(super) from: u32,
    /// The last blocks that were read, the oldest first, by height: to notice when they are not in the chain any more.
    pub(super) blocks: VecDeque<(u32, BlockHash)>,
    /// In the order of the chain.
    pub(super) finds: Vec<Find>,
}

/// A reorganization that is deeper makes everything be read anew.
const MOST_BLOCKS: usize = 200;
/// The same for blocks of which the node's index knows: more are read again.
const MOST_NAMED: usize = 2000;
/// What has room in the host's cache (1 MiB) at their longest, some 130 bytes each.
const MOST_FINDS: usize = 7000;
/// Of one author under one tag: more would crowd out others.
const MOST_OF_ONE: usize = 16;
const VERSION: u8 = 2;

/// As it lies in the cache.
#[derive(Serialize, Deserialize)]
struct Stored(u8, u32, Vec<(u32, ByteBuf)>, Vec<(u32, ByteBuf, ByteBuf, ByteBuf)>);

impl Kept {
    /// Adds a block and what is in it. Where it is not the next one, what was read before is not whole any more, and forgotten.
    pub(super) fn add(&mut self, height: u32, hash: BlockHash, finds: Vec<Find>) {
        if self.blocks.back().is_none_or(|(last, _)| last.checked_add(1) != Some(height)) {
            *self = Self { from: height, ..Self::default() };
        }
        self.blocks.push_back((height, hash));
        if self.blocks.len() > MOST_BLOCKS {
            self.blocks.pop_front();
        }
        if !finds.is_empty() {
            self.finds.extend(finds);
            self.bound();
        }
    }

    /// Adds what is in the blocks from a height to the first one that was read.
    pub(super) fn prepend(&mut self, from: u32, finds: Vec<Find>) {
        self.from = from;
        if !finds.is_empty() {
            self.finds.splice(0..0, finds);
            self.bound();
        }
    }

    /// Adds a block that need not follow on the last one, in the place of another one of the same height.
    pub(super) fn put(&mut self, height: u32, hash: BlockHash, finds: Vec<Find>) {
        self.blocks.retain(|(at, _)| *at != height);
        let at = self.blocks.partition_point(|(before, _)| *before < height);
        self.blocks.insert(at, (height, hash));
        if self.blocks.len() > MOST_NAMED {
            self.blocks.pop_front();
        }
        self.finds.retain(|find| find.height != height);
        if !finds.is_empty() {
            let at = self.finds.partition_point(|find| find.height < height);
            self.finds.splice(at..at, finds);
            self.bound();
        }
    }

    /// The block that was read at a height.
    pub(super) fn hash_at(&self, height: u32) -> Option<BlockHash> {
        let at = self.blocks.binary_search_by_key(&height, |(at, _)| *at).ok()?;
        self.blocks.get(at).map(|(_, hash)| *hash)
    }

    /// Forgets the last block, which is not in the chain any more.
    pub(super) fn undo(&mut self) {
        let Some((height, _)) = self.blocks.pop_back() else { return };
        self.finds.retain(|find| find.height < height);
        // Nothing is left to compare the chain with: what is older may be gone as well.
        if self.blocks.is_empty() {
            *self = Self::default();
        }
    }

    pub(super) fn forget_before(&mut self, height: u32) {
        self.from = self.from.max(height);
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
        message::encode(&Stored(VERSION, self.from, blocks, self.finds.iter().map(find).collect()))
    }

    /// What was kept, if this version wrote it.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let Stored(version, from, blocks, finds) = message::decode(bytes).ok()?;
        let is_ours = version == VERSION && blocks.len() <= MOST_NAMED && finds.len() <= MOST_FINDS;
        // By height, as it is looked for.
        (is_ours && blocks.is_sorted_by(|(one, _), (next, _)| one < next)).then_some(())?;
        let block = |(height, hash): (u32, ByteBuf)| Some((height, BlockHash::from_slice(&hash).ok()?));
        let find = |(height, tag, author, value): (u32, ByteBuf, ByteBuf, ByteBuf)| {
            let (tag, author) = (tag.into_vec().try_into().ok()?, author.into_vec().try_into().ok()?);
            Some(Find { height, tag, author, value: value.into_vec() })
        };
        Some(Self {
            from,
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
    fn blocks_of_the_index_are_put_in_their_places_and_fit_into_the_cache() {
        let mut kept = Kept::default();
        for number in (0..2100_u16).rev() {
            kept.put(
                number.into(),
                hash(1),
                (0..4).map(|more| find(number.into(), number * 4 + more, 1)).collect(),
            );
        }
        assert_eq!((kept.blocks.len(), kept.finds.len()), (MOST_NAMED, MOST_FINDS));
        assert!(kept.blocks.iter().is_sorted() && kept.finds.is_sorted_by_key(|find| find.height));
        assert!(kept.to_bytes().len() < message::MAX - 1024, "{}", kept.to_bytes().len());
        // Another block of the same height replaces one.
        kept.put(2000, hash(2), vec![find(2000, 1, 7)]);
        assert_eq!((kept.hash_at(2000), kept.hash_at(1)), (Some(hash(2)), None));
        assert_eq!(kept.finds.iter().filter(|find| find.height == 2000).count(), 1);
        assert_eq!(Kept::of_bytes(&kept.to_bytes()), Some(kept));
    }

    #[test]
    fn what_was_read_is_whole_from_its_first_block_on() {
        let mut kept = Kept::default();
        (7..10)
            .for_each(|number| kept.add(number.into(), hash(number), vec![find(number.into(), 1, number)]));
        kept.prepend(3, vec![find(3, 1, 3), find(5, 1, 5)]);
        let heights = |kept: &Kept| kept.finds.iter().map(|find| find.height).collect::<Vec<_>>();
        assert_eq!((kept.from, heights(&kept)), (3, vec![3, 5, 7, 8, 9]));
        assert_eq!(Kept::of_bytes(&kept.to_bytes()).map(|kept| kept.from), Some(3));
        kept.forget_before(4);
        assert_eq!((kept.from, heights(&kept)), (4, vec![5, 7, 8, 9]));
        // Nobody looked for a long time.
        kept.add(20, hash(20), vec![find(20, 1, 20)]);
        assert_eq!((kept.from, kept.blocks.len(), heights(&kept)), (20, 1, vec![20]));
        kept.undo();
        assert_eq!(kept, Kept::default());
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
