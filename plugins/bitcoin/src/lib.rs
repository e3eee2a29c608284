//! Announcements in the outputs of Bitcoin transactions: paid for and signed by a key of the user's, kept by every full node for ever.
//!
//! An announcement is a transaction from the key's own address (P2WPKH, BIP 141) to itself, with an `OP_RETURN` output of a tag, which the
//! locator decides, and the sealed bytes. Readers walk the blocks of a node of theirs, verify the signature of the first input, and report
//! its key as the author. `README.md` in this folder has the bytes, the costs and what all of it reveals.

mod backend;
mod chain;
mod coins;
mod config;
/// What nodes' and strangers' bytes meet first, for `fuzz/` and the tests alone.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod lookup;
mod message;
mod node;
mod scan;
mod spend;

use bitboot_plugin_api::export_plugin;

use backend::Bitcoin;

export_plugin! { manifest: "../plugin.toml", backends: [Bitcoin] }
