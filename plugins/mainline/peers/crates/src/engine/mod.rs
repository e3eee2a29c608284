//! The crates. The three share their ancestor, but not their types.

pub(crate) mod dht;
pub(crate) mod mainline;
pub(crate) mod n0;
