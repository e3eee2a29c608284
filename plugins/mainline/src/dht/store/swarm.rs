use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::limits::source;

/// The peers under one hash; never empty, but for the moment in which the first is put in.
#[derive(Default)]
pub(super) struct Swarm {
    /// By address and port, so those of a source are side by side.
    peers: Vec<Peer>,
    sources: usize,
    /// When a peer was last put, in seconds.
    renewed: u32,
}

/// How long a peer is kept, in seconds (libtorrent: 30 to 45 minutes).
const LIFETIME: u32 = 45 * 60;

/// How many ports of one source are kept under a hash: a household has a few devices, a flood has many ports.
const PORTS_EACH: usize = 4;

impl Swarm {
    /// Keeps or renews a peer. Of its source at most four are kept, of all at most `limit`, which is not 0: the one
    /// that was silent for longest goes.
    pub(super) fn put(&mut self, peer: Peer, limit: usize) {
        self.renewed = self.renewed.max(peer.seen);
        if let Ok(at) = self.place(&peer) {
            self.peers[at].seen = peer.seen;
            return;
        }
        let source = peer.source();
        let is_of_source = |other: &Peer| other.source() == source;
        if !peer.address().ip().is_loopback()
            && self.peers.iter().filter(|other| is_of_source(other)).count() >= PORTS_EACH
        {
            self.remove_oldest(is_of_source);
        } else if self.peers.len() >= limit {
            self.remove_oldest(|_| true);
        }
        let (Ok(at) | Err(at)) = self.place(&peer);
        self.peers.insert(at, peer);
        self.count();
    }

    /// The addresses of those whose time is not over.
    pub(super) fn alive(&self, now: u32) -> impl Iterator<Item = SocketAddr> {
        self.peers.iter().filter(move |peer| is_recent(peer.seen, now)).map(Peer::address)
    }

    /// Forgets the others.
    pub(super) fn expire(&mut self, now: u32) {
        self.peers.retain(|peer| is_recent(peer.seen, now));
        self.count();
        if self.peers.len() < self.peers.capacity() / 4 {
            self.peers.shrink_to_fit();
        }
    }

    /// How many peers there are, those included that `expire` has not yet seen.
    pub(super) fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether a peer's time is not over.
    pub(super) fn is_alive(&self, now: u32) -> bool {
        is_recent(self.renewed, now)
    }

    /// When a peer was last put, in seconds.
    pub(super) fn renewed(&self) -> u32 {
        self.renewed
    }

    /// How many sources the peers are from.
    pub(super) fn sources(&self) -> usize {
        self.sources
    }

    /// Whether nobody but this source is here.
    pub(super) fn is_only_of(&self, source: IpAddr) -> bool {
        self.sources == 1 && self.peers.first().is_some_and(|peer| peer.source() == source)
    }

    fn place(&self, peer: &Peer) -> Result<usize, usize> {
        self.peers.binary_search_by_key(&(peer.ip, peer.port), |other| (other.ip, other.port))
    }

    fn remove_oldest(&mut self, among: impl Fn(&Peer) -> bool) {
        let those = self.peers.iter().enumerate().filter(|(_, peer)| among(peer));
        if let Some((at, _)) = those.min_by_key(|(_, peer)| peer.seen) {
            self.peers.remove(at);
        }
    }

    fn count(&mut self) {
        self.sources = self.peers.chunk_by(|one, next| one.source() == next.source()).count();
    }
}

/// One that announced itself.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    /// IPv4 in its mapped form: one size for both, and no pointer.
    ip: Ipv6Addr,
    port: u16,
    /// When it was last put, in seconds.
    pub(super) seen: u32,
}

impl Peer {
    /// At port 0 there is none; whoever makes one has seen to that.
    pub(super) fn new(at: SocketAddr, seen: u32) -> Self {
        let ip = match at.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        Self { ip, port: at.port(), seen }
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::new(self.ip.to_canonical(), self.port)
    }

    /// Whom it belongs to, as `limits` sees it.
    pub(super) fn source(&self) -> IpAddr {
        source(self.ip.into())
    }
}

/// Both are rounded down, so what is 45 minutes old never is, and what is up to a second younger may not be.
fn is_recent(seen: u32, now: u32) -> bool {
    now.saturating_sub(seen) < LIFETIME
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swarm(limit: usize, peers: &[&str]) -> Swarm {
        let mut swarm = Swarm::default();
        peers.iter().zip(0..).for_each(|(at, seen)| swarm.put(Peer::new(at.parse().unwrap(), seen), limit));
        swarm
    }

    fn told(swarm: &Swarm) -> Vec<String> {
        swarm.alive(0).map(|at| at.to_string()).collect()
    }

    #[test]
    fn of_a_source_the_newest_four_ports_are_kept() {
        let kept =
            swarm(9, &["11.0.0.1:5", "11.0.0.2:1", "11.0.0.1:4", "11.0.0.1:3", "11.0.0.1:2", "11.0.0.1:1"]);
        assert_eq!(told(&kept), ["11.0.0.1:1", "11.0.0.1:2", "11.0.0.1:3", "11.0.0.1:4", "11.0.0.2:1"]);
        assert_eq!(kept.sources(), 2);
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        let hosts: Vec<_> = (1..=5).map(|host| format!("[2001:db8::{host}]:1")).collect();
        let kept = swarm(9, &hosts.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((kept.len(), kept.sources()), (4, 1));
        let [own, other] = ["2001:db8::", "2001:db8:0:1::"].map(|ip| ip.parse().unwrap());
        assert!(kept.is_only_of(own) && !kept.is_only_of(other));
    }

    #[test]
    fn loopback_may_have_any_number_of_ports() {
        for ip in ["127.0.0.1", "[::1]"] {
            let ports: Vec<_> = (1..=9).map(|port| format!("{ip}:{port}")).collect();
            assert_eq!(swarm(9, &ports.iter().map(String::as_str).collect::<Vec<_>>()).len(), 9, "{ip}");
        }
    }

    #[test]
    fn of_all_the_newest_are_kept() {
        let kept = swarm(3, &["11.0.0.1:1", "11.0.0.2:1", "11.0.0.3:1", "11.0.0.1:1", "11.0.0.4:1"]);
        assert_eq!(told(&kept), ["11.0.0.1:1", "11.0.0.3:1", "11.0.0.4:1"]);
        assert_eq!(kept.renewed(), 4);
    }

    #[test]
    fn what_is_over_is_forgotten_with_its_memory() {
        let many: Vec<_> = (1..=200).map(|host| format!("11.0.0.{host}:1")).collect();
        let mut kept = swarm(500, &many.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(size_of::<Peer>(), 24);
        kept.expire(LIFETIME + 189);
        assert_eq!((kept.len(), kept.sources(), kept.peers.capacity()), (10, 10, 10));
        assert!(kept.is_alive(LIFETIME + 198) && !kept.is_alive(LIFETIME + 199));
    }
}
