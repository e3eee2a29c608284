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
mod tests {
    use super::*;

    fn record(number: u16, owner: u8, height: u64) -> Record {
        let mut id = [0; 32];
        id[..2].copy_from_slice(&number.to_be_bytes());
        Record { id, owner: [owner; 32], height: Some(height), value: vec![1; 168] }
    }

    const ONE: Mark = [1; 8];
    const OTHER: Mark = [2; 8];

    fn by(mark: Mark, records: impl IntoIterator<Item = Record>) -> Vec<(Mark, Record)> {
        records.into_iter().map(|record| (mark, record)).collect()
    }

    fn heights(pile: &Pile) -> BTreeSet<u64> {
        pile.records.values().flat_map(|listed| listed.by.values().copied()).collect()
    }

    fn walked(floor: u64, listed: &[&Record]) -> Walked {
        let listed = listed.iter().filter_map(|record| Some((record.id, record.height?))).collect();
        Walked { mark: ONE, tip: 1000, floor, listed, is_whole: true, missing: None }
    }

    #[test]
    fn what_is_kept_comes_back_and_fits_into_the_cache() {
        let mut kept = Kept::default();
        for topic in 1..=30 {
            let pile = kept.pile(Topic([topic; 32]));
            let of =
                |number: u16| record(u16::from(topic) * 250 + number, (number % 250) as u8, number.into());
            for mark in [ONE, OTHER] {
                pile.add(by(mark, (0..250).map(of)));
                pile.came(mark, 1000, true);
            }
        }
        kept.bound(&[ONE, OTHER]);
        let bytes = kept.to_bytes();
        assert!((MOST_BYTES / 2..message::MAX - 1024).contains(&bytes.len()), "{}", bytes.len());
        assert!((5..30).contains(&kept.0.len()) && kept.0[0].topic == Topic([30; 32]));
        assert_eq!(kept.0[0].records.len(), 250);
        assert_eq!(Kept::of_bytes(&bytes), Some(kept));
        assert_eq!(Kept::of_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Kept::of_bytes(b"junk"), None);
    }

    #[test]
    fn what_had_no_room_is_read_again() {
        let mut kept = Kept::default();
        let pile = kept.pile(Topic([1; 32]));
        let full = |number: u16| Record {
            value: vec![1; 1024],
            ..record(number, (number % 60) as u8, 100 + u64::from(number))
        };
        pile.add(by(ONE, (0..900).map(full)));
        pile.came(ONE, 2000, true);
        assert_eq!(pile.read_to(ONE, 1), Some(2000));
        kept.bound(&[ONE]);
        let mut kept = Kept::of_bytes(&kept.to_bytes()).unwrap();
        let pile = kept.pile(Topic([1; 32]));
        let lowest = *heights(pile).first().unwrap();
        assert!(lowest > 100 && pile.records.len() < 900);
        assert_eq!(pile.read_to(ONE, 1), None, "some are gone");
        assert_eq!(pile.read_to(ONE, lowest - 1), None, "the last of those");
        assert_eq!(pile.read_to(ONE, lowest), Some(2000), "nobody looks so far back");
        // One that tells an absurd height is not read again for ever.
        pile.cut.insert(ONE, u64::MAX);
        pile.forget(&walked(950, &[]));
        assert_eq!(pile.read_to(ONE, 1001), Some(2000));
        // Of one owner only the last ones are looked at: nothing is to be read again for the others.
        let mut kept = Kept::default();
        kept.pile(Topic([1; 32])).add(by(ONE, (0..100).map(|number| record(number, 1, number.into()))));
        kept.bound(&[ONE]);
        assert!(kept.0[0].cut.is_empty());
    }

    #[test]
    fn one_gateway_takes_no_room_of_another_and_its_heights_are_its_own_word() {
        let mut kept = Kept::default();
        let pile = kept.pile(Topic([1; 32]));
        let honest = || (0..600).map(|number| record(number, (number % 100) as u8, 100));
        pile.add(by(ONE, honest()));
        pile.came(ONE, 1000, true);
        // Each by an owner of its own, of one byte, all newer; and what the other one has, in blocks that are to come.
        let mut invented: Vec<Record> = honest().map(|of| Record { height: Some(5000), ..of }).collect();
        for number in 1000..12_000_u16 {
            let mut owner = [9; 32];
            owner[..2].copy_from_slice(&number.to_be_bytes());
            invented.push(Record { owner, value: vec![1], ..record(number, 9, 2000) });
        }
        pile.add(by(OTHER, invented));
        pile.came(OTHER, 6000, true);
        kept.bound(&[ONE, OTHER]);
        let pile = &kept.0[0];
        assert_eq!((pile.settled(ONE).len(), pile.read_to(ONE, 1)), (600, Some(1000)));
        assert_eq!((pile.settled(OTHER).len(), pile.read_to(OTHER, 1)), (MOST_RECORDS / 2, None));
        // It is asked no more: what it alone has listed is gone, and the other one has all the room.
        kept.bound(&[ONE]);
        assert_eq!((kept.0[0].records.len(), kept.0[0].settled(OTHER).len()), (600, 0));
        assert_eq!((kept.0[0].read_to(ONE, 1), kept.0[0].read_to(OTHER, 6000)), (Some(1000), None));
    }

    #[test]
    fn one_owner_crowds_out_nobody() {
        let mut kept = Kept::default();
        let pile = kept.pile(Topic([1; 32]));
        pile.add(by(ONE, [record(0, 1, 1)]));
        pile.add(by(ONE, (1..200).map(|number| record(number, 2, number.into()))));
        kept.bound(&[ONE]);
        let heights = heights(&kept.0[0]);
        assert_eq!(heights.len(), 1 + MOST_OF_ONE);
        assert_eq!((heights.first(), heights.last()), (Some(&1), Some(&199)));
    }

    #[test]
    fn what_is_settled_stays_and_what_is_not_has_to_be_listed() {
        let mut pile = Pile::new(Topic([1; 32]));
        let [old, stays, goes, others] =
            [record(1, 1, 10), record(2, 2, 990), record(3, 3, 995), record(4, 4, 995)];
        pile.add(by(ONE, [old.clone(), stays.clone(), goes, others.clone()]));
        pile.add(by(OTHER, [others.clone()]));
        pile.came(ONE, 1000, true);
        assert_eq!(pile.settled(ONE), [(old.id, old.value)]);
        let mut cut = walked(950, &[]);
        cut.is_whole = false;
        pile.forget(&cut);
        assert_eq!(pile.records.len(), 4, "a list that was not read to its end says nothing");
        pile.forget(&walked(950, &[&stays]));
        assert_eq!(pile.records.keys().copied().collect::<Vec<_>>(), [old.id, stays.id, others.id]);
    }

    #[test]
    fn what_waits_for_a_block_is_not_kept() {
        let mut pile = Pile::new(Topic([1; 32]));
        pile.add(by(ONE, [Record { height: None, ..record(1, 1, 1) }]));
        assert!(pile.records.is_empty());
    }
}
