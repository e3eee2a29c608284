//! Peers of a P2P network find each other, with no server of their own.
//!
//! A peer *announces* its address under a network's name on media that exist anyway; others *look it up* and connect. Each medium is a
//! *backend* inside a *plugin*, a shared library that is loaded at run time and listed in `registry.toml`. This crate knows no medium.
//!
//! ```no_run
//! use bitboot::{AnnounceOptions, Bitboot, Found, LookupOptions, Network};
//!
//! # async fn example() -> Result<(), bitboot::Error> {
//! let bitboot = Bitboot::new()?;
//! let network: Network = "my-game".parse()?;
//!
//! // Announced for as long as `announcing` is driven: `next` repeats it in time.
//! let mut announcing = bitboot.announce(&network, AnnounceOptions::port(4001))?;
//! tokio::spawn(async move { while announcing.next().await.is_some() {} });
//!
//! // A stream of what the backends find, in the order in which they find it.
//! let mut lookup = bitboot.lookup(&network, &LookupOptions::default())?;
//! while let Some(found) = lookup.next().await {
//!     match found {
//!         Found::Peer(peer) => println!("{} seen by {:?}", peer.endpoint, peer.backends),
//!         Found::Failed { backend, error, .. } => eprintln!("{backend}: {error}"),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A [`Lookup`] is also a `futures_core::Stream`. Dropping it, or an [`Announcing`], cancels what is under way. All of it wants a tokio runtime with
//! IO and time enabled.
//!
//! Plugins run in processes of their own. They are started from the program itself where it calls [`run_worker`] first thing in `main`, and
//! else from the command `bitboot`, which then has to lie beside the program or in `PATH`.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

mod amount;
mod author;
mod backend;
#[doc(hidden)]
pub mod cli;
mod client;
mod daemon;
mod discovery;
mod error;
mod files;
/// What strangers' bytes meet first, for the targets in `host/fuzz` alone.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod install;
mod keys;
mod loader;
mod network;
mod output;
mod paths;
mod registry;
mod state;
mod worker;

pub use amount::Amount;
pub use bitboot_plugin_api::{Address, Endpoint, EndpointError, Level, Locator, Quote, Receipt};
pub use client::{
    AnnounceOptions, Announcing, Answer, Bitboot, Found, Lookup, LookupOptions, Purpose, Quoted, Spend,
    Watch, Withdrawing,
};
pub use discovery::{Change, Ignored, Peer};
pub use error::{Error, Kind, Result};
pub use network::{Identity, MAX_NAME, Metadata, Network, PublicKey, Secret, Signer};
pub use paths::Paths;
pub use worker::{
    Confine, Death, Events, InForce, NotStarted, Remote, Rule, State, Witness, Worker, run_worker,
};
