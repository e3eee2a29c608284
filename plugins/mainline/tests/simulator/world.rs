//! A network in virtual time: no socket, no clock, no thread, and the same run for the same seed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bitboot_mainline::dht::{Family, Goal, Node, Outcome, SearchId, Settings, krpc};

use crate::host::{Host, Hostile, Progress, Who};
use crate::tally::{Tally, is_public};

/// Everyone there is, and what is under way between them.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) chance: fastrand::Rng,
    pub(crate) weather: Weather,
    pub(crate) tally: Tally,
    pub(crate) hosts: Vec<Host>,
    /// Where newcomers ask first.
    pub(crate) doors: Vec<SocketAddr>,
    began: Instant,
    at: HashMap<SocketAddr, usize>,
    under_way: BinaryHeap<Reverse<(Instant, u64, What)>>,
    number: u64,
}

/// What befalls a datagram.
#[derive(Clone, Copy)]
pub(crate) struct Weather {
    /// From and to, in milliseconds: the round trip of two hosts is always the same within it.
    pub(crate) rtt: (u64, u64),
    /// Up to so many milliseconds more each way, by chance: what is sent first may come last.
    pub(crate) jitter: u64,
    /// The share that is lost.
    pub(crate) loss: f64,
    /// The share that comes twice.
    pub(crate) twice: f64,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Arrives(SocketAddr, SocketAddr, Vec<u8>),
    Wakes(usize),
}

impl World {
    pub(crate) fn new(seed: u64, weather: Weather) -> Self {
        let now = Instant::now();
        Self {
            now,
            chance: fastrand::Rng::with_seed(seed),
            weather,
            tally: Tally::default(),
            hosts: Vec::new(),
            doors: Vec::new(),
            began: now,
            at: HashMap::new(),
            under_way: BinaryHeap::new(),
            number: 0,
        }
    }

    /// An address of the internet that nobody has, in a subnet of chance.
    pub(crate) fn address(&mut self) -> SocketAddr {
        loop {
            let ip = Ipv4Addr::from(self.chance.u32(11 << 24..127 << 24));
            let at = SocketAddr::from((ip, self.chance.u16(1024..)));
            if ip.octets()[0] != 100 && is_public(at) && !self.at.contains_key(&at) {
                return at;
            }
        }
    }

    /// A node as it is started, knowing the doors.
    pub(crate) fn add(&mut self, settings: impl FnOnce(SocketAddr) -> Settings) -> usize {
        let at = self.address();
        let host = self.put(at, Who::Gone);
        self.start(host, settings(at));
        host
    }

    pub(crate) fn add_hostile(&mut self, at: SocketAddr, hostile: Hostile) -> usize {
        self.put(at, Who::Hostile(hostile))
    }

    /// A new node at the address of one that was: it remembers nothing.
    pub(crate) fn restart(&mut self, host: usize) {
        if let Who::Node(_, settings) = &self.hosts[host].who {
            let settings = settings.clone();
            self.start(host, settings);
        }
    }

    pub(crate) fn stop(&mut self, host: usize) {
        self.hosts[host].who = Who::Gone;
        let at = self.hosts[host].at;
        self.at.remove(&at);
    }

    /// Lets a node do something; whatever comes of it is sent.
    pub(crate) fn with<T>(&mut self, host: usize, act: impl FnOnce(&mut Node, Instant) -> T) -> T {
        let now = self.now;
        let Who::Node(node, _) = &mut self.hosts[host].who else { panic!("host {host} is no node") };
        let result = act(node, now);
        self.settle(host);
        result
    }

    pub(crate) fn is_node(&self, host: usize) -> bool {
        matches!(self.hosts[host].who, Who::Node(..))
    }

    pub(crate) fn contact(&mut self, host: usize) -> krpc::Contact {
        krpc::Contact { id: self.with(host, |node, _| node.id(Family::V4)), at: self.hosts[host].at }
    }

    pub(crate) fn search(&mut self, host: usize, goal: Goal) -> SearchId {
        let began = (self.now, self.hosts[host].datagrams);
        let now = self.now;
        let Who::Node(node, _) = &mut self.hosts[host].who else { panic!("host {host} is no node") };
        let search = node.search(goal, Family::V4, now);
        let (outcome, peers) = (Outcome::default(), BTreeSet::new());
        let progress = Progress { began, first: None, done: None, outcome, peers };
        self.hosts[host].searches.insert(search, progress);
        self.settle(host);
        search
    }

    /// Sends what an attacker sends, under whatever address.
    pub(crate) fn forge(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        self.send(from, to, bytes);
    }

    pub(crate) fn run(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Lets time pass until something is so, or for `most`; whether it is so.
    pub(crate) fn run_until(&mut self, most: Duration, mut is_so: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + most;
        while !is_so(self) {
            let Some(Reverse((at, ..))) = self.under_way.peek().filter(|next| next.0.0 <= end) else {
                self.now = end;
                return false;
            };
            self.now = self.now.max(*at);
            if let Some(Reverse((at, _, what))) = self.under_way.pop() {
                self.happen(at, what);
            }
        }
        true
    }

    fn put(&mut self, at: SocketAddr, who: Who) -> usize {
        let (searches, turns) = (BTreeMap::new(), (self.now, 0));
        self.at.insert(at, self.hosts.len());
        self.hosts.push(Host { at, datagrams: 0, searches, who, wakes: None, turns });
        self.hosts.len() - 1
    }

    fn start(&mut self, host: usize, settings: Settings) {
        let mut node = Node::new(settings.clone(), self.chance.u64(..), self.now);
        node.start_from(&self.doors);
        node.due(self.now);
        self.hosts[host].who = Who::Node(Box::new(node), settings);
        self.hosts[host].searches.clear();
        self.settle(host);
    }

    fn happen(&mut self, at: Instant, what: What) {
        let host = match what {
            What::Wakes(host) => {
                if self.hosts[host].wakes != Some(at) {
                    return;
                }
                let now = self.now;
                self.hosts[host].wakes = None;
                self.hosts[host].turn(now);
                if let Who::Node(node, _) = &mut self.hosts[host].who {
                    node.due(now);
                }
                host
            }
            What::Arrives(from, to, bytes) => {
                let Some(&host) = self.at.get(&to) else { return };
                self.hosts[host].datagrams += 1;
                self.tally.passes(to, self.now.saturating_duration_since(self.began));
                match &mut self.hosts[host].who {
                    Who::Node(node, _) => node.handle(from, &bytes, self.now),
                    Who::Hostile(hostile) => {
                        for (at, bytes) in hostile(from, &bytes) {
                            self.send(to, at, bytes);
                        }
                    }
                    Who::Gone => {}
                }
                host
            }
        };
        self.settle(host);
    }

    /// Takes from a node what it has to send and to tell, and when it wants to be woken.
    fn settle(&mut self, host: usize) {
        let Host { at, who: Who::Node(node, settings), .. } = &mut self.hosts[host] else { return };
        let (at, wide) = (*at, settings.wide);
        let sent: Vec<_> = std::iter::from_fn(|| node.transmit()).collect();
        let events: Vec<_> = std::iter::from_fn(|| node.event()).collect();
        let due = node.next_due().map(|due| due.max(self.now));
        for transmit in sent {
            assert!(!wide || is_public(transmit.to), "{at} sends to {}", transmit.to);
            assert!(transmit.bytes.len() <= krpc::MAX_SENT, "{at} sends {} bytes", transmit.bytes.len());
            self.hosts[host].datagrams += 1;
            let after = self.now.saturating_duration_since(self.began);
            self.tally.leaves(at, transmit.to, &transmit.bytes, after);
            self.send(at, transmit.to, transmit.bytes);
        }
        for event in events {
            self.hosts[host].note(event, self.now);
        }
        // One that wakes too early goes to sleep again: that costs less than to take a wake-up back.
        if let Some(due) = due.filter(|due| self.hosts[host].wakes.is_none_or(|wakes| *due < wakes)) {
            self.hosts[host].wakes = Some(due);
            self.push(due, What::Wakes(host));
        }
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let is_there = self.at.contains_key(&to);
        self.tally.sent(from, to, &bytes, is_there);
        if !is_there || self.chance.f64() < self.weather.loss {
            return;
        }
        if self.chance.f64() < self.weather.twice {
            let arrives = self.now + self.way(from, to);
            self.push(arrives, What::Arrives(from, to, bytes.clone()));
        }
        let arrives = self.now + self.way(from, to);
        self.push(arrives, What::Arrives(from, to, bytes));
    }

    fn way(&mut self, from: SocketAddr, to: SocketAddr) -> Duration {
        let (least, most) = self.weather.rtt;
        let number =
            |at: SocketAddr| if let SocketAddr::V4(at) = at { u32::from(*at.ip()).into() } else { 0_u64 };
        // The same both ways.
        let pair = (number(from) ^ number(to)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let rtt = Duration::from_micros(least * 1000 + pair % ((most - least) * 1000 + 1));
        rtt / 2 + Duration::from_micros(self.chance.u64(..=self.weather.jitter * 1000))
    }

    fn push(&mut self, at: Instant, what: What) {
        self.number += 1;
        self.under_way.push(Reverse((at, self.number, what)));
    }
}
