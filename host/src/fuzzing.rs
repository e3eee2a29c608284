//! The door for `host/fuzz`: it exists only where cargo-fuzz builds the crate.

pub use crate::install::fuzzing::{index, lock, package, release};
pub use crate::network::fuzzing::{bundle, invite, record};
use crate::registry::Registry;

/// What a hostile worker says to the host.
pub fn worker(said: &[u8]) {
    crate::worker::hear(said);
}

/// Text that somebody wrote into `registry.toml`.
pub fn registry(text: &str) {
    if let Ok(registry) = Registry::layered("", text, "registry.toml") {
        for entry in registry.networks.values() {
            // An entry that is none says why, in one sentence each.
            assert!(entry.value.as_ref().err().is_none_or(|error| !error.what.is_empty()));
        }
    }
}
