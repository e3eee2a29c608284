use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::address::subnet;
use super::api::Mode;
use super::odds::Kind;
use super::rtt::Rtt;
use crate::dht::krpc::Contact;
use crate::dht::{Distance, Id};

/// The nodes that a node knows: for each number of leading bits that they share with it a bucket (BEP 5).
///
/// The buckets of the far halves are larger than the 8 of BEP 5, as libtorrent's are: 128, 64, 32, 16, and twice that where the node is a
/// client, of which a machine has one. So a search begins several steps nearer, and in a small network at its end.
#[derive(Debug)]
pub(super) struct Table {
    own: Id,
    buckets: Vec<Vec<Known>>,
    /// The room of the farthest bucket.
    room: usize,
    wide: bool,
}

/// A node of the table.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) contact: Contact,
    /// When it answered last; never, for one that was only told of.
    pub(super) heard: Option<Instant>,
    /// When it was asked last whether it is there.
    pub(super) pinged: Option<Instant>,
    pub(super) rtt: Rtt,
    failures: u8,
}

/// For so long a node that has answered is taken to be there (BEP 5).
pub(super) const FRESH: Duration = Duration::from_secs(15 * 60);
/// After so many questions without an answer it is taken to be gone.
const GONE: u8 = 2;
/// How many nodes of one subnet a bucket takes on the internet.
const SUBNET: usize = 2;

impl Known {
    /// It has answered once and has not failed to since: worth being told of, also in a network that was quiet for a while.
    pub(super) fn is_reliable(&self) -> bool {
        self.failures == 0 && self.heard.is_some()
    }

    /// It is to be asked soon whether it is there.
    pub(super) fn is_aging(&self, now: Instant) -> bool {
        self.heard.is_none_or(|heard| now.saturating_duration_since(heard) >= FRESH * 2 / 3)
    }

    /// It has answered lately, and has not failed to since.
    pub(super) fn is_good(&self, now: Instant) -> bool {
        self.failures == 0 && self.kind(now) == Kind::Known
    }

    /// Whether it has answered lately.
    pub(super) fn kind(&self, now: Instant) -> Kind {
        let is_fresh = |heard| now.saturating_duration_since(heard) < FRESH;
        if self.heard.is_some_and(is_fresh) { Kind::Known } else { Kind::Told }
    }
}

impl Table {
    pub(super) fn new(own: Id, mode: Mode, wide: bool) -> Self {
        let room = if mode == Mode::Server { 128 } else { 256 };
        Self { own, buckets: Vec::new(), room, wide }
    }

    /// Takes a node that has answered just now; what was known of it before.
    pub(super) fn heard(&mut self, contact: Contact, took: Option<Duration>, now: Instant) -> Kind {
        if let Some(known) = self.find(&contact) {
            let kind = known.kind(now);
            (known.heard, known.failures) = (Some(now), 0);
            if let Some(took) = took {
                known.rtt.learn(took);
            }
            return kind;
        }
        let mut rtt = Rtt::default();
        if let Some(took) = took {
            rtt.learn(took);
        }
        // A node that was started again has a new id at its address.
        for bucket in &mut self.buckets {
            bucket.retain(|known| known.contact.at != contact.at);
        }
        self.insert(Known { contact, heard: Some(now), pinged: None, rtt, failures: 0 });
        Kind::Told
    }

    /// Takes a node that somebody told of, if there is room.
    pub(super) fn told(&mut self, contact: Contact) {
        if self.find(&contact).is_none() {
            self.insert(Known { contact, heard: None, pinged: None, rtt: Rtt::default(), failures: 0 });
        }
    }

    /// What is known of who is at an address.
    pub(super) fn kind(&self, at: SocketAddr, now: Instant) -> Kind {
        self.all().find(|known| known.contact.at == at).map_or(Kind::Told, |known| known.kind(now))
    }

    /// Notes that a node has not answered.
    pub(super) fn failed(&mut self, at: SocketAddr) {
        for bucket in &mut self.buckets {
            if let Some(index) = bucket.iter().position(|known| known.contact.at == at) {
                let known = &mut bucket[index];
                known.failures = known.failures.saturating_add(1);
                if known.failures >= GONE || known.heard.is_none() {
                    bucket.swap_remove(index);
                }
                return;
            }
        }
    }

    /// The nearest nodes, the nearest first, of those that `fits`.
    pub(super) fn nearest(&self, target: &Id, most: usize, fits: impl Fn(&Known) -> bool) -> Vec<&Known> {
        // Numbers are compared sooner than bytes are, and this is what a server does most.
        let mut nearest: Vec<(u64, Distance, &Known)> = Vec::with_capacity(most + 1);
        for known in self.all() {
            let head = known.contact.id.head() ^ target.head();
            let is_far = nearest.len() == most && nearest.last().is_some_and(|(last, ..)| *last < head);
            if is_far || !fits(known) {
                continue;
            }
            let distance = known.contact.id.distance(target);
            let at = nearest.partition_point(|(first, rest, _)| (*first, rest) < (head, &distance));
            nearest.insert(at, (head, distance, known));
            nearest.truncate(most);
        }
        nearest.into_iter().map(|(.., known)| known).collect()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Known> {
        self.buckets.iter().flatten()
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Known> {
        self.buckets.iter_mut().flatten()
    }

    /// The same nodes as they lie around another id.
    pub(super) fn moved(&mut self, own: Id) {
        self.own = own;
        for known in std::mem::take(&mut self.buckets).into_iter().flatten() {
            self.insert(known);
        }
    }

    fn find(&mut self, contact: &Contact) -> Option<&mut Known> {
        let bucket = self.buckets.get_mut(self.own.shared_bits(&contact.id))?;
        bucket.iter_mut().find(|known| known.contact == *contact)
    }

    fn insert(&mut self, new: Known) {
        let shared = self.own.shared_bits(&new.contact.id);
        if shared >= 160 {
            return;
        }
        if self.buckets.len() <= shared {
            self.buckets.resize_with(shared + 1, Vec::new);
        }
        let (room, wide) = ((self.room >> shared.min(8)).max(8), self.wide);
        let bucket = &mut self.buckets[shared];
        // One address is one node, and on the internet a subnet is soon one owner.
        let ip = new.contact.at.ip();
        let twin = bucket.iter().position(|known| {
            if wide { known.contact.at.ip() == ip } else { known.contact.at == new.contact.at }
        });
        if let Some(twin) = twin {
            // Who answers is believed over who was told of or has gone silent.
            if new.heard.is_some() && (bucket[twin].heard.is_none() || bucket[twin].failures > 0) {
                bucket[twin] = new;
            }
            return;
        }
        let neighbours = || bucket.iter().filter(|known| subnet(known.contact.at.ip()) == subnet(ip)).count();
        if wide && neighbours() >= SUBNET {
            return;
        }
        if bucket.len() < room {
            bucket.push(new);
        } else if let Some(worst) = worst(bucket).filter(|_| new.heard.is_some()) {
            bucket[worst] = new;
        }
    }
}

/// Who makes room for a node that answers: one that does not.
fn worst(bucket: &[Known]) -> Option<usize> {
    bucket
        .iter()
        .position(|known| known.failures > 0)
        .or_else(|| bucket.iter().position(|known| known.heard.is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(id: Id, host: u32) -> Contact {
        Contact { id, at: SocketAddr::new(std::net::Ipv4Addr::from(host).into(), 6881) }
    }

    #[test]
    fn the_nearest_are_the_nearest_and_the_first_ones_stay() {
        let (mut chance, now) = (fastrand::Rng::with_seed(1), Instant::now());
        let own = Id::random(&mut chance);
        let mut table = Table::new(own, Mode::Server, false);
        for host in 1..=5000 {
            table.heard(contact(Id::random(&mut chance), host), None, now);
        }
        assert_eq!(table.buckets[0].len(), 128);
        let target = Id::random(&mut chance);
        let nearest: Vec<Id> =
            table.nearest(&target, 8, |_| true).iter().map(|known| known.contact.id).collect();
        let mut all: Vec<Id> = table.all().map(|known| known.contact.id).collect();
        all.sort_by_key(|id| id.distance(&target));
        assert_eq!(nearest, all[..8]);
    }

    #[test]
    fn who_is_silent_goes_and_who_answers_comes() {
        let (mut chance, now) = (fastrand::Rng::with_seed(2), Instant::now());
        let own = Id([0; 20]);
        let mut table = Table::new(own, Mode::Server, true);
        let bucket: Vec<Contact> =
            (0_u32..8).map(|n| contact(own.sharing(10, &mut chance), n << 8 | 1)).collect();
        for known in &bucket {
            table.heard(*known, None, now);
        }
        let late = contact(own.sharing(10, &mut chance), 99 << 8);
        table.heard(late, None, now);
        assert!(table.all().all(|known| known.contact != late));
        table.failed(bucket[3].at);
        table.heard(late, None, now);
        assert!(table.all().any(|known| known.contact == late) && table.all().count() == 8);
        table.failed(bucket[4].at);
        table.failed(bucket[4].at);
        assert_eq!(table.all().count(), 7);
        // A third of one subnet, and the same address with another id.
        for twin in [
            contact(own.sharing(10, &mut chance), 1 << 8 | 1),
            contact(own.sharing(9, &mut chance), 1 << 8 | 2),
        ] {
            table.heard(twin, None, now);
        }
        assert_eq!(table.all().count(), 8);
    }
}
