use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use super::swarm::{Peer, Swarm};
use crate::dht::Id;

/// Who announced themselves under which info hash (BEP 5).
///
/// A peer is an address with a port. It is kept for 45 minutes after its last announcement, or up to a second less:
/// BEP 5 leaves that open; most announce again every 15 to 30. A source (an IPv4 address, or an IPv6 network of 64
/// bits) has at most 4 ports under a hash, loopback excepted, where every port may be another node of a test. Beyond
/// that and beyond the limit for a hash, the peer that was silent for longest goes.
///
/// # When there are too many hashes
/// A new hash always gets in, or else whoever comes first could keep all others out. What goes for it is, in this
/// order: a hash without a living peer; one that only the same source announced; the one with the fewest sources, and
/// among those the one that was announced least lately.
/// - Sources count, not peers: ports cost nothing, addresses do.
/// - A source alone makes room among its own. A flood of new hashes from one address costs the others one hash, not
///   all.
/// - A flood from many addresses, each hash from one of them, turns over the hashes with one source. Those with two
///   stay as long as there are any with one, and a newcomer is one: to push out what k sources announced takes k
///   addresses, and k announcements a hash. What is used by many is the last to go.
///
/// A peer takes 24 bytes, an empty store nothing. With the limits that are usual, 4000 hashes of 500 peers, a store
/// that is full to the brim has about 50 MB.
pub(crate) struct Peers {
    limit_hashes: usize,
    limit_peers_each: usize,
    /// What seconds are counted from: the first announcement.
    began: Option<Instant>,
    swarms: BTreeMap<Id, Swarm>,
}

impl Peers {
    /// For so many hashes (4000 are usual), each with so many peers (500).
    pub(crate) fn new(limit_hashes: usize, limit_peers_each: usize) -> Self {
        Self { limit_hashes, limit_peers_each, began: None, swarms: BTreeMap::new() }
    }

    /// Keeps a peer, or renews it. One at port 0 is none, and is not kept.
    pub(crate) fn put(&mut self, hash: Id, peer: SocketAddr, now: Instant) {
        if peer.port() == 0 || self.limit_hashes == 0 || self.limit_peers_each == 0 {
            return;
        }
        self.began.get_or_insert(now);
        let peer = Peer::new(peer, self.seconds(now));
        if self.swarms.len() >= self.limit_hashes && !self.swarms.contains_key(&hash) {
            self.make_room(&peer);
        }
        self.swarms.entry(hash).or_default().put(peer, self.limit_peers_each);
    }

    /// At most so many living peers of one family, chosen by chance, in no order, none twice.
    pub(crate) fn get(
        &self,
        hash: Id,
        v6: bool,
        most: usize,
        chance: &mut fastrand::Rng,
        now: Instant,
    ) -> Vec<SocketAddr> {
        let now = self.seconds(now);
        let swarm = self.swarms.get(&hash);
        let fitting = swarm.into_iter().flat_map(|swarm| swarm.alive(now)).filter(|at| at.is_ipv6() == v6);
        // As much room is reserved as is asked for.
        chance.choose_multiple(fitting, most.min(swarm.map_or(0, Swarm::len)))
    }

    /// Forgets those whose time is over; to be called every few minutes. `get` does not need it.
    pub(crate) fn expire(&mut self, now: Instant) {
        let now = self.seconds(now);
        self.swarms.retain(|_, swarm| {
            swarm.expire(now);
            swarm.len() > 0
        });
    }

    #[cfg(test)]
    /// How many hashes have peers, those included that `expire` has not yet seen.
    pub(crate) fn len(&self) -> usize {
        self.swarms.len()
    }

    fn make_room(&mut self, newcomer: &Peer) {
        let source = newcomer.source();
        let goes = self.swarms.iter().min_by_key(|(_, swarm)| {
            let is_alive = swarm.is_alive(newcomer.seen);
            (is_alive, !swarm.is_only_of(source), swarm.sources(), swarm.renewed())
        });
        if let Some(hash) = goes.map(|(hash, _)| *hash) {
            self.swarms.remove(&hash);
        }
    }

    /// Whole seconds since the first announcement.
    fn seconds(&self, now: Instant) -> u32 {
        let passed = self.began.map_or(0, |began| now.saturating_duration_since(began).as_secs());
        u32::try_from(passed).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(host: u16, port: u16) -> SocketAddr {
        let [high, low] = host.to_be_bytes();
        SocketAddr::from(([203, 0, high, low], port))
    }

    fn hash(number: u16) -> Id {
        let mut id = Id([0; 20]);
        id.0[..2].copy_from_slice(&number.to_be_bytes());
        id
    }

    fn all(peers: &Peers, hash: Id, now: Instant) -> Vec<SocketAddr> {
        let mut chance = fastrand::Rng::with_seed(1);
        let mut found = peers.get(hash, false, usize::MAX, &mut chance, now);
        found.extend(peers.get(hash, true, usize::MAX, &mut chance, now));
        found.sort_unstable();
        found
    }

    #[test]
    fn a_peer_is_kept_once_until_45_minutes_after_its_last_announcement() {
        let (mut peers, start) = (Peers::new(10, 10), Instant::now());
        peers.put(hash(1), at(1, 1), start);
        peers.put(hash(1), at(1, 1), start + 40 * MINUTE);
        let last = start + Duration::from_secs(85 * 60 - 1);
        assert_eq!(all(&peers, hash(1), last), [at(1, 1)]);
        assert!(
            all(&peers, hash(1), start + 85 * MINUTE).is_empty() && all(&peers, hash(2), last).is_empty()
        );
        peers.expire(last);
        assert_eq!(peers.len(), 1);
        peers.expire(start + 85 * MINUTE);
        assert_eq!(peers.len(), 0);
    }

    #[test]
    fn families_are_apart_and_addresses_have_one_form() {
        let (mut peers, now, mut chance) = (Peers::new(10, 10), Instant::now(), fastrand::Rng::with_seed(1));
        for text in ["203.0.113.7:1", "[::ffff:203.0.113.7]:1", "[2001:db8::7]:1", "203.0.113.7:0"] {
            peers.put(hash(1), text.parse().unwrap(), now);
        }
        assert_eq!(peers.get(hash(1), false, 9, &mut chance, now), ["203.0.113.7:1".parse().unwrap()]);
        assert_eq!(peers.get(hash(1), true, 9, &mut chance, now), ["[2001:db8::7]:1".parse().unwrap()]);
    }

    #[test]
    fn a_sample_is_by_chance() {
        let (mut peers, now, mut chance) = (Peers::new(10, 100), Instant::now(), fastrand::Rng::with_seed(1));
        (0..20).for_each(|host| peers.put(hash(1), at(host, 1), now));
        let mut times = BTreeMap::new();
        for _ in 0..2000 {
            let sample = peers.get(hash(1), false, 5, &mut chance, now);
            assert_eq!(sample.len(), 5);
            for at in sample {
                *times.entry(at).or_insert(0) += 1;
            }
        }
        assert!(times.len() == 20 && times.values().all(|count| (400..600).contains(count)), "{times:?}");
        assert!(peers.get(hash(1), false, 0, &mut chance, now).is_empty());
    }

    #[test]
    fn a_flood_from_many_addresses_leaves_what_is_well_used() {
        let (mut peers, start) = (Peers::new(100, 500), Instant::now());
        for used in 0..50 {
            (0..2).for_each(|host| peers.put(hash(used), at(host, 1), start));
        }
        for new in 100..5000 {
            (1..5).for_each(|port| peers.put(hash(new), at(new, port), start + MINUTE));
        }
        assert_eq!(peers.len(), 100);
        assert!((0..50).all(|used| !all(&peers, hash(used), start).is_empty()));
        assert!(!all(&peers, hash(4999), start).is_empty(), "the newest is in");
    }

    #[test]
    fn a_flood_from_one_address_costs_one_hash() {
        let (mut peers, start) = (Peers::new(100, 500), Instant::now());
        (0..100).for_each(|used| peers.put(hash(used), at(used, 1), start + u32::from(used) * MINUTE / 10));
        (100..5000).for_each(|new| peers.put(hash(new), at(100, 1), start + 10 * MINUTE));
        assert_eq!(peers.len(), 100);
        let left = (0..100).filter(|used| !all(&peers, hash(*used), start).is_empty());
        assert!(left.eq(1..100), "the one that was announced least lately has gone");
    }

    #[test]
    fn what_has_no_living_peer_goes_first() {
        let (mut peers, start) = (Peers::new(2, 500), Instant::now());
        (0..9).for_each(|host| peers.put(hash(1), at(host, 1), start));
        peers.put(hash(2), at(1, 1), start + 44 * MINUTE);
        peers.put(hash(3), at(1, 1), start + 46 * MINUTE);
        assert!(peers.swarms.keys().eq(&[hash(2), hash(3)]));
    }

    #[test]
    fn little_memory_is_taken() {
        assert!(size_of::<Peers>() <= 64);
        let (mut none, now) = (Peers::new(0, 0), Instant::now());
        none.put(hash(1), at(1, 1), now);
        assert_eq!(none.len(), 0);
    }

    proptest! {
        #[test]
        fn limits_and_times_hold(puts in prop::collection::vec((0_u16..6, 0_u16..8, 1_u16..8, 0_u64..400_000), 1..200)) {
            let (mut peers, mut now, mut last) = (Peers::new(4, 6), Instant::now(), BTreeMap::new());
            let mut chance = fastrand::Rng::with_seed(1);
            for (number, host, port, pause) in puts {
                now += Duration::from_millis(pause);
                peers.put(hash(number), at(host, port), now);
                last.insert((number, at(host, port)), now);
                if pause % 5 == 0 {
                    peers.expire(now);
                }
                prop_assert!(peers.len() <= 4);
                prop_assert!(all(&peers, hash(number), now).contains(&at(host, port)));
                for number in 0..6 {
                    let mut found = all(&peers, hash(number), now);
                    prop_assert!(found.len() <= 6 && found.iter().all(|at| now - last[&(number, *at)] < 45 * MINUTE));
                    prop_assert!(found.chunk_by(|one, next| one.ip() == next.ip()).all(|ports| ports.len() <= 4));
                    found.dedup();
                    let mut sample = peers.get(hash(number), false, 3, &mut chance, now);
                    sample.sort_unstable();
                    sample.dedup();
                    prop_assert_eq!(sample.len(), found.len().min(3));
                }
            }
        }
    }
}
