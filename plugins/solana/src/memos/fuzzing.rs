//! What must hold whatever memos were read before, as they may lie damaged in the cache.
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what it is for")]

use std::collections::BTreeMap;

use super::kept::Kept;
use super::walk::{find_of, is_it};
use crate::wire::{Key, Signature};

const MOST_BYTES: usize = 1 << 20;
const MOST_PLACES: usize = 32;
const MOST_OF_ONE: usize = 64;

/// What an earlier run kept is none, or works, and comes back as it was.
pub fn memos(bytes: &[u8]) {
    let Some(mut kept) = Kept::of_bytes(bytes) else { return };
    assert_eq!(Kept::of_bytes(&kept.to_bytes()).as_ref(), Some(&kept));
    for key in kept.keys() {
        let place = kept.at(key);
        let (count, waiting) = (place.finds().count(), place.new.len());
        place.settle(|_| false);
        assert_eq!((place.finds().count(), place.new.len()), (count, waiting));
        let last = place.new.last().map(|(id, _)| *id).or(place.read);
        place.settle(|_| true);
        assert!(place.finds().count() == count && place.new.is_empty() && place.read == last);
    }
    kept.bound();
    // The host keeps no more for us.
    assert!(bytes.len() > MOST_BYTES || kept.to_bytes().len() < MOST_BYTES + 4096);
    let keys = kept.keys();
    assert!(keys.len() <= MOST_PLACES);
    for key in keys {
        let mut count: BTreeMap<Key, usize> = BTreeMap::new();
        for find in kept.at(key).finds() {
            *count.entry(find.author).or_default() += 1;
        }
        assert!(count.values().all(|of_one| *of_one <= MOST_OF_ONE));
    }
    kept.belong_to("another chain");
    assert!(kept.keys().is_empty());
}

/// What is in a transaction that a node tells of, and who wrote it.
pub(crate) fn one_memo(place: Key, id: Signature, bytes: &[u8]) -> Option<(Key, Vec<u8>)> {
    assert!(id.0 == [0; 64] || !is_it(bytes, Signature([0; 64])));
    find_of(place, bytes).filter(|_| is_it(bytes, id)).map(|find| (find.author, find.value))
}
