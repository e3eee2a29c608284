use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::api::{Settings, SideFacts};
use super::explore::Explore;
use super::odds::{Kind, Odds};
use super::reach::Reach;
use super::rtt::Rtt;
use super::table::Table;
use crate::dht::krpc::Contact;
use crate::dht::{Distance, Id};

/// What a node knows of one family of addresses.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) id: Id,
    pub(super) table: Table,
    pub(super) rtt: Rtt,
    pub(super) hosts: Vec<SocketAddr>,
    pub(super) suspects: Suspects,
    pub(super) odds: Odds,
    pub(super) votes: Votes,
    pub(super) reach: Reach,
    pub(super) explore: Explore,
    sizes: VecDeque<f64>,
}

/// From so many searches the size of the DHT is told.
const SIZES: usize = 16;

impl Side {
    pub(super) fn new(id: Id, settings: &Settings, now: Instant) -> Self {
        Self {
            id,
            table: Table::new(id, settings.mode, settings.wide),
            rtt: Rtt::default(),
            hosts: Vec::new(),
            suspects: Suspects::default(),
            odds: Odds::default(),
            votes: Votes::default(),
            reach: Reach::new(settings, now),
            explore: Explore::default(),
            sizes: VecDeque::new(),
        }
    }

    /// What it knows of itself; questions are counted elsewhere.
    pub(super) fn facts(&self, now: Instant) -> SideFacts {
        SideFacts {
            nodes: self.table.all().filter(|known| known.is_good(now)).count(),
            known: self.table.all().count(),
            votes: self.votes.count(),
            agree: self.votes.winner().map_or(0, |(_, agree)| agree),
            size: self.size(),
            reachable: self.reach.reachable(),
            serves: self.reach.serves(),
            ..SideFacts::default()
        }
    }

    /// How likely a node is to answer; `None` when it is not worth a question now.
    pub(super) fn odds(&self, at: SocketAddr, kind: Kind, now: Instant) -> Option<f32> {
        /// Who is less likely is not asked at all.
        const LEAST: f32 = 0.01;
        let odds = match self.suspects.silences(at, now) {
            Silences::None => self.odds.of(kind, 0),
            Silences::Lately(count) => self.odds.of(kind, count),
            Silences::LongAgo => self.odds.of(kind, 0) * 0.5,
        };
        (odds >= LEAST).then_some(odds)
    }

    /// Takes a node that somebody told of, if there is room: not this one, nor one that has been silent.
    pub(super) fn told(&mut self, contact: Contact) {
        if contact.id != self.id && !self.is_suspected(contact.at) {
            self.table.told(contact);
        }
    }

    /// Whether it has not answered lately.
    fn is_suspected(&self, at: SocketAddr) -> bool {
        self.suspects.0.contains_key(&at)
    }

    /// Notes that a node has not answered in time; who that was, when it comes unexpected.
    pub(super) fn silent(&mut self, at: SocketAddr, now: Instant) -> Option<Kind> {
        let is_new = self.suspects.silences(at, now) == Silences::None;
        let kind = is_new.then(|| self.table.kind(at, now));
        if let Some(kind) = kind {
            self.odds.learn(kind, false);
        }
        self.suspects.failed(at, now);
        kind
    }

    /// Learns from the distance of the nth nearest node to a target how many there are.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn measure(&mut self, nth: usize, distance: Distance) {
        if distance.share() > 0.0 {
            self.sizes.push_back(nth as f64 / distance.share());
            if self.sizes.len() > SIZES {
                self.sizes.pop_front();
            }
        }
    }

    /// How many nodes there may be: the median, so that a crowd around one target does not count.
    pub(super) fn size(&self) -> Option<f64> {
        let mut sizes: Vec<f64> = self.sizes.iter().copied().collect();
        sizes.sort_by(f64::total_cmp);
        sizes.get(sizes.len() / 2).copied()
    }

    /// Within which distances of any target half of the nearest `want` nodes are expected, and four times as many as those.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn edge(&self, want: usize) -> (Distance, Distance) {
        let size = self.size().filter(|_| self.sizes.len() >= 4);
        let Some(each) = size.map(|size| want as f64 / size) else {
            return (Distance::of_share(0.0), Distance::MAX);
        };
        (Distance::of_share((each * 0.5).min(1.0)), Distance::of_share((each * 4.0).min(1.0)))
    }
}

/// Addresses that have not answered lately, so that no search waits for them.
#[derive(Debug, Default)]
pub(super) struct Suspects(BTreeMap<SocketAddr, (u8, Instant)>);

/// No more are remembered.
const MOST_SUSPECTS: usize = 2000;

impl Suspects {
    fn failed(&mut self, at: SocketAddr, now: Instant) {
        if self.0.len() >= MOST_SUSPECTS && !self.0.contains_key(&at) {
            self.0.retain(|_, (_, since)| now.saturating_duration_since(*since) < Duration::from_secs(60));
            if self.0.len() >= MOST_SUSPECTS {
                self.0.clear();
            }
        }
        let entry = self.0.entry(at).or_insert((0, now));
        *entry = (entry.0.saturating_add(1), now);
    }

    pub(super) fn answered(&mut self, at: SocketAddr) {
        self.0.remove(&at);
    }

    fn silences(&self, at: SocketAddr, now: Instant) -> Silences {
        let Some((count, since)) = self.0.get(&at) else { return Silences::None };
        let pause = Duration::from_secs(15) * 2_u32.pow(u32::from(*count).min(6));
        let is_over = now.saturating_duration_since(*since) >= pause;
        if is_over { Silences::LongAgo } else { Silences::Lately(*count) }
    }
}

/// How often somebody has not answered since they last did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silences {
    None,
    Lately(u8),
    /// So long ago that it is worth another try.
    LongAgo,
}

/// Where others see this machine (BEP 42): one vote of each.
#[derive(Debug, Default)]
pub(super) struct Votes(VecDeque<(IpAddr, SocketAddr)>);

const VOTES: usize = 24;

impl Votes {
    pub(super) fn cast(&mut self, voter: IpAddr, seen: SocketAddr) {
        self.0.retain(|(other, _)| *other != voter || voter.is_loopback());
        self.0.push_back((voter, seen));
        if self.0.len() > VOTES {
            self.0.pop_front();
        }
    }

    /// How many have said something.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The address that most of them say, and how many do.
    pub(super) fn winner(&self) -> Option<(SocketAddr, usize)> {
        let count = |seen: SocketAddr| self.0.iter().filter(|(_, other)| *other == seen).count();
        self.0.iter().map(|(_, seen)| (*seen, count(*seen))).max_by_key(|(_, count)| *count)
    }
}
