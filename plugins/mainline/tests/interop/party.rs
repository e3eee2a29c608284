use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bitboot_mainline::dht::{Id, Mode};
use serde_json::json;

use super::ours::Ours;
use super::peer::{Kind, Peer};

/// Anybody who can be told to announce and to look up.
pub(crate) enum Party {
    Ours(Ours),
    Theirs(Peer),
}

/// What is announced may take a moment until it is everywhere.
const PATIENCE: Duration = Duration::from_secs(120);

impl Party {
    /// A client of ours, or of somebody else where a kind is given.
    pub(crate) fn client(kind: Option<&'static Kind>, bootstrap: &[SocketAddr], ip: IpAddr) -> Self {
        match kind {
            None => Self::Ours(Ours::start(bootstrap, ip, Mode::Client)),
            Some(kind) => Self::Theirs(Peer::start(kind, bootstrap, ip, false)),
        }
    }

    /// The same that serves others.
    pub(crate) fn node(kind: Option<&'static Kind>, bootstrap: &[SocketAddr], ip: IpAddr) -> Self {
        match kind {
            None => Self::Ours(Ours::start(bootstrap, ip, Mode::Server)),
            Some(kind) => Self::Theirs(Peer::start(kind, bootstrap, ip, true)),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ours(_) => "ours",
            Self::Theirs(peer) => peer.kind.name,
        }
    }

    pub(crate) fn at(&self) -> SocketAddr {
        match self {
            Self::Ours(ours) => ours.at,
            Self::Theirs(peer) => peer.at,
        }
    }

    /// Announces itself; where it is to be found then.
    pub(crate) fn announce(&mut self, hash: Id, port: u16) -> SocketAddr {
        let took = match self {
            Self::Ours(ours) => ours.announce(hash, port) as u64,
            Self::Theirs(peer) => {
                let acks = peer.ask(json!({ "op": "announce", "hash": format!("{hash:?}"), "port": port }));
                acks["acks"].as_u64().unwrap_or_default()
            }
        };
        assert_ne!(took, 0, "nobody has taken the announcement of {}", self.name());
        SocketAddr::new(self.at().ip(), port)
    }

    /// Looks until it has found a peer.
    pub(crate) fn finds(&mut self, hash: Id, peer: SocketAddr) {
        let start = Instant::now();
        loop {
            let found = self.lookup(hash);
            if found.contains(&peer) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{} finds {found:?} and not {peer}", self.name());
            sleep(Duration::from_millis(300));
        }
    }

    fn lookup(&mut self, hash: Id) -> BTreeSet<SocketAddr> {
        match self {
            Self::Ours(ours) => ours.lookup(hash),
            Self::Theirs(peer) => {
                let found = peer.ask(json!({ "op": "lookup", "hash": format!("{hash:?}") }));
                let peers = found["peers"].as_array().unwrap();
                peers.iter().map(|peer| peer.as_str().unwrap().parse().unwrap()).collect()
            }
        }
    }

    /// Stores an item under a key of its own.
    pub(crate) fn put(&mut self, seed: [u8; 32], value: &[u8]) {
        let took = match self {
            Self::Ours(ours) => ours.put(seed, value, 1) as u64,
            Self::Theirs(peer) => {
                let put = json!({ "op": "put", "seed": hex(&seed), "value": hex(value), "seq": 1 });
                peer.ask(put)["acks"].as_u64().unwrap_or_default()
            }
        };
        assert_ne!(took, 0, "nobody has taken the item of {}", self.name());
    }

    /// Looks until it has got an item.
    pub(crate) fn gets(&mut self, seed: [u8; 32], value: &[u8]) {
        let start = Instant::now();
        while !self.get(seed, value) {
            assert!(start.elapsed() < PATIENCE, "{} does not get the item", self.name());
            sleep(Duration::from_millis(300));
        }
    }

    fn get(&mut self, seed: [u8; 32], value: &[u8]) -> bool {
        match self {
            Self::Ours(ours) => ours.get(seed, value),
            Self::Theirs(peer) => {
                let got = peer.ask(json!({ "op": "get", "seed": hex(&seed) }));
                let values = got["values"].as_array().unwrap();
                values.iter().any(|got| got["value"] == hex(value))
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
