use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::address::subnet;
use super::api::{Mode, Reachable, Settings};
use super::side::Votes;

/// Whether others reach the node in one family, and with [`Mode::Auto`] whether it serves them.
///
/// It begins as a client. When the others agree about the address at which they see it, which behind a NAT that gives each of them
/// another port they do not, it asks to be remembered, and answers. Whoever then comes without ever having been asked proves that the way
/// in is open; when nobody comes, it is a client again, and tries later.
#[derive(Debug)]
pub(super) struct Reach {
    mode: Mode,
    wide: bool,
    tries_after: Duration,
    state: State,
    /// When that began.
    since: Instant,
    /// How long it is a client before it tries again.
    pause: Duration,
    asked: Option<Box<Asked>>,
    strangers: BTreeSet<u64>,
    /// When anybody has come last.
    visited: Instant,
    /// Where the others saw it when it was reached.
    seen_at: Option<SocketAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Hidden { has_tried: bool },
    Trying,
    Open,
}

/// For so long it waits for somebody to come.
const TRIAL: Duration = Duration::from_secs(15 * 60);
/// After so long without a visit it is not reached any more: others ask a node that they know at least so often.
const LOST: Duration = Duration::from_secs(30 * 60);
/// The longest pause between two trials.
const LONGEST: Duration = Duration::from_secs(4 * 3600);

impl Reach {
    pub(super) fn new(settings: &Settings, now: Instant) -> Self {
        Self {
            mode: settings.mode,
            wide: settings.wide,
            tries_after: settings.tries_after,
            state: State::Hidden { has_tried: false },
            since: now,
            pause: settings.tries_after,
            // A server's own questions are answered by nearly all, and those who have answered are known.
            asked: (settings.mode != Mode::Server).then(|| Box::new(Asked::new(now))),
            strangers: BTreeSet::new(),
            visited: now,
            seen_at: None,
        }
    }

    /// Others are answered, and may remember the node.
    pub(super) fn serves(&self) -> bool {
        match self.mode {
            Mode::Client => false,
            Mode::Server => true,
            Mode::Auto => !matches!(self.state, State::Hidden { .. }),
        }
    }

    pub(super) fn reachable(&self) -> Reachable {
        match self.state {
            State::Open => Reachable::Yes,
            State::Trying => Reachable::Trying,
            State::Hidden { has_tried: true } => Reachable::No,
            State::Hidden { has_tried: false } => Reachable::Unknown,
        }
    }

    /// Notes that somebody is asked: what comes from there afterwards may come through a door that the question has opened.
    pub(super) fn asking(&mut self, to: SocketAddr, now: Instant) {
        if let Some(asked) = &mut self.asked {
            asked.note(to, now);
        }
    }

    /// Notes a question of somebody, who may have answered one of ours.
    pub(super) fn questioned(&mut self, from: SocketAddr, is_known: bool, now: Instant) {
        /// On the internet one address alone may be a mistake of a NAT.
        const WIDE: usize = 3;
        self.visited = now;
        if self.state == State::Open || is_known || self.asked.as_ref().is_some_and(|asked| asked.has(from)) {
            return;
        }
        self.strangers.insert(subnet(from.ip()));
        if self.strangers.len() >= if self.wide { WIDE } else { 1 } {
            self.enter(State::Open, now);
            self.pause = self.tries_after;
        }
    }

    /// Looks whether it is time for something else; whether a trial begins, for which the node has to make itself known, so that somebody
    /// has to be there.
    pub(super) fn look(&mut self, votes: &Votes, has_company: bool, now: Instant) -> bool {
        if let Some(asked) = &mut self.asked {
            asked.turn(now);
        }
        let seen_at = votes.winner().map(|(at, _)| at);
        let lasts = now.saturating_duration_since(self.since);
        match self.state {
            State::Hidden { .. } if self.mode == Mode::Auto => {
                let begins = lasts >= self.pause && has_company && self.agree(votes);
                if begins {
                    self.enter(State::Trying, now);
                }
                return begins;
            }
            State::Trying if lasts >= TRIAL => {
                self.pause = (self.pause * 2).min(LONGEST);
                self.enter(State::Hidden { has_tried: true }, now);
            }
            State::Open => {
                let has_moved = seen_at.is_some_and(|at| self.seen_at.get_or_insert(at).ip() != at.ip());
                if has_moved || now.saturating_duration_since(self.visited) >= LOST {
                    self.enter(State::Hidden { has_tried: false }, now);
                }
            }
            _ => {}
        }
        false
    }

    /// Most of the others see the node at one and the same address and port.
    fn agree(&self, votes: &Votes) -> bool {
        let enough = if self.wide { 3 } else { 1 };
        votes.winner().is_some_and(|(_, agree)| agree >= enough && agree * 4 >= votes.count() * 3)
    }

    fn enter(&mut self, state: State, now: Instant) {
        (self.state, self.since) = (state, now);
        self.strangers.clear();
        self.seen_at = None;
    }
}

/// Who was asked in the last minutes: two sets of bits, so that however many they are they take the same room. Whoever shares a bit with
/// somebody who was asked counts as asked, which errs to the safe side.
#[derive(Debug)]
struct Asked {
    sets: [Box<[u64]>; 2],
    since: Instant,
}

/// How long a set is filled: as long as any NAT remembers a question.
const AGE: Duration = Duration::from_secs(5 * 60);
const WORDS: usize = 1 << 11;

impl Asked {
    fn new(now: Instant) -> Self {
        Self { sets: [0, 1].map(|_| vec![0; WORDS].into()), since: now }
    }

    fn note(&mut self, at: SocketAddr, now: Instant) {
        self.turn(now);
        let (word, bit) = place(at);
        self.sets[0][word] |= bit;
    }

    fn has(&self, at: SocketAddr) -> bool {
        let (word, bit) = place(at);
        self.sets.iter().any(|set| set[word] & bit != 0)
    }

    fn turn(&mut self, now: Instant) {
        if now.saturating_duration_since(self.since) >= AGE {
            self.sets.swap(0, 1);
            self.sets[0].fill(0);
            self.since = now;
        }
    }
}

/// By host, as some NATs let a host in that was asked at another port; on loopback, where all are one host, by port as well.
fn place(at: SocketAddr) -> (usize, u64) {
    let mut hasher = DefaultHasher::new();
    at.ip().hash(&mut hasher);
    if at.ip().is_loopback() {
        at.port().hash(&mut hasher);
    }
    let hash = hasher.finish();
    let word = (hash >> 6) % WORDS as u64;
    (usize::try_from(word).unwrap_or_default(), 1 << (hash & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: u8, port: u16) -> SocketAddr {
        SocketAddr::from(([11, host, 0, 1], port))
    }

    fn reach(mode: Mode, now: Instant) -> Reach {
        Reach::new(&Settings { wide: true, mode, ..Settings::default() }, now)
    }

    fn votes(seen: impl Fn(u8) -> SocketAddr) -> Votes {
        let mut votes = Votes::default();
        (0..10).for_each(|voter| votes.cast(at(voter, 1).ip(), seen(voter)));
        votes
    }

    #[test]
    fn a_node_that_each_sees_at_another_port_does_not_try() {
        let start = Instant::now();
        let later = start + Duration::from_secs(3600);
        let mut reach = reach(Mode::Auto, start);
        assert!(!reach.look(&Votes::default(), true, later) && !reach.serves());
        assert!(!reach.look(&votes(|voter| at(99, 1000 + u16::from(voter))), true, later) && !reach.serves());
        assert!(reach.look(&votes(|_| at(99, 1000)), true, later) && reach.serves());
        assert_eq!(reach.reachable(), Reachable::Trying);
    }

    #[test]
    fn whoever_was_asked_proves_nothing_for_as_long_as_a_nat_may_remember() {
        let mut now = Instant::now();
        let mut reach = reach(Mode::Auto, now);
        for host in 0..100 {
            reach.asking(at(host, 1), now);
            reach.questioned(at(host, 2), false, now);
        }
        assert_eq!(reach.reachable(), Reachable::Unknown);
        now += AGE;
        reach.look(&Votes::default(), true, now);
        reach.questioned(at(1, 2), false, now);
        (200..202).for_each(|host| reach.questioned(at(host, 2), false, now));
        assert_eq!(reach.reachable(), Reachable::Unknown, "two strangers are too few");
        // Of one subnet, and known otherwise.
        reach.questioned(at(201, 3), false, now);
        reach.questioned(at(203, 2), true, now);
        assert_eq!(reach.reachable(), Reachable::Unknown);
        reach.questioned(at(204, 2), false, now);
        assert_eq!((reach.reachable(), reach.serves()), (Reachable::Yes, true));
    }

    #[test]
    fn who_is_seen_elsewhere_is_not_reached_there() {
        let now = Instant::now();
        let mut reach = reach(Mode::Auto, now);
        (1..=3).for_each(|host| reach.questioned(at(host, 1), false, now));
        for seen in [at(99, 1), at(99, 2)] {
            reach.look(&votes(|_| seen), true, now);
            assert!(reach.serves());
        }
        reach.look(&votes(|_| at(98, 1)), true, now);
        assert!(!reach.serves());
    }

    #[test]
    fn a_client_and_a_server_are_what_they_are_told_to_be() {
        let now = Instant::now();
        let (mut client, mut server) = (reach(Mode::Client, now), reach(Mode::Server, now));
        for reach in [&mut client, &mut server] {
            (1..=3).for_each(|host| reach.questioned(at(host, 1), false, now));
            assert_eq!(reach.reachable(), Reachable::Yes);
        }
        assert!(!client.serves() && server.serves());
        server.look(&Votes::default(), true, now + LOST);
        assert!(server.reachable() == Reachable::Unknown && server.serves());
    }
}
