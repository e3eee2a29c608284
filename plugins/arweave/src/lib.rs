//! Announcements in the data of Arweave transactions: paid for once by a key of the user's, kept for ever.
//!
//! An announcement is a transaction of format 2 with the sealed record as its data and a tag that the locator decides. Readers ask gateways
//! for transactions with that tag (GraphQL), read what is new, and verify all of it: the id, the owner's signature, and that the data are
//! those that were signed. `README.md` in this folder has the bytes, the costs and what all of it reveals.

mod backend;
mod base64url;
mod config;
mod deep_hash;
/// What gateways' and strangers' bytes meet first, for `fuzz/` and the tests alone.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
#[cfg(test)]
#[path = "../tests/node/key.rs"]
mod key;
#[cfg(test)]
#[path = "../tests/node/mod.rs"]
mod node;
mod read;
mod spend;
mod topic;
mod transaction;

use bitboot_plugin_api::export_plugin;

use backend::Arweave;

export_plugin! { manifest: "../plugin.toml", backends: [Arweave] }
