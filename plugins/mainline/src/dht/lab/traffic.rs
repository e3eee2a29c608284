use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many datagrams went between the network and somebody outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Those that the network got.
    pub received: u64,
    /// Those that the network sent.
    pub sent: u64,
}

/// Counts for each address outside.
#[derive(Debug)]
pub(super) struct Counts {
    own: HashSet<SocketAddr>,
    outside: Mutex<HashMap<IpAddr, Traffic>>,
}

impl Counts {
    /// What these send each other does not count.
    pub(super) fn new(own: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self { own: own.into_iter().collect(), outside: Mutex::default() }
    }

    pub(super) fn of(&self, ip: IpAddr) -> Traffic {
        self.outside().get(&ip).copied().unwrap_or_default()
    }

    pub(super) fn received(&self, from: SocketAddr) {
        self.count(from, |traffic| traffic.received += 1);
    }

    pub(super) fn sent(&self, to: SocketAddr) {
        self.count(to, |traffic| traffic.sent += 1);
    }

    fn count(&self, at: SocketAddr, add: impl FnOnce(&mut Traffic)) {
        if !self.own.contains(&at) {
            add(self.outside().entry(at.ip()).or_default());
        }
    }

    fn outside(&self) -> MutexGuard<'_, HashMap<IpAddr, Traffic>> {
        self.outside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
