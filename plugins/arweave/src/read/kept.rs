use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bitboot_plugin_api::message;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::walk::Walked;
use super::{MOST_OF_ONE, Mark, Record, SETTLED};
use crate::topic::Topic;

/// What was verified, by topic: the one that was asked for last first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Kept(VecDeque<Pile>);

/// What was verified under one topic, of what is in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pile {
    topic: Topic,
    /// Up to which height the list of each gateway was read.
    read: BTreeMap<Mark, u64>,
    /// By their ids.
    records: BTreeMap<[u8; 32], Listed>,
    /// Up to which height records of a gateway had no room and have to be read again.
    cut: BTreeMap<Mark, u64>,
}

/// A record as gateways list it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    owner: [u8; 32],
    value: Vec<u8>,
    /// In the block of which height it is, by the word of each.
    by: BTreeMap<Mark, u64>,
}

/// What has room in the host's cache (1 MiB).
const MOST_BYTES: usize = 900 << 10;
/// So many records of one topic, of which each gateway has its share: half of what one lookup tells.
const MOST_RECORDS: usize = 4000;
/// What a record takes beside its value, and a topic beside its records.
const OVERHEAD: usize = 90;
/// What a record takes for each gateway that lists it.
const MARK: usize = 20;
/// More gateways than a backend has.
const MOST_GATEWAYS: usize = 16;
const VERSION: u8 = 3;

/// As it lies in the cache.
#[derive(Serialize, Deserialize)]
struct Stored(u8, Vec<StoredPile>);
#[derive(Serialize, Deserialize)]
struct StoredPile(ByteBuf, Vec<(ByteBuf, u64)>, Vec<StoredRecord>, Vec<(ByteBuf, u64)>);
/// Its id, its owner, its value, the gateways with heights.
#[derive(Serialize, Deserialize)]
struct StoredRecord(ByteBuf, ByteBuf, ByteBuf, Vec<(ByteBuf, u64)>);

impl Kept {
    /// A topic's, which is then the one that was asked for last.
    pub(super) fn pile(&mut self, topic: Topic) -> &mut Pile {
        let at = self.0.iter().position(|pile| pile.topic == topic);
        let pile = at.and_then(|at| self.0.remove(at)).unwrap_or_else(|| Pile::new(topic));
        self.0.push_front(pile);
        &mut self.0[0]
    }

    /// Drops what is beyond the bounds: topics that nobody asked for lately, whole; of a single one the oldest.
    pub(super) fn bound(&mut self, gateways: &[Mark]) {
        self.0.iter_mut().for_each(|pile| pile.bound(gateways));
        let sizes = self.0.iter().scan(0, |sum, pile| {
            *sum += pile.bytes();
            Some(*sum)
        });
        let fitting = sizes.take_while(|sum| *sum <= MOST_BYTES).count();
        self.0.truncate(fitting.max(1));
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn topics(&self) -> Vec<Topic> {
        self.0.iter().map(|pile| pile.topic).collect()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let bytes = |bytes: &[u8]| ByteBuf::from(bytes);
        let heights = |of: &BTreeMap<Mark, u64>| -> Vec<_> {
            of.iter().map(|(mark, height)| (bytes(mark), *height)).collect()
        };
        let record = |(id, Listed { owner, value, by }): (&[u8; 32], &Listed)| {
            StoredRecord(bytes(id), bytes(owner), bytes(value), heights(by))
        };
        let pile = |pile: &Pile| {
            let records = pile.records.iter().map(record).collect();
            StoredPile(bytes(&pile.topic.0), heights(&pile.read), records, heights(&pile.cut))
        };
        message::encode(&Stored(VERSION, self.0.iter().map(pile).collect()))
    }

    /// What was kept, if this version wrote it.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let Stored(version, piles) = message::decode(bytes).ok()?;
        (version == VERSION).then_some(())?;
        piles.into_iter().map(Pile::of_stored).collect::<Option<_>>().map(Self)
    }
}

impl Pile {
    fn new(topic: Topic) -> Self {
        Self { topic, read: BTreeMap::new(), records: BTreeMap::new(), cut: BTreeMap::new() }
    }

    /// Up to which height a gateway's list was read; `None` also where records from `oldest` on had no room, for then it has to be read again.
    pub(super) fn read_to(&self, mark: Mark, oldest: u64) -> Option<u64> {
        self.read.get(&mark).copied().filter(|_| self.cut.get(&mark).is_none_or(|cut| *cut < oldest))
    }

    /// In no block as yet: who lists it says in which.
    pub(super) fn record(&self, id: &[u8; 32]) -> Option<Record> {
        let Listed { owner, value, .. } = self.records.get(id)?;
        Some(Record { id: *id, owner: *owner, height: None, value: value.clone() })
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn ids(&self) -> Vec<[u8; 32]> {
        self.records.keys().copied().collect()
    }

    /// What a gateway does not have to list any more to be believed: ids and values, the newest first.
    pub(super) fn settled(&self, mark: Mark) -> Vec<([u8; 32], Vec<u8>)> {
        let end = self.read.get(&mark).map_or(0, |height| height.saturating_sub(SETTLED));
        let listed = self.newest_of(mark).into_iter().filter(|(height, ..)| *height < end);
        listed.map(|(_, id, listed)| (id, listed.value.clone())).collect()
    }

    /// What a gateway lists, the newest first.
    fn newest_of(&self, mark: Mark) -> Vec<(u64, [u8; 32], &Listed)> {
        let listed = self.records.iter();
        let mut newest: Vec<_> =
            listed.filter_map(|(id, listed)| Some((*listed.by.get(&mark)?, *id, listed))).collect();
        newest.sort_by_key(|(height, ..)| Reverse(*height));
        newest
    }

    /// Adds what is in a block, as gateways say.
    pub(super) fn add(&mut self, records: Vec<(Mark, Record)>) {
        for (mark, Record { id, owner, height, value }) in records {
            let Some(height) = height else { continue };
            let new = || Listed { owner, value, by: BTreeMap::new() };
            let listed = self.records.entry(id).or_insert_with(new);
            if listed.by.contains_key(&mark) || listed.by.len() < MOST_GATEWAYS {
                listed.by.insert(mark, height);
            }
        }
    }

    /// Notes that a gateway's list was read up to a height.
    pub(super) fn came(&mut self, mark: Mark, height: u64, is_whole: bool) {
        if is_whole && (self.read.contains_key(&mark) || self.read.len() < MOST_GATEWAYS) {
            self.read.insert(mark, height);
        }
    }

    /// Forgets what was in a block that is not in the chain any more: what a gateway does not list, though it would.
    pub(super) fn forget(&mut self, walked: &Walked) {
        if !walked.is_whole {
            return;
        }
        // No block is higher, whatever it said of a record.
        self.cut.entry(walked.mark).and_modify(|cut| *cut = walked.tip.min(*cut));
        let listed: BTreeSet<_> = walked.listed.iter().map(|(id, _)| *id).collect();
        self.records.retain(|id, of| {
            if of.by.get(&walked.mark).is_some_and(|height| *height >= walked.floor) && !listed.contains(id) {
                of.by.remove(&walked.mark);
            }
            !of.by.is_empty()
        });
    }

    fn bytes(&self) -> usize {
        OVERHEAD + self.records.values().map(Listed::bytes).sum::<usize>()
    }

    /// Of each gateway the newest of each owner, and a share of all: what one invents takes no room of others. What had no room is noted: it must
    /// not stay away for ever. What was listed by gateways alone that are not asked any more is forgotten.
    fn bound(&mut self, gateways: &[Mark]) {
        let share = gateways.len().max(1);
        let (mut stay, mut cut) = (BTreeMap::<_, BTreeMap<_, _>>::new(), BTreeMap::new());
        for mark in gateways {
            let (mut of_one, mut count) = (BTreeMap::<_, usize>::new(), MOST_RECORDS / share);
            let mut left = (MOST_BYTES - OVERHEAD) / share;
            let mut lowest = self.cut.get(mark).copied();
            for (height, id, listed) in self.newest_of(*mark) {
                let of_one = of_one.entry(listed.owner).or_default();
                *of_one += 1;
                if *of_one > MOST_OF_ONE {
                    continue;
                }
                if count == 0 || left < listed.bytes() {
                    lowest = lowest.max(Some(height));
                    break;
                }
                (count, left) = (count - 1, left - listed.bytes());
                stay.entry(id).or_default().insert(*mark, height);
            }
            cut.extend(lowest.map(|lowest| (*mark, lowest)));
        }
        self.cut = cut;
        // One that is asked again later is read anew.
        self.read.retain(|mark, _| gateways.contains(mark));
        self.records.retain(|id, listed| {
            listed.by = stay.remove(id).unwrap_or_default();
            !listed.by.is_empty()
        });
    }

    fn of_stored(stored: StoredPile) -> Option<Self> {
        let StoredPile(topic, read, records, cut) = stored;
        let hash = |bytes: ByteBuf| -> Option<[u8; 32]> { bytes.into_vec().try_into().ok() };
        let heights = |of: Vec<(ByteBuf, u64)>| -> Option<BTreeMap<Mark, u64>> {
            let height = |(mark, height): (ByteBuf, u64)| Some((mark.into_vec().try_into().ok()?, height));
            (of.len() <= MOST_GATEWAYS).then(|| of.into_iter().map(height).collect())?
        };
        let record = |StoredRecord(id, owner, value, by): StoredRecord| {
            let listed = Listed { owner: hash(owner)?, value: value.into_vec(), by: heights(by)? };
            Some((hash(id)?, listed))
        };
        Some(Self {
            topic: Topic(hash(topic)?),
            read: heights(read)?,
            records: records.into_iter().map(record).collect::<Option<_>>()?,
            cut: heights(cut)?,
        })
    }
}

impl Listed {
    fn bytes(&self) -> usize {
        OVERHEAD + MARK * self.by.len() + self.value.len()
    }
}

#[cfg(test)]
mod tests;
