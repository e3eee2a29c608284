//! The checks of a plugin's fuzz targets, for its ordinary tests: so that they hold also where there is no cargo-fuzz.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::sample::Index;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

/// What has to hold of any bytes; it panics where that does not.
pub type Check = fn(&[u8]);

/// Runs the checks of some targets, by their names: on the seeds in `fuzz/corpus/` of the crate in a folder, whole and cut, and for so many cases
/// on seeds that are changed by chance and on any bytes.
pub fn hold(folder: &str, cases: u32, targets: &[(&str, Check)]) {
    let fed: Vec<(Check, Vec<Vec<u8>>)> =
        targets.iter().map(|(target, check)| (*check, seeds(folder, target))).collect();
    for (check, seeds) in &fed {
        for seed in seeds {
            check(seed);
            (0..8).for_each(|part| check(&seed[..seed.len() * part / 8]));
        }
    }
    let changes = (any::<Index>(), vec(any::<(u16, u8, u8)>(), 0..6));
    by_chance(cases, &changes, |(which, changes)| {
        for (check, seeds) in &fed {
            check(&bent(which.get::<Vec<u8>>(seeds), &changes));
        }
    });
    by_chance(cases, &vec(any::<u8>(), 0..400), |bytes| {
        for (check, _) in &fed {
            check(&bytes);
        }
    });
}

fn by_chance<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(strategy, |value| {
        test(value);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// All seeds of a target.
fn seeds(folder: &str, target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(folder).join("fuzz/corpus").join(target);
    let seeds: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|seed| std::fs::read(seed.unwrap().path()).unwrap()).collect();
    assert!(seeds.len() >= 4, "{} seeds for {target}", seeds.len());
    seeds
}

/// Bytes with some changes: where, of which kind, with which byte.
fn bent(seed: &[u8], changes: &[(u16, u8, u8)]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for (at, kind, byte) in changes {
        let at = usize::from(*at) % (bytes.len() + 1);
        match kind % 5 {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, *byte),
            // A part twice, so that lists grow.
            2 => {
                let end = bytes.len().min(at + usize::from(*byte));
                bytes.splice(at..at, bytes[at..end].to_vec());
            }
            _ => bytes.iter_mut().skip(at).take(1).for_each(|old| *old = *byte),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus(seeds: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let corpus = folder.path().join("fuzz/corpus/target");
        std::fs::create_dir_all(&corpus).unwrap();
        (0..seeds)
            .for_each(|seed| std::fs::write(corpus.join(seed.to_string()), "sixteen letters ").unwrap());
        folder
    }

    fn is_told(seeds: usize, check: Check) -> bool {
        let folder = corpus(seeds);
        let held = || hold(folder.path().to_str().unwrap(), 64, &[("target", check)]);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(held)).is_err()
    }

    #[test]
    fn what_does_not_hold_is_told_whatever_it_is_fed() {
        assert!(!is_told(4, |_| {}) && is_told(3, |_| {}), "too few seeds");
        // A seed as it is, one that is cut, one that has grown, and other bytes.
        assert!(is_told(4, |bytes| assert!(bytes != b"sixteen letters ")));
        assert!(is_told(4, |bytes| assert!(bytes != b"sixteen ")));
        assert!(is_told(4, |bytes| assert!(bytes.len() <= 16 || !bytes.starts_with(b"six"))));
        assert!(is_told(4, |bytes| assert!(bytes.len() < 100)));
    }
}
