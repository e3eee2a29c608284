use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bitboot_plugin_api::message;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::walk::Walked;
use super::{MOST_OF_ONE, Record, SETTLED};
use crate::topic::Topic;

/// What was verified, by topic: the one that was asked for last first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Kept(VecDeque<Pile>);

/// What was verified under one topic, of what is in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pile {
    topic: Topic,
    /// Up to which height the list of each gateway was read.
    read: BTreeMap<[u8; 8], u64>,
    records: BTreeMap<[u8; 32], Record>,
    /// Up to which height records had no room and have to be read again.
    cut: Option<u64>,
}

/// What has room in the host's cache (1 MiB).
const MOST_BYTES: usize = 900 << 10;
/// What a record takes beside its value, and a topic beside its records.
const OVERHEAD: usize = 90;
/// More gateways than a backend has.
const MOST_GATEWAYS: usize = 16;
const VERSION: u8 = 2;

/// As it lies in the cache.
#[derive(Serialize, Deserialize)]
struct Stored(u8, Vec<StoredPile>);
#[derive(Serialize, Deserialize)]
struct StoredPile(ByteBuf, Vec<(ByteBuf, u64)>, Vec<(ByteBuf, ByteBuf, u64, ByteBuf)>, Option<u64>);

impl Kept {
    /// A topic's, which is then the one that was asked for last.
    pub(super) fn pile(&mut self, topic: Topic) -> &mut Pile {
        let at = self.0.iter().position(|pile| pile.topic == topic);
        let pile = at.and_then(|at| self.0.remove(at)).unwrap_or_else(|| Pile::new(topic));
        self.0.push_front(pile);
        &mut self.0[0]
    }

    /// Drops what is beyond the bounds: topics that nobody asked for lately, whole; of a single one the oldest.
    pub(super) fn bound(&mut self) {
        self.0.iter_mut().for_each(|pile| pile.bound(MOST_BYTES));
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
        let record = |record: &Record| {
            Some((bytes(&record.id), bytes(&record.owner), record.height?, bytes(&record.value)))
        };
        let pile = |pile: &Pile| {
            let read = pile.read.iter().map(|(mark, height)| (bytes(mark), *height)).collect();
            StoredPile(
                bytes(&pile.topic.0),
                read,
                pile.records.values().filter_map(record).collect(),
                pile.cut,
            )
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
        Self { topic, read: BTreeMap::new(), records: BTreeMap::new(), cut: None }
    }

    /// Up to which height a gateway's list was read; `None` also where records from `oldest` on had no room, for then it has to be read again.
    pub(super) fn read_to(&self, mark: [u8; 8], oldest: u64) -> Option<u64> {
        self.read.get(&mark).copied().filter(|_| self.cut.is_none_or(|cut| cut < oldest))
    }

    pub(super) fn record(&self, id: &[u8; 32]) -> Option<&Record> {
        self.records.get(id)
    }

    /// What no gateway has to list any more to be believed.
    pub(super) fn settled(&self) -> impl Iterator<Item = &Record> {
        let end = self.read.values().max().map_or(0, |height| height.saturating_sub(SETTLED));
        self.records.values().filter(move |record| record.height.is_some_and(|height| height < end))
    }

    /// Adds what is in a block.
    pub(super) fn add(&mut self, records: Vec<Record>) {
        let confirmed = records.into_iter().filter(|record| record.height.is_some());
        self.records.extend(confirmed.map(|record| (record.id, record)));
    }

    /// Notes that a gateway's list was read up to a height.
    pub(super) fn came(&mut self, mark: [u8; 8], height: u64, is_whole: bool) {
        if is_whole && (self.read.contains_key(&mark) || self.read.len() < MOST_GATEWAYS) {
            self.read.insert(mark, height);
        }
    }

    /// Forgets what was in a block that is not in the chain any more: which no gateway lists, though each would.
    pub(super) fn forget(&mut self, walked: &[Walked]) {
        if walked.iter().any(|walked| !walked.is_whole) {
            return;
        }
        // No block is higher, whatever one gateway said of a record.
        self.cut = self.cut.min(walked.iter().map(|walked| walked.tip).min());
        let listed: BTreeSet<_> =
            walked.iter().flat_map(|walked| &walked.listed).map(|(id, _)| *id).collect();
        let floor = walked.iter().map(|walked| walked.floor).max().unwrap_or(u64::MAX);
        self.records
            .retain(|id, record| listed.contains(id) || record.height.is_some_and(|height| height < floor));
    }

    fn bytes(&self) -> usize {
        OVERHEAD * (1 + self.records.len())
            + self.records.values().map(|record| record.value.len()).sum::<usize>()
    }

    /// Keeps the newest of each owner, and of all so many bytes. What had no room is noted: it must not stay away for ever.
    fn bound(&mut self, most: usize) {
        let mut newest: Vec<&Record> = self.records.values().collect();
        newest.sort_by_key(|record| std::cmp::Reverse(record.height));
        let (mut of_one, mut left) = (BTreeMap::<_, usize>::new(), most);
        let mut cut = self.cut;
        newest.retain(|record| {
            let count = of_one.entry(record.owner).or_default();
            *count += 1;
            if *count > MOST_OF_ONE {
                return false;
            }
            left = left.saturating_sub(OVERHEAD + record.value.len());
            let has_room = left > OVERHEAD;
            if !has_room {
                cut = cut.max(record.height);
            }
            has_room
        });
        let stay: BTreeSet<_> = newest.into_iter().map(|record| record.id).collect();
        self.records.retain(|id, _| stay.contains(id));
        self.cut = cut;
    }

    fn of_stored(stored: StoredPile) -> Option<Self> {
        let StoredPile(topic, read, records, cut) = stored;
        let hash = |bytes: ByteBuf| -> Option<[u8; 32]> { bytes.into_vec().try_into().ok() };
        let mark = |(mark, height): (ByteBuf, u64)| Some((mark.into_vec().try_into().ok()?, height));
        let record = |(id, owner, height, value): (ByteBuf, ByteBuf, u64, ByteBuf)| {
            let record =
                Record { id: hash(id)?, owner: hash(owner)?, height: Some(height), value: value.into_vec() };
            Some((record.id, record))
        };
        (read.len() <= MOST_GATEWAYS).then_some(())?;
        Some(Self {
            topic: Topic(hash(topic)?),
            read: read.into_iter().map(mark).collect::<Option<_>>()?,
            records: records.into_iter().map(record).collect::<Option<_>>()?,
            cut,
        })
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

    fn walked(floor: u64, listed: &[&Record]) -> Walked {
        let listed = listed.iter().filter_map(|record| Some((record.id, record.height?))).collect();
        Walked { mark: [1; 8], tip: 1000, floor, listed, is_whole: true, missing: None }
    }

    #[test]
    fn what_is_kept_comes_back_and_fits_into_the_cache() {
        let mut kept = Kept::default();
        for topic in 1..=30 {
            let pile = kept.pile(Topic([topic; 32]));
            let of =
                |number: u16| record(u16::from(topic) * 250 + number, (number % 250) as u8, number.into());
            pile.add((0..250).map(of).collect());
            pile.came([topic; 8], 1000, true);
        }
        kept.bound();
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
        pile.add((0..900).map(full).collect());
        pile.came([1; 8], 2000, true);
        assert_eq!(pile.read_to([1; 8], 1), Some(2000));
        kept.bound();
        let mut kept = Kept::of_bytes(&kept.to_bytes()).unwrap();
        let pile = kept.pile(Topic([1; 32]));
        let lowest = pile.records.values().filter_map(|record| record.height).min().unwrap();
        assert!(lowest > 100 && pile.records.len() < 900);
        assert_eq!(pile.read_to([1; 8], 1), None, "some are gone");
        assert_eq!(pile.read_to([1; 8], lowest - 1), None, "the last of those");
        assert_eq!(pile.read_to([1; 8], lowest), Some(2000), "nobody looks so far back");
        // A gateway that tells an absurd height does not make others be read again for ever.
        pile.cut = Some(u64::MAX);
        pile.forget(&[walked(950, &[])]);
        assert_eq!(pile.read_to([1; 8], 1001), Some(2000));
        // Of one owner only the last ones are looked at: nothing is to be read again for the others.
        let mut kept = Kept::default();
        kept.pile(Topic([1; 32])).add((0..100).map(|number| record(number, 1, number.into())).collect());
        kept.bound();
        assert_eq!(kept.0[0].cut, None);
    }

    #[test]
    fn one_owner_crowds_out_nobody() {
        let mut kept = Kept::default();
        let pile = kept.pile(Topic([1; 32]));
        pile.add(vec![record(0, 1, 1)]);
        pile.add((1..200).map(|number| record(number, 2, number.into())).collect());
        kept.bound();
        let heights: BTreeSet<_> = kept.0[0].records.values().filter_map(|record| record.height).collect();
        assert_eq!(heights.len(), 1 + MOST_OF_ONE);
        assert_eq!((heights.first(), heights.last()), (Some(&1), Some(&199)));
    }

    #[test]
    fn what_is_settled_stays_and_what_is_not_has_to_be_listed() {
        let mut pile = Pile::new(Topic([1; 32]));
        let [old, stays, goes] = [record(1, 1, 10), record(2, 2, 990), record(3, 3, 995)];
        pile.add(vec![old.clone(), stays.clone(), goes.clone()]);
        pile.came([1; 8], 1000, true);
        assert_eq!(pile.settled().collect::<Vec<_>>(), [&old]);
        let mut cut = walked(950, &[]);
        cut.is_whole = false;
        pile.forget(&[cut]);
        assert_eq!(pile.records.len(), 3, "a list that was not read to its end says nothing");
        pile.forget(&[walked(950, &[&stays]), walked(960, &[])]);
        assert_eq!(pile.records.keys().copied().collect::<Vec<_>>(), [old.id, stays.id]);
    }

    #[test]
    fn what_waits_for_a_block_is_not_kept() {
        let mut pile = Pile::new(Topic([1; 32]));
        pile.add(vec![Record { height: None, ..record(1, 1, 1) }]);
        assert!(pile.records.is_empty());
    }
}
