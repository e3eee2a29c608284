//! What the crates have in common.

use std::net::SocketAddrV4;

use futures_util::Stream;

use crate::args::Setup;

pub(crate) type Hash = [u8; 20];
pub(crate) type Seed = [u8; 32];

/// A mutable item of BEP 44.
#[derive(Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) seq: i64,
    pub(crate) value: Vec<u8>,
}

/// One client of the DHT. Streams end when the crate says that the search is over.
pub(crate) trait Client: Sized {
    /// A new one, with its own socket and id; returns without waiting for the network.
    fn start(setup: &Setup) -> Result<Self, String>;

    /// Waits for its routing table; whether anybody answered.
    async fn bootstrapped(&self) -> bool;

    async fn address(&self) -> Result<SocketAddrV4, String>;

    async fn peers(&self, hash: Hash) -> Result<impl Stream<Item = Vec<SocketAddrV4>> + Unpin, String>;

    /// Returns when the crate says that the announcement is stored.
    async fn announce(&self, hash: Hash, port: u16) -> Result<(), String>;

    /// Returns when the crate says that the item is stored: the hash that it is stored under.
    async fn put(&self, seed: &Seed, item: &Item, cas: Option<i64>) -> Result<Hash, String>;

    async fn items(&self, seed: &Seed) -> Result<impl Stream<Item = Item> + Unpin, String>;
}
