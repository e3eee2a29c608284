//! Whoever has an address in a network.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Instant;

use bitboot_mainline::dht::{Event, Node, Outcome, SearchId, Settings};

/// What is answered by one that is no node of ours.
pub(crate) type Hostile = Box<dyn FnMut(SocketAddr, &[u8]) -> Vec<(SocketAddr, Vec<u8>)>>;

/// Whoever has an address.
pub(crate) struct Host {
    pub(crate) at: SocketAddr,
    /// Datagrams, both ways.
    pub(crate) datagrams: u64,
    pub(crate) searches: BTreeMap<SearchId, Progress>,
    pub(crate) who: Who,
    pub(crate) wakes: Option<Instant>,
    pub(crate) turns: (Instant, u32),
}

pub(crate) enum Who {
    Node(Box<Node>, Settings),
    Hostile(Hostile),
    Gone,
}

/// How far a search is. Moments come with the datagrams of its host up to then.
pub(crate) struct Progress {
    pub(crate) began: (Instant, u64),
    pub(crate) first: Option<(Instant, u64)>,
    pub(crate) done: Option<(Instant, u64)>,
    pub(crate) outcome: Outcome,
    pub(crate) peers: BTreeSet<SocketAddr>,
}

impl Host {
    pub(crate) fn note(&mut self, event: Event, now: Instant) {
        let so_far = (now, self.datagrams);
        match event {
            Event::Peers(search, peers) => {
                let Some(progress) = self.searches.get_mut(&search) else { return };
                progress.first.get_or_insert(so_far);
                progress.peers.extend(peers);
            }
            Event::Done(search, outcome) => {
                let Some(progress) = self.searches.get_mut(&search) else { return };
                assert!(progress.done.is_none(), "{search:?} of {} ends twice", self.at);
                (progress.done, progress.outcome) = (Some(so_far), outcome);
            }
            Event::Item(..) => {}
        }
    }

    /// A node that has always something due, at once, would keep time from passing.
    pub(crate) fn turn(&mut self, now: Instant) {
        self.turns = if self.turns.0 == now { (now, self.turns.1 + 1) } else { (now, 0) };
        assert!(self.turns.1 < 1000, "{} is due again and again, and no time passes", self.at);
    }
}
