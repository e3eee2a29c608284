//! KRPC: the messages of the BitTorrent DHT (BEP 5, 32, 42, 43, 44) as bytes and back.
//!
//! Whatever comes in is read in place and believed nothing. What a newer node adds is passed over.

pub mod bencode;
mod compact;
mod message;
mod read;
mod write;

pub use compact::{Contact, Contacts, address, contacts, push_address, push_contact};
pub use message::{Ask, Body, Held, Message, Put, Query, Reply, codes};
pub use write::{Answer, Asking, answer, error, query};

/// The largest datagram that is sent: one that no path has to cut.
pub const MAX_SENT: usize = 1400;
/// The largest datagram that is read; more is no message of this protocol.
pub const MAX_READ: usize = 4096;
