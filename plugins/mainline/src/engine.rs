//! What the plugin needs of a DHT node, behind one trait; the only place that knows whose node it is.

mod acks;
mod any;
mod both;
mod crate_engine;
mod own_engine;
mod probe;
mod told;
mod turns;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use futures_lite::Stream;

use crate::bootstrap::Bootstrap;
use crate::config::{EngineName, NodeMode};
use crate::dht::{Reachable, Wire};
use crate::families::Addresses;

/// The engine that is used.
pub(crate) type Dht = any::AnyEngine;

/// What peers are stored under (BEP 5).
pub(crate) type InfoHash = [u8; 20];

/// The seed of an ed25519 key pair, under whose public half one item lies (BEP 44, without a salt).
pub(crate) type Seed = [u8; 32];

/// A mutable item (BEP 44).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Item {
    pub(crate) value: Vec<u8>,
    pub(crate) seq: i64,
}

/// The most bytes of an item's value: 1000 with the length before it (BEP 44), as in `996:`.
pub(crate) const MAX_ITEM: usize = 996;

/// A node of the DHT: a client that knows other nodes. Dropping it closes its socket.
pub(crate) trait Engine: Sized + Send + Sync + 'static {
    /// Binds the socket and begins to enter the DHT, without waiting for anybody's answer.
    fn start(setup: Setup) -> impl Future<Output = Result<Self>> + Send;

    /// Announces each of the ports, IPv4's and IPv6's, at the nodes nearest to the hash; the nodes that acknowledged all of them.
    fn announce(
        &self,
        hash: InfoHash,
        ports: &[Vec<u16>; 2],
    ) -> impl Future<Output = Result<u32, Untaken>> + Send;

    /// The peers under a hash as nodes tell of them, with repetitions; ends when there is nobody nearer left to ask.
    fn lookup(&self, hash: InfoHash) -> impl Stream<Item = Vec<SocketAddr>> + Send + Unpin + 'static;

    /// The items under a seed as nodes tell of them, one a node, checked; they end when there is nobody nearer left to ask. Beside them
    /// how many nodes have answered in the end, with an item or without. Waits until the search may begin.
    fn items(
        &self,
        seed: &Seed,
    ) -> impl Future<
        Output = (
            impl Stream<Item = Item> + Send + Unpin + 'static,
            impl Future<Output = u32> + Send + 'static,
        ),
    > + Send;

    /// Puts an item at the nodes nearest to its key; how many took it. With `cas`, only those that have none or the one with this `seq`.
    fn put(
        &self,
        seed: &Seed,
        item: &Item,
        cas: Option<i64>,
    ) -> impl Future<Output = Result<u32, Untaken>> + Send;

    /// Why the system let nothing out to anybody, when that was the end of the last search.
    fn refusal(&self) -> Option<std::io::Error>;

    /// Whether a search that nobody answers goes back to the bootstrap hosts by itself.
    fn heals(&self) -> bool;

    /// What makes the next start quick, if it keeps anything.
    fn keep(&self) -> impl Future<Output = Option<Vec<u8>>> + Send;

    /// Waits until the first search for other nodes has ended, whatever it found.
    fn entered(&self) -> impl Future<Output = ()> + Send;

    /// What the node knows of itself in each family, without asking anybody.
    fn facts(&self) -> impl Future<Output = [Facts; 2]> + Send;

    /// Asks some of the known nodes whether they are there, until enough of those asked have answered.
    fn ask_around(&self, enough: impl FnOnce(usize) -> usize + Send) -> impl Future<Output = Answers> + Send;
}

/// What a node is started with.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) bootstrap: Bootstrap,
    /// Where to listen in each family that is used.
    pub(crate) listen: [Option<SocketAddr>; 2],
    /// How long a node may take to answer.
    pub(crate) patience: Duration,
    pub(crate) public_address: Addresses,
    /// The DHT spans the internet.
    pub(crate) wide: bool,
    pub(crate) which: EngineName,
    pub(crate) mode: NodeMode,
    /// What an earlier node kept.
    pub(crate) kept: Option<Vec<u8>>,
}

/// Why an announcement or an item was not stored.
#[derive(Debug)]
pub(crate) enum Untaken {
    /// There is no node to store it at.
    Nobody,
    /// Nodes were asked, and this is what came of it.
    Unacknowledged(String),
    /// Most of the nodes have an item that does not go before this one.
    Conflict(String),
}

/// What a node knows of itself in one family.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts {
    /// The socket; a family without one is not used.
    pub(crate) bound_to: Option<SocketAddr>,
    /// How many other nodes it knows that have answered lately.
    pub(crate) nodes: usize,
    /// How many it knows at all.
    pub(crate) known: usize,
    /// This machine's address as most of the nodes see it.
    pub(crate) public_address: Option<SocketAddr>,
    /// How many of how many nodes see it there, where they are counted.
    pub(crate) votes: Option<(usize, usize)>,
    /// Whether others reach it unasked.
    pub(crate) reachable: Reachable,
    /// It answers others.
    pub(crate) serves: bool,
    /// How many nodes the DHT may have, as far as the distances between those seen tell.
    pub(crate) network_size: usize,
    /// How many of its questions were answered, of how many, where they are counted.
    pub(crate) questions: Option<(u64, u64)>,
    /// What went through the socket, where it is counted.
    pub(crate) wire: Option<Wire>,
}

/// This machine's addresses as most of the nodes see them.
pub(crate) fn seen_at(facts: &[Facts; 2]) -> [Option<SocketAddr>; 2] {
    facts.map(|side| side.public_address)
}

/// How many nodes were there, of how many that were asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answers {
    pub(crate) answered: usize,
    pub(crate) asked: usize,
}

fn cannot_bind(listen: &[Option<SocketAddr>; 2], error: &std::io::Error) -> Error {
    let at = listen.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    Error::new(ErrorKind::Config, format!("the DHT node cannot use the UDP address {at}"))
        .because(error.to_string())
        .fix("set `bind` to an address of this machine and `port` to a free port, or leave them out")
}
