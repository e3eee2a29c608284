use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The addresses at which what is sent arrives, as far as is known: a question of ours was answered from there, or a
/// token came back.
///
/// Whoever is not among them may have forged the sender's address, so that a reply hits somebody who asked nothing. No
/// reply to them may be larger than its question: then forging gains nothing. A proof is good for 10 minutes, as a
/// token is at most (BEP 5).
///
/// At most 2000 addresses are remembered; the one whose last proof is oldest makes room. Who is forgotten loses
/// nothing but the length of the next reply.
#[derive(Default)]
pub(crate) struct Proven {
    noted: BTreeMap<SocketAddr, Instant>,
}

/// How long a proof is good.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// How many addresses are remembered.
const ADDRESSES: usize = 2000;

impl Proven {
    /// Nobody has proven anything.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Who is at this address has proven it just now.
    pub(crate) fn note(&mut self, at: SocketAddr, now: Instant) {
        let at = plain(at);
        if self.noted.len() >= ADDRESSES && !self.noted.contains_key(&at) {
            self.make_room(now);
        }
        self.noted.insert(at, now);
    }

    /// Whether who is at this address has proven it within the last 10 minutes.
    pub(crate) fn has(&self, at: SocketAddr, now: Instant) -> bool {
        self.noted.get(&plain(at)).is_some_and(|noted| is_good(*noted, now))
    }

    fn make_room(&mut self, now: Instant) {
        self.noted.retain(|_, noted| is_good(*noted, now));
        if self.noted.len() >= ADDRESSES
            && let Some((oldest, _)) = self.noted.iter().min_by_key(|(_, noted)| **noted)
        {
            let oldest = *oldest;
            self.noted.remove(&oldest);
        }
    }
}

fn is_good(noted: Instant, now: Instant) -> bool {
    now.saturating_duration_since(noted) < LIFETIME
}

/// Without an IPv6 scope or flow, and IPv4 as IPv4: what differs between two datagrams of one host.
fn plain(at: SocketAddr) -> SocketAddr {
    SocketAddr::new(at.ip().to_canonical(), at.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u16) -> SocketAddr {
        let [high, low] = number.to_be_bytes();
        SocketAddr::from(([203, 0, high, low], 6881))
    }

    #[test]
    fn a_proof_is_good_for_one_address_and_10_minutes() {
        let (mut proven, now) = (Proven::new(), Instant::now());
        assert!(!proven.has(at(1), now));
        proven.note(at(1), now);
        assert!(proven.has(at(1), now) && !proven.has(at(2), now));
        assert!(!proven.has(SocketAddr::new(at(1).ip(), 6882), now), "another port");
        let last = now + Duration::from_millis(10 * 60 * 1000 - 1);
        assert!(proven.has(at(1), last) && !proven.has(at(1), now + LIFETIME));
        proven.note(at(1), last);
        assert!(proven.has(at(1), now + LIFETIME));
    }

    #[test]
    fn an_address_has_one_form() {
        let (mut proven, now) = (Proven::new(), Instant::now());
        proven.note("[::ffff:203.0.0.1]:6881".parse().unwrap(), now);
        proven.note("[fe80::1%3]:6881".parse().unwrap(), now);
        assert!(proven.has(at(1), now) && proven.has("[fe80::1]:6881".parse().unwrap(), now));
    }

    #[test]
    fn the_one_with_the_oldest_proof_makes_room() {
        let (mut proven, start) = (Proven::new(), Instant::now());
        let after = |millis| start + Duration::from_millis(millis);
        for number in 0..2000 {
            proven.note(at(number), after(number.into()));
        }
        proven.note(at(0), after(2000));
        proven.note(at(2000), after(2001));
        let now = after(2002);
        assert_eq!(proven.noted.len(), ADDRESSES);
        assert!(proven.has(at(0), now) && !proven.has(at(1), now));
        assert!(proven.has(at(2), now) && proven.has(at(2000), now));
    }

    #[test]
    fn what_is_no_longer_good_goes_first() {
        let (mut proven, start) = (Proven::new(), Instant::now());
        for number in 0..2000 {
            proven.note(at(number), start);
        }
        proven.note(at(2000), start + LIFETIME);
        assert_eq!(proven.noted.len(), 1);
    }
}
