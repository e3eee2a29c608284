//! What a node stores for others, and how it protects itself while it does.
//!
//! - `tokens`: only who receives at an address may store from it (BEP 5).
//! - `peers`: who announced themselves under which info hash (BEP 5); `swarm`: those under one.
//! - `items`: immutable and mutable items (BEP 44); `item`: one of them, and the check of what others tell of it.
//! - `limits`: how many messages an address may send, or be sent.
//! - `proven`: who may be sent more than they sent.
//!
//! Pure: the time is an argument, chance too, and nothing depends on the order of a hash map. Everything is bounded,
//! and nothing that is empty takes memory.

mod item;
mod items;
mod limits;
mod peers;
mod proven;
mod swarm;
mod tokens;

pub(crate) use item::{Item, signable, target_of_key, verify};
pub(crate) use items::Items;
pub(crate) use limits::{Limits, Rate};
pub(crate) use peers::Peers;
pub(crate) use proven::Proven;
pub(crate) use tokens::Tokens;
