//! Announcements through a small contract on Ethereum and on chains like it, paid for and signed by a key of the user's.
//!
//! An announcement is a call of the contract: a key that the locator decides, and the sealed bytes. The contract leaves an event of both and of
//! who called, the cheap way; or keeps the bytes in a slot of the caller's own. Readers ask nodes for the events under the key, from where they
//! have read to, or for the slots. The contract is the same on all chains, and at the same address wherever anybody has deployed it.
//! `README.md` in this folder has the bytes, the costs and what all of it reveals.

mod actions;
mod answers;
mod backend;
mod chain;
mod config;
mod contract;
mod fees;
/// What nodes' and strangers' bytes meet first, for `fuzz/` and the tests alone.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod node;
mod purse;
mod scan;
mod send;
mod slots;
mod source;
mod transaction;

use bitboot_plugin_api::export_plugin;

use backend::Ethereum;

export_plugin! { manifest: "../plugin.toml", backends: [Ethereum] }
