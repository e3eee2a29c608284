//! The checks of `fuzz/`, on its corpus and on what chance makes: so that they are built, and hold, without cargo-fuzz.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod fuzzed;

use std::path::Path;

use proptest::prelude::*;

/// Feeds all seeds of a target; there have to be some.
fn feed(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut seeds = 0;
    for seed in std::fs::read_dir(folder).unwrap() {
        let seed = std::fs::read(seed.unwrap().path()).unwrap();
        check(&seed);
        // What is cut off is what comes of a datagram on a bad way.
        check(&seed[..seed.len() / 2]);
        seeds += 1;
    }
    assert!(seeds >= 4, "{seeds} seeds for {target}");
}

#[test]
fn the_seeds_hold() {
    feed("krpc", fuzzed::krpc);
    feed("core", |bytes| fuzzed::core(bytes, || 0));
    feed("item", fuzzed::item);
    feed("warm", fuzzed::warm);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_node_stands_whatever_happens(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        fuzzed::core(&bytes, || 0);
    }

    #[test]
    fn items_are_kept_by_the_letter(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzzed::item(&bytes);
    }

    #[test]
    fn any_bytes_may_lie_where_nodes_were_kept(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzzed::warm(&bytes);
        fuzzed::krpc(&bytes);
    }
}
