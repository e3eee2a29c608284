//! A node as a state machine: datagrams and time come in, datagrams and events go out. No socket, no clock, no chance of its own.

mod address;
mod api;
mod calls;
mod errand;
mod explore;
mod goal;
mod heard;
mod keep;
mod odds;
mod pace;
mod plan;
mod reach;
mod rtt;
mod search;
mod serve;
mod side;
mod table;
mod upkeep;
mod walk;
mod window;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub use api::{
    Event, Facts, Family, Goal, Item, Mode, Outcome, Reachable, SearchId, Settings, SideFacts, Stored,
    Transmit,
};

use self::calls::Calls;
use self::errand::Search;
use self::pace::Pace;
use self::search::Tokens;
use self::serve::Server;
use self::side::Side;
use self::window::Window;
use super::Id;
use super::krpc::{self, Contact};

/// A node of the DHT.
pub struct Node {
    settings: Settings,
    chance: fastrand::Rng,
    sides: [Side; 2],
    calls: Calls,
    searches: HashMap<SearchId, Search>,
    /// Searches whose next questions wait for room in the window.
    waiting: VecDeque<SearchId>,
    window: Window,
    pace: Pace,
    timers: BinaryHeap<Reverse<(Instant, SearchId)>>,
    tokens: Tokens,
    /// What time of day it was once.
    clock: Option<(Instant, Duration)>,
    server: Server,
    upkeep_at: Instant,
    counts: Counts,
    next_search: u64,
    out: VecDeque<Transmit>,
    events: VecDeque<Event>,
}

/// What has come and gone.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    asked: [u64; 2],
    answered: [u64; 2],
}

impl Node {
    /// A node; the same settings and seed make the same one. What others must not guess follows from [`Settings::secret`].
    #[must_use]
    pub fn new(settings: Settings, seed: u64, now: Instant) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let mut side = |at: usize| {
            let id = match settings.public[at] {
                Some(ip) => Id::secure(ip, &mut chance),
                None => Id::random(&mut chance),
            };
            Side::new(id, &settings, now)
        };
        let sides = [side(0), side(1)];
        let calls = Calls::new(settings.derived(b"calls"));
        let server = Server::new(&settings, now);
        Self {
            chance,
            sides,
            calls,
            searches: HashMap::new(),
            waiting: VecDeque::new(),
            window: Window::new(settings.window),
            pace: Pace::new(settings.wide),
            timers: BinaryHeap::new(),
            tokens: Tokens::default(),
            clock: None,
            server,
            upkeep_at: now,
            counts: Counts::default(),
            next_search: 0,
            out: VecDeque::new(),
            events: VecDeque::new(),
            settings,
        }
    }

    /// Its id in a family.
    #[must_use]
    pub fn id(&self, family: Family) -> Id {
        self.sides[family.index()].id
    }

    /// Takes more addresses to ask when nobody else is known.
    pub fn add_hosts(&mut self, hosts: &[SocketAddr]) {
        for host in hosts {
            let known = &mut self.sides[Family::of(*host).index()].hosts;
            if !known.contains(host) {
                known.push(*host);
            }
        }
    }

    /// Sets the addresses to ask when nobody else is known.
    pub fn start_from(&mut self, bootstrap: &[SocketAddr]) {
        for family in [Family::V4, Family::V6] {
            self.sides[family.index()].hosts =
                bootstrap.iter().copied().filter(|at| Family::of(*at) == family).collect();
        }
    }

    /// Takes nodes that are known to be there.
    pub fn introduce(&mut self, contacts: &[Contact], now: Instant) {
        let outside = self.settings.is_outside();
        for contact in contacts.iter().filter(|contact| address::is_usable(contact.at, outside)) {
            self.sides[Family::of(contact.at).index()].table.heard(*contact, None, now);
        }
    }

    /// Takes a datagram that has come in.
    pub fn handle(&mut self, from: SocketAddr, datagram: &[u8], now: Instant) {
        let Ok(message) = krpc::Message::read(datagram) else { return };
        match &message.body {
            krpc::Body::Query(query) => self.serve(from, &message, query, datagram.len(), now),
            krpc::Body::Reply(reply) => self.hear(from, &message, reply, now),
            krpc::Body::Error(code, text) => self.hear_error(from, &message, (*code, text), now),
        }
    }

    /// Does what is due by now.
    pub fn due(&mut self, now: Instant) {
        while let Some(call) = self.calls.give_up(self.settings.patience, now) {
            self.lose(call, now);
        }
        let late_after = self.late_after();
        while let Some(call) = self.calls.next_that_is_late(late_after, now) {
            self.miss(&call, now);
        }
        while let Some(Reverse((_, search))) =
            self.timers.peek().copied().filter(|Reverse((at, _))| *at <= now)
        {
            self.timers.pop();
            self.wake(search, now);
        }
        self.take_turns(now);
        self.go_on(now);
        self.keep_up(now);
        self.look_around(now);
    }

    /// When [`Node::due`] is to be called next.
    pub fn next_due(&mut self) -> Option<Instant> {
        let timer = self.timers.peek().map(|Reverse((at, _))| *at);
        let lost = self.calls.next_given_up(self.settings.patience);
        let room = if self.waiting.is_empty() { None } else { self.calls.next_late(self.late_after()) };
        let around = self.sides.iter().filter_map(|side| side.explore.due()).min();
        [timer, lost, room, around, self.pace.next(), Some(self.upkeep_at)].into_iter().flatten().min()
    }

    /// The next datagram to be sent.
    pub fn transmit(&mut self) -> Option<Transmit> {
        self.out.pop_front()
    }

    /// The next thing to be told.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What it knows of itself.
    #[must_use]
    pub fn facts(&self, now: Instant) -> Facts {
        let nodes =
            self.sides.iter().flat_map(|side| side.table.all()).filter(|known| known.is_good(now)).count();
        let seen = |side: &Side| side.votes.winner().map(|(seen, _)| seen);
        let sides = [0, 1].map(|at| SideFacts {
            asked: self.counts.asked[at],
            answered: self.counts.answered[at],
            ..self.sides[at].facts(now)
        });
        Facts {
            nodes,
            asked: self.counts.asked.iter().sum(),
            answered: self.counts.answered.iter().sum(),
            seen_at: [seen(&self.sides[0]), seen(&self.sides[1])],
            reached: sides.iter().any(|side| side.reachable == Reachable::Yes),
            size: self.sides.iter().find_map(Side::size),
            sides,
        }
    }

    /// After what time an answer is late, of whoever it is.
    fn late_after(&self) -> Duration {
        let usual = self.sides.iter().filter_map(|side| side.rtt.late_after()).max();
        usual.unwrap_or(self.settings.patience / 3).min(self.settings.patience)
    }

    fn has_room(&self) -> bool {
        self.calls.fresh() < self.window.size()
    }
}

/// The peers, items and tokens that are kept by their info hash are few: the oldest goes.
fn forget_oldest<K: Ord + Copy, V>(kept: &mut BTreeMap<K, (Instant, V)>, most: usize) {
    if kept.len() > most
        && let Some(oldest) = kept.iter().min_by_key(|(_, (since, _))| *since).map(|(key, _)| *key)
    {
        kept.remove(&oldest);
    }
}
