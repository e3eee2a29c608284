//! What must hold whatever lies in the cache.
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what it is for")]

use std::collections::BTreeMap;

use super::kept::Kept;
use super::walk::Walked;
use super::{MOST_OF_ONE, Record};

const MOST_BYTES: usize = 1 << 20;
/// For each of two gateways.
const MOST_RECORDS: usize = 2000;
const MARK: [u8; 8] = [1; 8];

/// What an earlier run kept, as it may lie damaged: it is none, or works, and comes back as it was.
pub fn kept(bytes: &[u8]) {
    let Some(mut kept) = Kept::of_bytes(bytes) else { return };
    assert_eq!(Kept::of_bytes(&kept.to_bytes()).as_ref(), Some(&kept));
    for topic in kept.topics() {
        let pile = kept.pile(topic);
        // What is listed again is settled below what was read; what is listed no more is forgotten from the floor on.
        let ids: Vec<_> = pile.ids();
        let of = |id: &[u8; 32]| pile.record(id).map(|record| Record { height: Some(5), ..record });
        let records: Vec<_> = ids.iter().filter_map(of).map(|record| (MARK, record)).collect();
        assert_eq!(records.len(), ids.len());
        pile.add(records.clone());
        let walked =
            Walked { mark: MARK, tip: 100, floor: 5, listed: Vec::new(), is_whole: true, missing: None };
        pile.came(walked.mark, walked.tip, walked.is_whole);
        assert!(pile.read_to(MARK, u64::MAX).is_none_or(|height| height == 100));
        assert!(pile.settled(MARK).len() <= ids.len());
        pile.forget(&walked);
        assert!(pile.settled(MARK).is_empty());
        pile.add(records);
    }
    kept.bound(&[MARK, [2; 8]]);
    // The host keeps no more for us.
    assert!(kept.to_bytes().len() < MOST_BYTES);
    for topic in kept.topics() {
        let pile = kept.pile(topic);
        let settled = pile.settled(MARK);
        assert!(settled.len() <= MOST_RECORDS);
        let mut count: BTreeMap<_, usize> = BTreeMap::new();
        for (id, _) in settled {
            *count.entry(pile.record(&id).map(|record| record.owner)).or_default() += 1;
        }
        assert!(count.values().all(|of_one| *of_one <= MOST_OF_ONE));
    }
}
