use std::net::IpAddr;
use std::time::Duration;

use crate::figures::{Found, Many, Sent};
use crate::ours::Ours;
use crate::peer::Peer;

/// An info hash.
pub(crate) type Hash = [u8; 20];

/// Whoever is measured. All times are taken in the process of the client.
pub(crate) enum Client {
    Ours(Ours),
    Peer(Peer),
}

/// One of many lookups that takes longer has missed.
pub(crate) const MISSED: Duration = Duration::from_secs(10);

impl Client {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ours(_) => "bitboot",
            Self::Peer(peer) => peer.kind.title,
        }
    }

    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::Ours(_))
    }

    pub(crate) fn ip(&self) -> IpAddr {
        match self {
            Self::Ours(ours) => ours.ip,
            Self::Peer(peer) => peer.ip,
        }
    }

    pub(crate) async fn lookup(&mut self, hash: Hash) -> Found {
        match self {
            Self::Ours(ours) => ours.lookup(hash).await,
            Self::Peer(peer) => peer.lookup("lookup", hash),
        }
    }

    /// By a new client that knows nothing.
    pub(crate) async fn cold(&mut self, hash: Hash) -> Found {
        match self {
            Self::Ours(ours) => ours.cold(hash, false).await,
            Self::Peer(peer) => peer.lookup("cold", hash),
        }
    }

    /// By a new client that knows what the old one kept, where there is such a thing.
    pub(crate) async fn cold_with_kept(&mut self, hash: Hash) -> Option<Found> {
        match self {
            Self::Ours(ours) => Some(ours.cold(hash, true).await),
            Self::Peer(_) => None,
        }
    }

    pub(crate) async fn announce(&mut self, hash: Hash) -> Sent {
        match self {
            Self::Ours(ours) => ours.announce(hash).await,
            Self::Peer(peer) => peer.announce(hash),
        }
    }

    pub(crate) async fn lookups(&mut self, hashes: Vec<Hash>, parallel: usize, only_first: bool) -> Many {
        match self {
            Self::Ours(ours) => ours.lookups(hashes, parallel, only_first).await,
            Self::Peer(peer) => peer.lookups(&hashes, parallel, only_first),
        }
    }
}
