use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// How many messages may come from one source, and from all of them together; or go to them.
///
/// A source is an IPv4 address or an IPv6 network of 64 bits, which is what one host has. Loopback addresses are held
/// to the common limit only: there, thousands of nodes of a test share one address.
///
/// At most 4096 sources are remembered. Whoever forges more of them can make one that was held back be forgotten and
/// begin anew, but not let more through than the limit for all, which is not kept by source. What that means as well:
/// a flood from forged sources uses up the common limit, and honest askers wait with it.
pub(crate) struct Limits {
    each: Rate,
    all: Rate,
    /// Those whose bucket is not full again. A full bucket is like none.
    sources: BTreeMap<IpAddr, Bucket>,
    total: Bucket,
}

/// A token bucket's measures; less than 1 of either is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// How many messages a second, in the long run.
    pub(crate) per_second: u32,
    /// How many at once, after a pause.
    pub(crate) burst: u32,
}

/// How many sources are remembered.
const SOURCES: usize = 4096;

impl Limits {
    /// For queries that come in, 20 a second with a burst of 80 for each and 2000 with 4000 for all are reasonable.
    pub(crate) fn new(each: Rate, all: Rate) -> Self {
        Self { each, all, sources: BTreeMap::new(), total: Bucket::default() }
    }

    /// Whether a message of (or to) this address may pass now; if so, it is counted.
    ///
    /// What does not pass costs nothing, so that one source alone cannot use up what all have.
    pub(crate) fn allow(&mut self, ip: IpAddr, now: Instant) -> bool {
        if !self.wait(ip, now).is_zero() {
            return false;
        }
        self.take(ip, now);
        true
    }

    fn take(&mut self, ip: IpAddr, now: Instant) {
        self.total.take(self.all, now);
        if !ip.to_canonical().is_loopback() {
            let source = source(ip);
            if self.sources.len() >= SOURCES && !self.sources.contains_key(&source) {
                self.make_room(now);
            }
            self.sources.entry(source).or_default().take(self.each, now);
        }
    }

    /// How long until a message to this address may pass after those that have their turn already; its own is taken, unless that is longer
    /// than `most`.
    pub(crate) fn reserve(&mut self, ip: IpAddr, most: Duration, now: Instant) -> Option<Duration> {
        let wait = self.wait(ip, now);
        if wait > most {
            return None;
        }
        self.take(ip, now);
        Some(wait)
    }

    /// How long until a message of (or to) this address may pass if no other does before; zero if it may now.
    pub(crate) fn wait(&self, ip: IpAddr, now: Instant) -> Duration {
        let own = if ip.to_canonical().is_loopback() { None } else { self.sources.get(&source(ip)) };
        let own = own.map_or(Duration::ZERO, |bucket| bucket.wait(self.each, now));
        own.max(self.total.wait(self.all, now))
    }

    /// Forgets those who may do all that an unknown one may; if there are none, who is nearest to that.
    fn make_room(&mut self, now: Instant) {
        self.sources.retain(|_, bucket| !bucket.is_full(now));
        if self.sources.len() >= SOURCES
            && let Some((first, _)) = self.sources.iter().min_by_key(|(_, bucket)| bucket.full_at)
        {
            let first = *first;
            self.sources.remove(&first);
        }
    }
}

/// Whom an address belongs to, as far as one can tell: in IPv6 a host has a network of 64 bits to choose from.
pub(super) fn source(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
    }
}

/// A token bucket, kept as the time at which it is full again; `None` is full.
#[derive(Clone, Copy, Default)]
struct Bucket {
    full_at: Option<Instant>,
}

impl Bucket {
    fn is_full(self, now: Instant) -> bool {
        self.full_at.is_none_or(|at| at <= now)
    }

    fn wait(self, rate: Rate, now: Instant) -> Duration {
        let missing = self.full_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        missing.saturating_sub(rate.interval() * (rate.burst.max(1) - 1))
    }

    fn take(&mut self, rate: Rate, now: Instant) {
        let full_at = self.full_at.map_or(now, |at| at.max(now));
        self.full_at = Some(full_at + rate.interval());
    }
}

impl Rate {
    fn interval(self) -> Duration {
        Duration::from_secs(1) / self.per_second.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EACH: Rate = Rate { per_second: 20, burst: 80 };
    const ALL: Rate = Rate { per_second: 2000, burst: 4000 };
    const SECOND: Duration = Duration::from_secs(1);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn passing(limits: &mut Limits, from: IpAddr, now: Instant) -> usize {
        (0..5000).filter(|_| limits.allow(from, now)).count()
    }

    #[test]
    fn each_source_has_its_burst_and_then_its_rate() {
        let (mut limits, now) = (Limits::new(EACH, ALL), Instant::now());
        let (one, other) = (ip("203.0.113.7"), ip("203.0.113.8"));
        assert_eq!((passing(&mut limits, one, now), passing(&mut limits, other, now)), (80, 80));
        assert_eq!(passing(&mut limits, one, now + SECOND), 20);
        assert_eq!(passing(&mut limits, one, now + 60 * SECOND), 80);
    }

    #[test]
    fn who_is_refused_is_told_how_long_to_wait() {
        let (mut limits, now) = (Limits::new(EACH, ALL), Instant::now());
        let from = ip("203.0.113.7");
        assert_eq!(limits.wait(from, now), Duration::ZERO);
        passing(&mut limits, from, now);
        let wait = limits.wait(from, now);
        assert_eq!(wait, SECOND / 20);
        assert!(!limits.allow(from, now + wait / 2) && limits.allow(from, now + wait));
    }

    #[test]
    fn an_ipv6_network_is_one_source_and_mapped_ipv4_is_ipv4() {
        let (mut limits, now) = (Limits::new(EACH, ALL), Instant::now());
        passing(&mut limits, ip("2001:db8::1"), now);
        assert!(!limits.allow(ip("2001:db8::ffff:2"), now) && limits.allow(ip("2001:db8:0:1::1"), now));
        passing(&mut limits, ip("203.0.113.7"), now);
        assert!(!limits.allow(ip("::ffff:203.0.113.7"), now));
    }

    #[test]
    fn loopback_is_held_to_the_common_limit_only() {
        let (mut limits, now) = (Limits::new(EACH, ALL), Instant::now());
        let passed: usize = ["127.0.0.1", "::1", "::ffff:127.0.0.2"]
            .map(|from| passing(&mut limits, ip(from), now))
            .iter()
            .sum();
        assert_eq!((passed, limits.sources.len()), (4000, 0));
        assert_eq!(limits.wait(ip("127.0.0.1"), now), SECOND / 2000);
    }

    #[test]
    fn a_source_that_is_refused_takes_nothing_from_the_others() {
        let (mut limits, now) = (Limits::new(EACH, Rate { per_second: 100, burst: 100 }), Instant::now());
        assert_eq!(passing(&mut limits, ip("203.0.113.7"), now), 80);
        assert_eq!(passing(&mut limits, ip("203.0.113.8"), now), 20);
    }

    #[test]
    fn forged_sources_get_no_more_than_all_may_have() {
        let all = Rate { per_second: 2000, burst: 10_000 };
        let (mut limits, now) = (Limits::new(EACH, all), Instant::now());
        let flood = (0..50_000_u32).map(|number| IpAddr::from((0x0b00_0000 + number).to_be_bytes()));
        let held = ip("203.0.113.7");
        assert_eq!(passing(&mut limits, held, now), 80);
        assert_eq!(flood.clone().filter(|from| limits.allow(*from, now)).count(), 10_000 - 80);
        assert_eq!(limits.sources.len(), SOURCES);
        assert!(limits.sources.contains_key(&held), "who did the most is forgotten last");
        assert_eq!(flood.clone().filter(|from| limits.allow(*from, now + SECOND)).count(), 2000);
        limits.make_room(now + 60 * SECOND);
        assert!(limits.sources.is_empty());
    }

    #[test]
    fn no_rate_at_all_is_one_a_second() {
        let none = Rate { per_second: 0, burst: 0 };
        let (mut limits, now) = (Limits::new(none, none), Instant::now());
        assert_eq!(passing(&mut limits, ip("203.0.113.7"), now), 1);
        assert_eq!(limits.wait(ip("203.0.113.8"), now), SECOND);
    }

    proptest! {
        #[test]
        fn what_passes_is_within_the_rates(steps in prop::collection::vec((0_u8..4, 0_u64..200), 0..400)) {
            let (each, all) = (Rate { per_second: 5, burst: 10 }, Rate { per_second: 10, burst: 15 });
            let (start, mut limits) = (Instant::now(), Limits::new(each, all));
            let (mut now, mut passed) = (start, [0; 4]);
            for (from, pause) in steps {
                now += Duration::from_millis(pause);
                let at = IpAddr::from([203, 0, 113, from]);
                let may = limits.wait(at, now).is_zero();
                prop_assert_eq!(limits.allow(at, now), may);
                passed[usize::from(from)] += u64::from(may);
                let most = |rate: Rate| {
                    u64::from(rate.burst) + (now - start).as_secs() * u64::from(rate.per_second)
                        + u64::from(rate.per_second)
                };
                prop_assert!(passed.iter().all(|count| *count <= most(each)));
                prop_assert!(passed.iter().sum::<u64>() <= most(all));
            }
        }
    }
}
