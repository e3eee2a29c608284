//! A node that finds out whether others reach it, in virtual time: in the open, behind a NAT, and cut off.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]
#![expect(clippy::print_stdout, reason = "when it happens, with `--nocapture`")]

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bitboot_mainline::dht::{Family, Goal, Id, Mode, Node, Reachable, Settings, SideFacts};

const MINUTE: Duration = Duration::from_secs(60);
const WAY: Duration = Duration::from_millis(40);

/// What lets datagrams in.
enum Door {
    Open,
    /// Only from addresses that were sent to in the last two minutes.
    Nat(HashMap<SocketAddr, Instant>),
    Shut,
}

struct Host {
    at: SocketAddr,
    node: Node,
    door: Door,
}

/// Nodes of the internet, each in a subnet of its own; the last one is the one that is looked at.
struct World {
    now: Instant,
    began: Instant,
    next_of_last: Instant,
    hosts: Vec<Host>,
    at: HashMap<SocketAddr, usize>,
    under_way: BTreeMap<(Instant, u64), (SocketAddr, SocketAddr, Vec<u8>)>,
    count: u64,
    chance: fastrand::Rng,
}

impl World {
    /// A hundred servers, and one that does not know yet whether it is one.
    fn new(seed: u64, door: Door) -> Self {
        let now = Instant::now();
        let mut world = Self {
            now,
            began: now,
            next_of_last: now,
            hosts: Vec::new(),
            at: HashMap::new(),
            under_way: BTreeMap::new(),
            count: 0,
            chance: fastrand::Rng::with_seed(seed),
        };
        for _ in 0..100 {
            world.add(Mode::Server, Door::Open);
        }
        world.add(Mode::Auto, door);
        world
    }

    fn add(&mut self, mode: Mode, door: Door) {
        let number = u32::try_from(self.hosts.len()).unwrap();
        let ip = Ipv4Addr::from(0x0b00_0001 + (number << 10));
        let at = SocketAddr::from((ip, 6881));
        let public = [(mode == Mode::Server).then(|| ip.into()), None];
        let settings = Settings { wide: true, mode, public, ..Settings::default() };
        let mut node = Node::new(settings, self.chance.u64(..), self.now);
        let doors: Vec<_> = self.hosts.iter().take(3).map(|host| host.at).collect();
        node.start_from(&doors);
        self.at.insert(at, self.hosts.len());
        self.hosts.push(Host { at, node, door });
    }

    /// Lets time pass; somebody searches for something every ten seconds, and the one looked at every ten minutes.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        let mut next_search = self.now;
        while self.now < end {
            if self.now >= next_search {
                self.search(self.chance.clone().usize(..self.hosts.len() - 1));
                next_search = self.now + Duration::from_secs(10);
            }
            if self.now >= self.next_of_last {
                self.search(self.hosts.len() - 1);
                self.next_of_last = self.now + 10 * MINUTE;
            }
            let arrives = self.under_way.keys().next().map(|(at, _)| *at);
            let due = self.hosts.iter_mut().filter_map(|host| host.node.next_due()).min();
            let next = [arrives, due, Some(next_search), Some(end)].into_iter().flatten().min().unwrap();
            self.now = self.now.max(next);
            self.step();
        }
    }

    fn search(&mut self, host: usize) {
        let target = Id::random(&mut self.chance);
        self.hosts[host].node.search(Goal::Peers(target), Family::V4, self.now);
    }

    fn step(&mut self) {
        while let Some(first) = self.under_way.first_entry().filter(|first| first.key().0 <= self.now) {
            let (from, to, bytes) = first.remove();
            if let Some(host) = self.at.get(&to).map(|host| &mut self.hosts[*host])
                && host.door.lets_in(from, self.now)
            {
                host.node.handle(from, &bytes, self.now);
            }
        }
        for host in &mut self.hosts {
            if host.node.next_due().is_some_and(|due| due <= self.now) {
                host.node.due(self.now);
            }
            while host.node.event().is_some() {}
            while let Some(sent) = host.node.transmit() {
                if let Door::Nat(sent_to) = &mut host.door {
                    sent_to.insert(sent.to, self.now);
                }
                self.count += 1;
                self.under_way.insert((self.now + WAY, self.count), (host.at, sent.to, sent.bytes));
            }
        }
    }

    fn last(&self) -> SideFacts {
        self.hosts.last().unwrap().node.facts(self.now).sides[0]
    }

    /// Lets time pass until the last one thinks so; after how long.
    fn until(&mut self, reachable: Reachable) -> Duration {
        for _ in 0..240 {
            if self.last().reachable == reachable {
                let took = self.now - self.began;
                println!("{reachable:?} after {} minutes", took.as_secs() / 60);
                return took;
            }
            self.run(MINUTE);
        }
        panic!("not {reachable:?} after four hours but {:?}", self.last());
    }

    fn knowing_the_last(&self) -> usize {
        let at = self.hosts.last().unwrap().at;
        self.hosts.iter().filter(|host| host.node.known(Family::V4).contains(&at)).count()
    }
}

impl Door {
    fn lets_in(&self, from: SocketAddr, now: Instant) -> bool {
        match self {
            Self::Open => true,
            Self::Nat(sent_to) => sent_to.get(&from).is_some_and(|at| now - *at < 2 * MINUTE),
            Self::Shut => false,
        }
    }
}

#[test]
fn who_is_reached_serves_and_who_is_cut_off_does_not_any_more() {
    let mut world = World::new(1, Door::Open);
    world.run(9 * MINUTE);
    let before = world.last();
    assert_eq!((before.serves, before.reachable), (false, Reachable::Unknown));
    assert!(before.votes >= 3 && before.agree == before.votes, "{before:?}");
    assert_eq!(world.knowing_the_last(), 0, "a client is nobody's to remember");

    let took = world.until(Reachable::Yes);
    assert!(took < 15 * MINUTE && world.last().serves, "{took:?}");
    world.run(20 * MINUTE);
    assert!(world.last().serves && world.knowing_the_last() > 20, "{}", world.knowing_the_last());

    world.hosts.last_mut().unwrap().door = Door::Shut;
    world.until(Reachable::Unknown);
    // Nobody answers it any more, so there is nobody to try it with.
    world.run(60 * MINUTE);
    assert!(!world.last().serves, "{:?}", world.last());
}

#[test]
fn behind_a_nat_it_tries_and_gives_up_and_is_forgotten() {
    let mut world = World::new(2, Door::Nat(HashMap::new()));
    let took = world.until(Reachable::Trying);
    assert!(took >= 10 * MINUTE && world.last().serves);
    world.until(Reachable::No);
    assert!(!world.last().serves);
    // It is tried again, more and more seldom, and never believed.
    world.run(60 * MINUTE);
    assert_ne!(world.last().reachable, Reachable::Yes);
}
