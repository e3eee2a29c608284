use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes};
use bitboot_plugin_api::message;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::Find;

/// What has been read, for some keys: the one that was asked for last stands last.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    lines: Vec<Line>,
}

/// What has been read under one key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) key: B256,
    /// The first block that was read.
    pub(super) from: u64,
    /// The block behind the last one that was read and is settled.
    pub(super) next: u64,
    /// Blocks as they were when it was read, the oldest first: as long as one of them is in the chain, so is all before it.
    pub(super) anchors: Vec<(u64, B256)>,
    /// In the order of the chain.
    pub(super) finds: Vec<Find>,
}

/// So many keys at most: those of a secret network change every day.
const MOST_LINES: usize = 64;
/// The last places to which a reorganization can go back without everything being read anew.
const MOST_ANCHORS: usize = 16;
/// Of one writer: more would crowd out others.
const MOST_OF_ONE: usize = 16;
/// More than is told of one node.
const MOST_FINDS: usize = 10_000;
/// What the host keeps for us (1 MiB), less a bit for what is around it.
const MOST_BYTES: usize = (1 << 20) - 4096;
const VERSION: u8 = 1;

/// As it lies in the cache: the version, the contract with the node, the lines.
#[derive(Serialize, Deserialize)]
struct Stored(u8, ByteBuf, Vec<StoredLine>);

/// Key, first block, next block, anchors, finds.
#[derive(Serialize, Deserialize)]
struct StoredLine(ByteBuf, u64, u64, Vec<(u64, ByteBuf)>, Vec<(u64, u64, ByteBuf, ByteBuf)>);

impl Kept {
    /// What is known under a key; it is now the one that was asked for last.
    pub(super) fn line(&mut self, key: B256) -> &mut Line {
        let known = self.lines.iter().position(|line| line.key == key);
        let line = known.map_or_else(|| Line { key, ..Line::default() }, |known| self.lines.remove(known));
        if self.lines.len() >= MOST_LINES {
            self.lines.remove(0);
        }
        let place = self.lines.len();
        self.lines.push(line);
        &mut self.lines[place]
    }

    /// The last value of each writer, the newest first, then those before them.
    pub(super) fn finds(&self, key: B256) -> Vec<Find> {
        let finds = self.lines.iter().find(|line| line.key == key).map(|line| &line.finds);
        let mut count: BTreeMap<Address, usize> = BTreeMap::new();
        let mut ranked: Vec<(usize, &Find)> = Vec::new();
        for find in finds.into_iter().flatten().rev() {
            let later = count.entry(find.writer).or_default();
            ranked.push((*later, find));
            *later += 1;
        }
        ranked.sort_by_key(|(later, _)| *later);
        ranked.into_iter().map(|(_, find)| find.clone()).collect()
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn keys(&self) -> Vec<B256> {
        self.lines.iter().map(|line| line.key).collect()
    }

    /// As much as there is room for. What has none is read from the chain again: slower, and nothing is hidden by it.
    pub(super) fn to_bytes(&self, whose: &[u8]) -> Vec<u8> {
        let mut room = MOST_BYTES;
        let mut stored = Vec::new();
        for line in self.lines.iter().rev() {
            let line = line.stored();
            let Some(left) = room.checked_sub(message::encode(&line).len()) else { continue };
            room = left;
            stored.push(line);
        }
        stored.reverse();
        message::encode(&Stored(VERSION, ByteBuf::from(whose), stored))
    }

    /// What was kept, if this version wrote it, and of the same contract and node.
    pub(super) fn of_bytes(bytes: &[u8], whose: &[u8]) -> Option<Self> {
        let Stored(version, of, lines) = message::decode(bytes).ok()?;
        let is_ours = version == VERSION && of.as_slice() == whose && lines.len() <= MOST_LINES;
        is_ours.then_some(())?;
        Some(Self { lines: lines.into_iter().map(Line::of_stored).collect::<Option<_>>()? })
    }
}

impl Line {
    /// Forgets all that was read from a block on.
    pub(super) fn cut(&mut self, from: u64) {
        self.finds.retain(|find| find.block < from);
        self.next = self.next.min(from);
    }

    /// Notes that what comes before a block cannot be read.
    pub(super) fn skip_to(&mut self, block: u64) {
        self.next = self.next.max(block);
    }

    /// Forgets the last anchor, which is not in the chain any more, and what was read after the one before it. Where there is none before
    /// it, everything.
    pub(super) fn rewind(&mut self) {
        self.anchors.pop();
        match self.anchors.last() {
            Some((anchor, _)) => self.cut(anchor.saturating_add(1)),
            None => *self = Self { key: self.key, ..Self::default() },
        }
    }

    /// Forgets what is too old.
    pub(super) fn forget_before(&mut self, block: u64) {
        self.finds.retain(|find| find.block >= block);
        self.from = self.from.max(block);
        self.next = self.next.max(block);
    }

    /// Remembers a block as it is.
    pub(super) fn anchor(&mut self, number: u64, hash: B256) {
        if self.anchors.last().is_none_or(|(last, _)| *last < number) {
            self.anchors.push((number, hash));
        }
        if self.anchors.len() > MOST_ANCHORS {
            self.anchors.remove(0);
        }
    }

    /// Adds finds of blocks that come after all others, and drops what is beyond the bounds, the oldest first.
    pub(super) fn extend(&mut self, mut finds: Vec<Find>) {
        finds.sort_by_key(|find| (find.block, find.index));
        self.finds.append(&mut finds);
        let mut count: BTreeMap<Address, usize> = BTreeMap::new();
        self.finds.reverse();
        self.finds.retain(|find| {
            let of_one = count.entry(find.writer).or_default();
            *of_one += 1;
            *of_one <= MOST_OF_ONE
        });
        self.finds.truncate(MOST_FINDS);
        self.finds.reverse();
    }

    fn stored(&self) -> StoredLine {
        let anchor = |(number, hash): &(u64, B256)| (*number, ByteBuf::from(hash.as_slice()));
        let find = |find: &Find| {
            let (writer, value) = (ByteBuf::from(find.writer.as_slice()), ByteBuf::from(find.value.as_ref()));
            (find.block, find.index, writer, value)
        };
        let (anchors, finds) =
            (self.anchors.iter().map(anchor).collect(), self.finds.iter().map(find).collect());
        StoredLine(ByteBuf::from(self.key.as_slice()), self.from, self.next, anchors, finds)
    }

    fn of_stored(StoredLine(key, from, next, anchors, finds): StoredLine) -> Option<Self> {
        let anchor = |(number, hash): (u64, ByteBuf)| Some((number, B256::try_from(hash.as_slice()).ok()?));
        let find = |(block, index, writer, value): (u64, u64, ByteBuf, ByteBuf)| {
            let writer = Address::try_from(writer.as_slice()).ok()?;
            Some(Find { block, index, writer, value: Bytes::from(value.into_vec()) })
        };
        (anchors.len() <= MOST_ANCHORS && finds.len() <= MOST_FINDS).then_some(())?;
        Some(Self {
            key: B256::try_from(key.as_slice()).ok()?,
            from,
            next,
            anchors: anchors.into_iter().map(anchor).collect::<Option<_>>()?,
            finds: finds.into_iter().map(find).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &[u8] = &[9; 20];

    fn find(block: u64, writer: u64, value: &[u8]) -> Find {
        let writer = Address::left_padding_from(&writer.to_be_bytes());
        Find { block, index: 0, writer, value: Bytes::copy_from_slice(value) }
    }

    fn key(number: usize) -> B256 {
        B256::left_padding_from(&number.to_be_bytes())
    }

    fn with(finds: Vec<Find>) -> Kept {
        let mut kept = Kept::default();
        let line = kept.line(B256::ZERO);
        (line.from, line.next) = (1, 100);
        line.anchor(99, B256::repeat_byte(1));
        line.extend(finds);
        kept
    }

    #[test]
    fn what_is_kept_comes_back_and_only_for_the_same_contract() {
        let kept = with(vec![find(3, 1, b"one"), find(2, 2, b"two")]);
        let bytes = kept.to_bytes(CONTRACT);
        assert_eq!(Kept::of_bytes(&bytes, CONTRACT).unwrap(), kept);
        assert!(Kept::of_bytes(&bytes, &[0; 20]).is_none());
        (0..bytes.len()).for_each(|length| assert!(Kept::of_bytes(&bytes[..length], CONTRACT).is_none()));
        assert!(Kept::of_bytes(b"junk", CONTRACT).is_none());
    }

    #[test]
    fn the_last_word_of_each_writer_comes_first_and_one_writer_crowds_out_nobody() {
        let mut finds = vec![find(1, 7, b"real")];
        finds.extend((2..1002).map(|block| find(block, 8, b"spam")));
        let found = with(finds).finds(B256::ZERO);
        assert_eq!(found.len(), 1 + MOST_OF_ONE);
        assert_eq!((found[0].block, found[1].value.as_ref()), (1001, b"real".as_slice()));
    }

    #[test]
    fn what_has_no_room_is_left_out_and_read_again() {
        let mut kept = with((0..3000).map(|writer| find(1, writer, &[7; 1024])).collect());
        kept.line(key(2)).from = 5;
        assert_eq!(kept.finds(B256::ZERO).len(), 3000);
        let bytes = kept.to_bytes(CONTRACT);
        assert!(bytes.len() < 1 << 20);
        let mut back = Kept::of_bytes(&bytes, CONTRACT).unwrap();
        assert_eq!((back.lines.len(), back.line(key(2)).from), (1, 5));
    }

    #[test]
    fn keys_that_nobody_asks_for_are_forgotten() {
        let mut kept = Kept::default();
        for number in 0..=MOST_LINES {
            kept.line(key(number)).from = 1;
            kept.line(key(0));
        }
        assert_eq!(kept.lines.len(), MOST_LINES);
        assert_eq!((kept.line(key(0)).from, kept.line(key(1)).from), (1, 0));
    }

    #[test]
    fn a_reorganization_goes_back_to_the_last_block_that_is_still_there() {
        let mut kept = with(vec![find(50, 1, b"a"), find(90, 2, b"b")]);
        let line = kept.line(B256::ZERO);
        line.anchors.insert(0, (60, B256::repeat_byte(3)));
        line.rewind();
        assert_eq!((line.next, line.finds.len(), line.from), (61, 1, 1));
        line.rewind();
        assert_eq!(*line, Line::default());
    }
}
