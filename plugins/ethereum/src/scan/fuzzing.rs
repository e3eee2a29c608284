//! What must hold whatever logs a node tells, and whatever lies in the cache.
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what it is for")]

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};

use super::Find;
use super::kept::{Kept, Line};
use super::walk::find_of;
use crate::answers::{Log, MOST_BLOCKS, asked_for};
use crate::contract::MAX_VALUE;

/// Whose events are kept.
const CONTRACT: &[u8] = &[9; 20];
const MOST_FINDS: usize = 10_000;
const MOST_OF_ONE: usize = 16;
const MOST_BYTES: usize = 1 << 20;

/// What an earlier run kept, as it may lie damaged: it is none, or works, and comes back as it was.
pub fn kept(bytes: &[u8]) {
    let Some(mut kept) = Kept::of_bytes(bytes, CONTRACT) else { return };
    let written = kept.to_bytes(CONTRACT);
    assert!(written.len() < MOST_BYTES && Kept::of_bytes(bytes, &[0; 20]).is_none());
    let again = Kept::of_bytes(&written, CONTRACT);
    // What has no room is left out.
    assert!(bytes.len() > MOST_BYTES / 2 || again.as_ref() == Some(&kept));
    for key in kept.keys() {
        let found = kept.finds(key);
        assert!(found.len() <= MOST_FINDS);
        lives_on(kept.line(key), found);
    }
    assert!(kept.to_bytes(CONTRACT).len() < MOST_BYTES);
}

/// Those logs that are events are found, each once, and no writer crowds out others.
pub(crate) fn logs(logs: Vec<Log>) {
    let Some((contract, Some(key))) = logs.first().map(|log| (log.address, log.topics.get(1).copied()))
    else {
        return;
    };
    let count = logs.len();
    let logs = asked_for(logs, contract, key, 0, MOST_BLOCKS);
    let found: Vec<Find> = logs.iter().filter_map(find_of).collect();
    assert!(found.len() <= count && found.iter().all(|find| find.block <= MOST_BLOCKS));
    assert!(found.iter().all(|find| (1..=MAX_VALUE).contains(&find.value.len())));
    let mut line = Line::default();
    line.extend(found);
    bounded(&line);
    assert!(line.finds.is_sorted_by_key(|find| (find.block, find.index)));
}

fn lives_on(line: &mut Line, found: Vec<Find>) {
    line.extend(found);
    bounded(line);
    line.anchor(MOST_BLOCKS, B256::ZERO);
    let anchors = line.anchors.len();
    assert!((1..=16).contains(&anchors));
    // Each step back forgets, and in the end all is forgotten.
    for _ in 0..anchors {
        let before = (line.next, line.finds.len());
        line.rewind();
        assert!(line.next <= before.0 && line.finds.len() <= before.1);
    }
    assert_eq!(*line, Line { key: line.key, ..Line::default() });
    line.forget_before(u64::MAX);
    assert_eq!(line.next, u64::MAX);
}

fn bounded(line: &Line) {
    assert!(line.finds.len() <= MOST_FINDS);
    let mut count: BTreeMap<Address, usize> = BTreeMap::new();
    for find in &line.finds {
        *count.entry(find.writer).or_default() += 1;
    }
    assert!(count.values().all(|of_one| *of_one <= MOST_OF_ONE));
}
