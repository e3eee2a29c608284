use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use sha1::{Digest, Sha1};

use crate::dht::Id;

/// What a node is started with.
#[derive(Clone)]
pub struct Settings {
    /// The DHT spans the internet: private addresses are nobody's there, and neighbours in one subnet count once.
    pub wide: bool,
    /// It keeps to the rules of the internet, but private and loopback addresses are somebody's all the same: for test networks.
    pub inside: bool,
    /// Whether the node serves others.
    pub mode: Mode,
    /// With [`Mode::Auto`], how long it is there before it tries whether others reach it.
    pub tries_after: Duration,
    /// The families that the node has a socket for: IPv4, IPv6.
    pub families: [bool; 2],
    /// How long a node may take to answer before it is taken to be gone.
    pub patience: Duration,
    /// This machine's addresses as others see it, where that is known.
    pub public: [Option<IpAddr>; 2],
    /// How many questions may be in the air at once, at the least: more where the way has room for them.
    pub window: usize,
    /// What tokens and transaction ids follow from: from the system's chance, or others can guess them.
    pub secret: [u8; 16],
}

impl Settings {
    /// Private addresses are nobody's.
    pub(super) fn is_outside(&self) -> bool {
        self.wide && !self.inside
    }

    /// A secret for one purpose.
    pub(super) fn derived(&self, purpose: &[u8]) -> [u8; 16] {
        let digest = Sha1::new_with_prefix(self.secret).chain_update(purpose).finalize();
        std::array::from_fn(|at| digest[at])
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            wide: false,
            inside: false,
            mode: Mode::Client,
            tries_after: Duration::from_secs(10 * 60),
            families: [true, false],
            patience: Duration::from_secs(1),
            public: [None, None],
            window: 256,
            secret: [0; 16],
        }
    }
}

/// Whether a node serves others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Asks and does not answer (BEP 43).
    #[default]
    Client,
    /// Answers, and asks to be remembered.
    Server,
    /// A client that becomes a server where others reach it, in each family by itself, and a client again where they do not any more.
    Auto,
}

/// Whether others reach a node that they have not heard from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reachable {
    /// Nothing tells.
    #[default]
    Unknown,
    /// It has asked to be remembered, and waits for who comes.
    Trying,
    /// Somebody has come who was never asked.
    Yes,
    /// It has asked to be remembered, and nobody came.
    No,
}

/// IPv4 or IPv6; each is a DHT of its own (BEP 32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4
    V4,
    /// IPv6
    V6,
}

impl Family {
    /// The family of an address.
    #[must_use]
    pub fn of(at: SocketAddr) -> Self {
        if at.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The one that this is not.
    #[must_use]
    pub fn other(self) -> Self {
        if self == Self::V4 { Self::V6 } else { Self::V4 }
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self == Self::V6)
    }
}

/// One search of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SearchId(pub(super) u64);

/// What a search is for.
#[derive(Debug, Clone)]
pub enum Goal {
    /// The nodes nearest to an id.
    Nodes(Id),
    /// The peers under an info hash.
    Peers(Id),
    /// To be a peer under an info hash, at each of these ports.
    Announce(Id, Vec<u16>),
    /// The item under a target (BEP 44).
    Get(Id),
    /// To store an item.
    Put(Box<Stored>),
}

/// A mutable item that is to be stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Where: the SHA-1 of the key.
    pub target: Id,
    /// The ed25519 public key.
    pub key: [u8; 32],
    /// The item's number.
    pub seq: i64,
    /// Over number and value.
    pub signature: [u8; 64],
    /// The value, as it is encoded.
    pub value: Vec<u8>,
    /// Only in the place of the item with this number.
    pub cas: Option<i64>,
}

/// A datagram to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// To whom.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// What a node tells whoever runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A node told of these peers; they may come again.
    Peers(SearchId, Vec<SocketAddr>),
    /// A node holds an item whose signature fits.
    Item(SearchId, Item),
    /// A search has come to its end.
    Done(SearchId, Outcome),
}

/// A mutable item that a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The value, as it is encoded.
    pub value: Vec<u8>,
    /// Its number.
    pub seq: i64,
}

/// What came of a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Nodes that were asked.
    pub asked: usize,
    /// Nodes that answered.
    pub answered: usize,
    /// Datagrams, questions and others, that the system did not let out.
    pub unsent: usize,
    /// Nodes that were asked to store.
    pub offered: usize,
    /// When the last of them was asked for the first time, from the beginning of the search.
    pub sent_after: Option<Duration>,
    /// Nodes that acknowledged that they have stored.
    pub stored: usize,
    /// Nodes that refused, as they hold another item: 301 and 302 of BEP 44.
    pub conflicts: usize,
    /// The last other refusal.
    pub refusal: Option<String>,
}

/// What a node knows of itself.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Nodes that have answered and are not known to be gone.
    pub nodes: usize,
    /// Questions that were sent in the last minutes.
    pub asked: u64,
    /// How many of them were answered.
    pub answered: u64,
    /// This machine's addresses as most of the nodes see them.
    pub seen_at: [Option<SocketAddr>; 2],
    /// Somebody who was not asked has sent a question.
    pub reached: bool,
    /// How many nodes the DHT may have.
    pub size: Option<f64>,
    /// The same by family: IPv4, IPv6.
    pub sides: [SideFacts; 2],
}

/// What a node knows of itself in one family.
#[derive(Debug, Clone, Copy, Default)]
pub struct SideFacts {
    /// Nodes that have answered and are not known to be gone.
    pub nodes: usize,
    /// Nodes that it knows at all, from others or from an earlier start.
    pub known: usize,
    /// Questions that were sent.
    pub asked: u64,
    /// How many of them were answered.
    pub answered: u64,
    /// How many nodes have said where they see this machine.
    pub votes: usize,
    /// How many of them say the address that most of them say.
    pub agree: usize,
    /// How many nodes the DHT may have.
    pub size: Option<f64>,
    /// Whether others reach it unasked.
    pub reachable: Reachable,
    /// It answers others.
    pub serves: bool,
}
