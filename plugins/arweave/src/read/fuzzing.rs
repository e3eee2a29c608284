//! What must hold whatever lies in the cache.
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what it is for")]

use std::collections::BTreeMap;

use super::kept::Kept;
use super::walk::Walked;
use super::{MOST_OF_ONE, Record};

const MOST_BYTES: usize = 1 << 20;

/// What an earlier run kept, as it may lie damaged: it is none, or works, and comes back as it was.
pub fn kept(bytes: &[u8]) {
    let Some(mut kept) = Kept::of_bytes(bytes) else { return };
    assert_eq!(Kept::of_bytes(&kept.to_bytes()).as_ref(), Some(&kept));
    for topic in kept.topics() {
        let pile = kept.pile(topic);
        let settled: Vec<Record> = pile.settled().cloned().collect();
        assert!(settled.iter().all(|record| pile.record(&record.id) == Some(record)));
        // What is listed again changes nothing; what is listed no more is forgotten from the floor on.
        pile.add(settled.clone());
        let floor = settled.iter().filter_map(|record| record.height).max().unwrap_or_default();
        let walked =
            Walked { mark: [1; 8], tip: floor, floor, listed: Vec::new(), is_whole: true, missing: None };
        pile.came(walked.mark, walked.tip, walked.is_whole);
        pile.forget(&[walked]);
        let left: Vec<&Record> = pile.settled().collect();
        assert!(left.iter().all(|record| record.height.is_some_and(|height| height < floor)));
        assert!(pile.read_to([1; 8], u64::MAX).is_none_or(|height| height == floor));
        pile.add(settled);
    }
    kept.bound();
    // The host keeps no more for us.
    assert!(kept.to_bytes().len() < MOST_BYTES);
    for topic in kept.topics() {
        let mut count: BTreeMap<_, usize> = BTreeMap::new();
        for record in kept.pile(topic).settled() {
            *count.entry(record.owner).or_default() += 1;
        }
        assert!(count.values().all(|of_one| *of_one <= MOST_OF_ONE));
    }
}
