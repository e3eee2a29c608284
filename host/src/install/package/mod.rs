//! A package: one plugin for one machine, as a `.bbp` file. It is a tar archive in one zstd frame, and the same files make the same bytes.

mod pack;
mod read;
mod rules;
#[cfg(test)]
mod tests;

pub(crate) use pack::{Parts, pack};
pub(crate) use read::{Unpacked, look, unpack};

/// The largest package: 128 MiB.
pub(crate) const MAX_ARCHIVE: u64 = 128 << 20;
/// The most that a package may hold, unpacked: 512 MiB.
const MAX_TOTAL: u64 = 512 << 20;
/// The largest library in a package: 256 MiB.
const MAX_LIBRARY: u64 = 256 << 20;
/// The largest text in a package: 1 MiB.
const MAX_TEXT: u64 = 1 << 20;
/// The most memory that unpacking may want for what was read before: 8 MiB, as RFC 8878 recommends.
const MAX_WINDOW: u64 = 8 << 20;

/// The manifest comes first: it says what else may be there.
pub(crate) const MANIFEST: &str = "plugin.toml";
/// What its kinds of backend can be set to.
pub(crate) const SCHEMA: &str = "config.schema.json";
pub(crate) const LICENSE: &str = "LICENSE";
