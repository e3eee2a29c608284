use std::net::SocketAddr;

use super::bencode::Value;
use crate::dht::Id;

/// One datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// Chosen by who asked, and told back unchanged, whatever its length.
    pub transaction: &'a [u8],
    /// The sender's program, in a form of its own.
    pub version: Option<&'a [u8]>,
    /// Where the sender saw the message before this one come from (BEP 42).
    pub ip: Option<SocketAddr>,
    /// What it says.
    pub body: Body<'a>,
}

/// The three kinds of message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<'a> {
    /// `q`
    Query(Query<'a>),
    /// `r`
    Reply(Reply<'a>),
    /// `e`: a code and a sentence.
    Error(i64, &'a [u8]),
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query<'a> {
    /// Who asks.
    pub id: Id,
    /// Who asks does not answer, so it is not to be remembered (BEP 43).
    pub read_only: bool,
    /// Asks for nodes of this family (BEP 32); neither is said by most.
    pub want: [bool; 2],
    /// A token that was given for an earlier question: for what is stored, and as a proof that answers arrive.
    pub token: Option<&'a [u8]>,
    /// What is asked.
    pub ask: Ask<'a>,
}

/// What a question asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask<'a> {
    /// Are you there?
    Ping,
    /// Which nodes are nearest to this id?
    FindNode(Id),
    /// Which peers are under this info hash, and which nodes are nearest to it?
    GetPeers(Id),
    /// Keep me as a peer.
    AnnouncePeer {
        /// The info hash.
        hash: Id,
        /// The peer's port.
        port: u16,
        /// The port is the one that the message comes from, whatever `port` says.
        implied: bool,
    },
    /// What is the item under this target (BEP 44)?
    Get {
        /// The SHA-1 of the value, or of key and salt.
        target: Id,
        /// Only an item that is newer than this one is of interest.
        seq: Option<i64>,
    },
    /// Keep an item (BEP 44).
    Put(Put<'a>),
    /// Something that is not known here, with the target that it has, if any.
    Other(Option<Id>),
}

/// An item to be stored (BEP 44).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put<'a> {
    /// The value, as it is encoded.
    pub value: &'a [u8],
    /// What makes it mutable; an item without is immutable.
    pub signed: Option<Held<'a>>,
    /// The salt of a mutable item; empty where there is none.
    pub salt: &'a [u8],
    /// Only in the place of the item with this `seq`.
    pub cas: Option<i64>,
    /// Where it lies. It follows from the rest, so it is believed nobody; nodes of the `mainline` crate answer no `put` without it.
    pub target: Option<Id>,
}

/// The key, number and signature of a mutable item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held<'a> {
    /// The ed25519 public key.
    pub key: &'a [u8; 32],
    /// The item's number.
    pub seq: i64,
    /// Over salt, number and value.
    pub signature: &'a [u8; 64],
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply<'a> {
    /// Who answers.
    pub id: Id,
    /// IPv4 nodes, 26 bytes each.
    pub nodes: &'a [u8],
    /// IPv6 nodes, 38 bytes each (BEP 32).
    pub nodes6: &'a [u8],
    /// The list of peers, each an address.
    pub values: Option<Value<'a>>,
    /// What storing needs.
    pub token: Option<&'a [u8]>,
    /// The value of an item, as it is encoded.
    pub value: Option<&'a [u8]>,
    /// The key, number and signature of a mutable item.
    pub signed: Option<Held<'a>>,
    /// The answerer has more to say to who proves, by the token, that answers arrive.
    pub more: bool,
}

impl Reply<'_> {
    /// The peers that it tells of.
    pub fn peers(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        let list = self.values.into_iter().flat_map(Value::list);
        list.filter_map(|value| super::address(value.bytes()?))
    }
}

/// The errors of BEP 5 and BEP 44.
pub mod codes {
    /// Malformed message, invalid arguments, bad token.
    pub const PROTOCOL: i64 = 203;
    /// An unknown method.
    pub const METHOD: i64 = 204;
    /// The value is too big.
    pub const TOO_BIG: i64 = 205;
    /// The signature does not fit.
    pub const SIGNATURE: i64 = 206;
    /// The salt is too big.
    pub const SALT: i64 = 207;
    /// The item is not the one that `cas` names.
    pub const CAS: i64 = 301;
    /// The item is older than what is there.
    pub const SEQ: i64 = 302;
}
