//! Indexes: signed lists of releases, as files in a folder or on any web server. A list has a serial that only rises and a day on which it ends, so
//! that nobody can hold an old one out for the newest.

mod build;
mod known;
mod list;

pub(crate) use build::build;
pub(crate) use known::{IndexEntry, Indexes, forget};
pub(crate) use list::{Index, Listed, Signed};

/// The file of an index; its signature has `.minisig` behind that.
pub(crate) const FILE: &str = "index.toml";
/// The largest index that is read: 3 MiB.
pub(crate) const MAX_INDEX: usize = 3 << 20;
