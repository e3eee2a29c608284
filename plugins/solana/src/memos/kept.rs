use std::collections::{BTreeMap, VecDeque};

use bitboot_plugin_api::message;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::Find;
use crate::wire::{Key, Signature};

/// What has been read of a chain's memos.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// The hash of the chain's first block.
    genesis: String,
    /// The one that was asked for last is the last.
    places: VecDeque<(Key, Place)>,
}

/// How far the memos of a place have been read, and what was found on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// All up to this transaction have been read, and none of those can be taken back.
    pub(super) read: Option<Signature>,
    /// What was in them, the oldest first.
    old: Vec<Find>,
    /// What has been read after that, the oldest first; `None` for what is no memo of ours.
    pub(super) new: Vec<(Signature, Option<Find>)>,
}

/// Places beyond that are read anew when they are asked for.
const MOST_PLACES: usize = 32;
/// What has room in the host's cache (1 MiB): some 1600 of the largest memos.
const MOST_BYTES: usize = 1_000_000;
/// Of one author in one place: more would crowd out others.
const MOST_OF_ONE: usize = 64;
/// What the cache has for each memo besides its value, and for its transaction's name.
const REST: usize = 40;
const NAME: usize = 68;
const VERSION: u8 = 1;

/// As it lies in the cache.
#[derive(Serialize, Deserialize)]
struct Stored(u8, String, Vec<StoredPlace>);

#[derive(Serialize, Deserialize)]
struct StoredPlace(ByteBuf, Option<ByteBuf>, Vec<StoredFind>, Vec<(ByteBuf, Option<StoredFind>)>);

#[derive(Serialize, Deserialize)]
struct StoredFind(ByteBuf, ByteBuf);

impl Kept {
    /// Forgets what was read of another chain.
    pub(super) fn belong_to(&mut self, genesis: &str) {
        if self.genesis != genesis {
            *self = Self { genesis: genesis.to_owned(), places: VecDeque::new() };
        }
    }

    /// What is known of a place.
    pub(super) fn at(&mut self, key: Key) -> &mut Place {
        let at = self.places.iter().position(|(known, _)| *known == key);
        let place = at.and_then(|at| self.places.remove(at)).unwrap_or_else(|| (key, Place::default()));
        self.places.push_back(place);
        let last = self.places.len() - 1;
        &mut self.places[last].1
    }

    /// Makes it fit: places make room that were not asked for lately, then the oldest memos of what is left.
    pub(super) fn bound(&mut self) {
        self.places.iter_mut().for_each(|(_, place)| place.bound());
        while self.places.len() > MOST_PLACES || (self.places.len() > 1 && self.size() > MOST_BYTES) {
            self.places.pop_front();
        }
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn keys(&self) -> Vec<Key> {
        self.places.iter().map(|(key, _)| *key).collect()
    }

    fn size(&self) -> usize {
        self.places.iter().map(|(_, place)| place.size()).sum()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let places = self.places.iter().map(|(key, place)| place.stored(*key)).collect();
        message::encode(&Stored(VERSION, self.genesis.clone(), places))
    }

    /// What was kept, if this version wrote it.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let Stored(version, genesis, places) = message::decode(bytes).ok()?;
        let places = places.into_iter().map(Place::of_stored).collect::<Option<_>>()?;
        (version == VERSION).then_some(Self { genesis, places })
    }
}

impl Place {
    /// The newest first.
    pub(super) fn finds(&self) -> impl Iterator<Item = &Find> {
        self.new.iter().rev().filter_map(|(_, find)| find.as_ref()).chain(self.old.iter().rev())
    }

    /// Takes over from what is new what cannot be taken back any more: as long as `is_final` says so of the oldest.
    pub(super) fn settle(&mut self, is_final: impl Fn(Signature) -> bool) {
        let count = self.new.iter().take_while(|(id, _)| is_final(*id)).count();
        for (id, find) in self.new.drain(..count) {
            self.read = Some(id);
            self.old.extend(find);
        }
    }

    /// Drops what is beyond the bounds, the oldest first.
    fn bound(&mut self) {
        let mut size = 0;
        // What is dropped here is read again the next time, for `read` does not go past it.
        let room = self.new.iter().take_while(|(_, find)| {
            size += NAME + size_of(find.as_ref());
            size <= MOST_BYTES / 2
        });
        self.new.truncate(room.count());
        let mut size = self.new_size();
        let mut count: BTreeMap<Key, usize> = BTreeMap::new();
        self.old.reverse();
        self.old.retain(|find| {
            let of_one = count.entry(find.author).or_default();
            *of_one += 1;
            let has_room = *of_one <= MOST_OF_ONE && size + size_of(Some(find)) <= MOST_BYTES;
            size += if has_room { size_of(Some(find)) } else { 0 };
            has_room
        });
        self.old.reverse();
    }

    fn new_size(&self) -> usize {
        self.new.iter().map(|(_, find)| NAME + size_of(find.as_ref())).sum()
    }

    fn size(&self) -> usize {
        self.new_size() + self.old.iter().map(|find| size_of(Some(find))).sum::<usize>()
    }

    fn stored(&self, key: Key) -> StoredPlace {
        let bytes = |bytes: &[u8]| ByteBuf::from(bytes);
        let find = |find: &Find| StoredFind(bytes(&find.author.0), bytes(&find.value));
        let new = self.new.iter().map(|(id, new)| (bytes(&id.0), new.as_ref().map(find)));
        let old = self.old.iter().map(find).collect();
        StoredPlace(bytes(&key.0), self.read.map(|id| bytes(&id.0)), old, new.collect())
    }

    fn of_stored(StoredPlace(key, read, old, new): StoredPlace) -> Option<(Key, Self)> {
        let new = new.into_iter().map(|(id, find)| {
            let find = find.map(StoredFind::find);
            // One that is there has to be sound.
            Some((signature(id)?, find.map_or(Some(None), |find| find.map(Some))?))
        });
        let place = Self {
            read: read.map_or(Some(None), |id| signature(id).map(Some))?,
            old: old.into_iter().map(StoredFind::find).collect::<Option<_>>()?,
            new: new.collect::<Option<_>>()?,
        };
        Some((Key(key.into_vec().try_into().ok()?), place))
    }
}

impl StoredFind {
    fn find(self) -> Option<Find> {
        let Self(author, value) = self;
        Some(Find { author: Key(author.into_vec().try_into().ok()?), value: value.into_vec() })
    }
}

fn signature(bytes: ByteBuf) -> Option<Signature> {
    Some(Signature(bytes.into_vec().try_into().ok()?))
}

fn size_of(find: Option<&Find>) -> usize {
    find.map_or(1, |find| REST + find.value.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::MAX_VALUE;

    fn find(author: u16, length: usize) -> Find {
        let mut key = [2; 32];
        key[..2].copy_from_slice(&author.to_be_bytes());
        Find { author: Key(key), value: vec![7; length] }
    }

    fn id(number: u16) -> Signature {
        let mut bytes = [3; 64];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        Signature(bytes)
    }

    fn place(count: u16, author: impl Fn(u16) -> u16) -> Place {
        let new = (0..count).map(|number| (id(number), Some(find(author(number), MAX_VALUE)))).collect();
        Place { new, ..Place::default() }
    }

    #[test]
    fn what_is_kept_comes_back_and_fits_into_the_cache() {
        let mut kept = Kept::default();
        kept.belong_to("one");
        for number in 0..40 {
            let at = kept.at(Key([number; 32]));
            *at = place(200, |number| number);
            at.settle(|at| at != id(150));
        }
        let full = kept.at(Key([99; 32]));
        *full = place(3000, |number| number);
        full.settle(|_| true);
        full.new = place(3000, |number| number).new;
        kept.bound();
        let bytes = kept.to_bytes();
        assert!(bytes.len() < message::MAX - 1024 && kept.places.len() == 1, "{}", bytes.len());
        assert_eq!(Kept::of_bytes(&bytes), Some(kept.clone()));
        assert_eq!(Kept::of_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Kept::of_bytes(b"junk"), None);
        kept.belong_to("another");
        assert_eq!(*kept.at(Key([99; 32])), Place::default());
    }

    #[test]
    fn a_thousand_of_the_largest_memos_of_others_hide_nobody() {
        let mut at = place(1001, |number| number);
        at.settle(|_| true);
        at.bound();
        assert_eq!(at.finds().last(), Some(&find(0, MAX_VALUE)));
    }

    #[test]
    fn one_author_crowds_out_nobody() {
        let mut at = place(3000, |number| u16::from(number > 0));
        at.settle(|_| true);
        at.bound();
        assert_eq!((at.finds().count(), at.finds().last()), (1 + MOST_OF_ONE, Some(&find(0, MAX_VALUE))));
    }

    #[test]
    fn only_what_cannot_be_taken_back_is_not_read_again() {
        let mut at = place(5, |number| number);
        at.settle(|at| at != id(2));
        assert_eq!((at.read, at.old.len(), at.new.len()), (Some(id(1)), 2, 3));
        assert_eq!(at.finds().next(), Some(&find(4, MAX_VALUE)));
    }
}
