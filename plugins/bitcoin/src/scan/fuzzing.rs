//! What must hold whatever lies in the cache.
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what it is for")]

use std::collections::BTreeMap;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

use super::Find;
use super::kept::Kept;
pub(crate) use super::walk::{find_of, is_candidate};

const MOST_BLOCKS: usize = 2000;
const MOST_FINDS: usize = 7000;
const MOST_OF_ONE: usize = 16;

/// What an earlier run kept, as it may lie damaged: it is none, or works, and comes back as it was.
pub fn kept(bytes: &[u8]) {
    let Some(kept) = Kept::of_bytes(bytes) else { return };
    assert_eq!(Kept::of_bytes(&kept.to_bytes()).as_ref(), Some(&kept));
    assert!(kept.blocks.len() <= MOST_BLOCKS && kept.finds.len() <= MOST_FINDS);
    assert!(kept.blocks.iter().all(|(height, hash)| kept.hash_at(*height) == Some(*hash)));
    goes_on(again(&kept));
    by_index(again(&kept));
}

fn again(kept: &Kept) -> Kept {
    Kept { from: kept.from, blocks: kept.blocks.clone(), finds: kept.finds.clone() }
}

/// It is gone on with by the blocks that come next, and undone to its begin.
fn goes_on(mut kept: Kept) {
    let finds = kept.finds.clone();
    let next = kept.blocks.back().map_or(0, |(height, _)| height.saturating_add(1));
    kept.add(next, BlockHash::all_zeros(), finds);
    bounded(&kept);
    while let Some((height, _)) = kept.blocks.back().copied() {
        let before = kept.blocks.len();
        kept.undo();
        assert!(kept.blocks.len() + 1 == before && kept.finds.iter().all(|find| find.height < height));
    }
    assert!(kept.finds.is_empty());
}

/// Blocks are put where they belong, and what is old is forgotten.
fn by_index(mut kept: Kept) {
    let finds: Vec<Find> = kept.finds.iter().take(3).cloned().collect();
    for height in [0, 7, u32::MAX] {
        let finds = finds.iter().map(|find| Find { height, ..find.clone() }).collect();
        kept.put(height, BlockHash::all_zeros(), finds);
        assert!(kept.blocks.iter().is_sorted() && kept.blocks.len() <= MOST_BLOCKS);
        bounded(&kept);
    }
    kept.forget_before(u32::MAX);
    assert!(kept.finds.iter().all(|find| find.height == u32::MAX));
}

fn bounded(kept: &Kept) {
    assert!(kept.finds.len() <= MOST_FINDS);
    let mut count: BTreeMap<_, usize> = BTreeMap::new();
    for find in &kept.finds {
        *count.entry((find.tag, find.author)).or_default() += 1;
    }
    assert!(count.values().all(|of_one| *of_one <= MOST_OF_ONE) || kept.finds.is_empty());
}
