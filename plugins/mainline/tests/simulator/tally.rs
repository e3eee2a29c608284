//! What was sent, and whether it may be.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bitboot_mainline::dht::krpc::{Ask, Body, Message};

/// What was sent in a network.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) all: Count,
    kinds: BTreeMap<&'static str, Count>,
    /// To addresses that nobody has.
    void: BTreeMap<SocketAddr, Count>,
    from: BTreeMap<SocketAddr, Count>,
    watched: Option<SocketAddr>,
    seconds: BTreeMap<u64, u64>,
    /// When the watched host has asked whom.
    asked: BTreeMap<SocketAddr, Vec<Duration>>,
}

/// Datagrams and their bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Count {
    pub(crate) datagrams: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    pub(crate) fn sent(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8], is_there: bool) {
        self.all.add(bytes);
        self.kinds.entry(kind(bytes)).or_default().add(bytes);
        self.from.entry(from).or_default().add(bytes);
        if !is_there {
            self.void.entry(to).or_default().add(bytes);
        }
    }

    /// A datagram that is sent or received at `at`, so long after the beginning.
    pub(crate) fn passes(&mut self, at: SocketAddr, after: Duration) {
        if self.watched == Some(at) {
            *self.seconds.entry(after.as_secs()).or_default() += 1;
        }
    }

    /// A datagram that one host sends another, so long after the beginning.
    pub(crate) fn leaves(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8], after: Duration) {
        self.passes(from, after);
        if self.watched == Some(from) && !matches!(kind(bytes), "reply" | "error") {
            self.asked.entry(to).or_default().push(after);
        }
    }

    /// Counts the datagrams of one host by the second from now on, and its questions by whom they are for.
    pub(crate) fn watch(&mut self, at: SocketAddr) {
        self.watched = Some(at);
        self.seconds.clear();
        self.asked.clear();
    }

    /// The most questions of the watched host that one other got within any such time.
    pub(crate) fn most_within(&self, time: Duration) -> usize {
        let within = |times: &[Duration], first: usize| {
            times[first..].iter().take_while(|at| **at < times[first] + time).count()
        };
        let most = self.asked.values().flat_map(|times| (0..times.len()).map(|first| within(times, first)));
        most.max().unwrap_or(0)
    }

    /// The datagrams of the watched host in each second in which there were any.
    pub(crate) fn seconds(&self) -> impl Iterator<Item = u64> {
        self.seconds.values().copied()
    }

    /// What was sent to somebody who is not there.
    pub(crate) fn towards(&self, nobody: SocketAddr) -> Count {
        self.void.get(&nobody).copied().unwrap_or_default()
    }

    /// What was sent under an address.
    pub(crate) fn from(&self, at: SocketAddr) -> Count {
        self.from.get(&at).copied().unwrap_or_default()
    }
}

impl Count {
    fn add(&mut self, bytes: &[u8]) {
        self.datagrams += 1;
        self.bytes += bytes.len() as u64;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} datagrams, {} KiB:", self.all.datagrams, self.all.bytes / 1024)?;
        self.kinds.iter().try_for_each(|(kind, count)| write!(out, " {kind} {}", count.datagrams))
    }
}

/// Whether an address is somebody's on the internet. On purpose not the core's own opinion.
pub(crate) fn is_public(at: SocketAddr) -> bool {
    let IpAddr::V4(ip) = at.ip() else { return false };
    let [a, b, c, _] = ip.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_benchmark = a == 198 && (b == 18 || b == 19);
    let is_protocol = a == 192 && b == 0 && c == 0;
    let is_special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_documentation();
    at.port() != 0 && (1..224).contains(&a) && !is_special && !is_shared && !is_benchmark && !is_protocol
}

fn kind(bytes: &[u8]) -> &'static str {
    match Message::read(bytes).map(|message| message.body) {
        Ok(Body::Reply(_)) => "reply",
        Ok(Body::Error(..)) => "error",
        Ok(Body::Query(query)) => match query.ask {
            Ask::Ping => "ping",
            Ask::FindNode(_) => "find_node",
            Ask::GetPeers(_) => "get_peers",
            Ask::AnnouncePeer { .. } => "announce_peer",
            Ask::Get { .. } => "get",
            Ask::Put(_) => "put",
            Ask::Other(_) => "other",
        },
        Err(_) => "junk",
    }
}
