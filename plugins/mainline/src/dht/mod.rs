//! A BitTorrent DHT engine (BEP 5, 32, 42, 43, 44).
//!
//! - [`krpc`]: messages as bytes and back; pure.
//! - `node`: a [`Node`] as a state machine without sockets and without a clock; pure.
//! - `store`: what a node keeps for others, and how it protects itself; pure.
//! - `net`: a [`Dht`] gives a node its sockets and its time.
//! - [`lab`]: networks of such nodes on this machine, with delays, losses and dead nodes.

mod id;
pub mod krpc;
pub mod lab;
mod net;
mod node;
mod store;

pub use id::{Distance, Id};
pub use net::{Dht, Searching, Start, Wire};
pub use node::{
    Event, Facts, Family, Goal, Item, Mode, Node, Outcome, Reachable, SearchId, Settings, SideFacts, Stored,
    Transmit,
};
pub(crate) use store::{signable, target_of_key};
