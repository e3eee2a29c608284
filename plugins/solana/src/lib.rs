//! Announcements on Solana chains: paid for and signed by a key of the user's, read from any node.
//!
//! An announcement is the data of an account of the Config program, which its writer alone can change, or, in the cheap mode, a memo in a
//! transaction that names an address which the locator decides. Readers ask for the accounts that begin with such an address, and for the
//! transactions that name it. `README.md` in this folder has the bytes, the costs and what all of it reveals.

mod backend;
mod chain;
mod config;
mod delivery;
/// What nodes' and strangers' bytes meet first, for `fuzz/` and the tests alone.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod layout;
mod lookup;
mod memos;
mod node;
mod plan;
mod purse;
mod standing;
mod wire;

use bitboot_plugin_api::export_plugin;

use backend::Solana;

export_plugin! { manifest: "../plugin.toml", backends: [Solana] }
