//! The BitTorrent DHT (BEP 5) as a medium, and every private DHT of its protocol.
//!
//! A locator of 20 bytes is an info hash: announcing is `announce_peer`, looking up is `get_peers`. The DHT stores the sender's own
//! address for about half an hour. A slot of 32 bytes is the seed of a mutable item's key (BEP 44). The node is that of [`dht`]; the
//! `mainline` crate's can be had instead, and all that knows which of them is used lies in `engine`.

mod announcing;
mod backend;
mod bootstrap;
mod config;
pub mod dht;
mod diagnose;
mod engine;
mod families;
mod health;
mod nodes;
mod own;
mod registers;
mod testnet;

use bitboot_plugin_api::export_plugin;

pub use backend::Mainline;
pub use config::MainlineConfig;

export_plugin! { manifest: "../plugin.toml", backends: [Mainline] }
