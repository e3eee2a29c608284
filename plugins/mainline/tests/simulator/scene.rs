//! Networks to begin with, and how well things are found in them.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bitboot_mainline::dht::krpc::Contact;
use bitboot_mainline::dht::{Goal, Id, Mode, SearchId, Settings};

use crate::host::Progress;
use crate::world::{Weather, World};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// Round trips of 20 to 180 ms, and nothing goes wrong.
pub(crate) const FAIR: Weather = Weather { rtt: (20, 180), jitter: 2, loss: 0.0, twice: 0.0 };
/// Three of ten are lost, one of ten comes twice, and all overtake each other.
pub(crate) const FOUL: Weather = Weather { rtt: (20, 180), jitter: 80, loss: 0.3, twice: 0.1 };

/// A node of the internet that serves others.
pub(crate) fn server(at: SocketAddr) -> Settings {
    Settings { mode: Mode::Server, ..client(at) }
}

/// A node of the internet that only asks.
pub(crate) fn client(at: SocketAddr) -> Settings {
    Settings { wide: true, public: [Some(at.ip()), None], ..Settings::default() }
}

/// A network that forms through its first three nodes.
pub(crate) fn formed(seed: u64, weather: Weather, count: usize) -> World {
    let mut world = World::new(seed, weather);
    for _ in 0..3 {
        let door = world.add(server);
        world.doors.push(world.hosts[door].at);
    }
    // The first of them knew no door.
    (0..3).for_each(|door| world.restart(door));
    for _ in 3..count {
        world.run(MINUTE / 600);
        world.add(server);
    }
    world.run(2 * MINUTE);
    let mut known: Vec<_> =
        (0..count).map(|host| world.with(host, |node, now| node.facts(now).nodes)).collect();
    known.sort_unstable();
    let (least, half) = (known[0], known[count / 2]);
    assert!(
        half >= 8,
        "{count} nodes have formed no network: one knows {least} others, half of them at most {half}"
    );
    world
}

/// A network as it is after days: each node knows some of every distance, and its neighbours.
pub(crate) fn grown(seed: u64, weather: Weather, count: usize) -> World {
    let mut world = World::new(seed, weather);
    let mut contacts: Vec<Contact> = Vec::new();
    for _ in 0..count {
        let host = world.add(server);
        contacts.push(world.contact(host));
    }
    world.doors.extend(contacts[..3].iter().map(|contact| contact.at));
    let mut sorted = contacts.clone();
    sorted.sort_by_key(|contact| contact.id);
    for (host, contact) in contacts.iter().enumerate() {
        let known = acquaintances(contact.id, &sorted, &mut world.chance);
        world.with(host, |node, now| node.introduce(&known, now));
    }
    world
}

/// Up to 32 of each distance, as the buckets of a node are filled.
fn acquaintances(own: Id, sorted: &[Contact], chance: &mut fastrand::Rng) -> Vec<Contact> {
    let mut known = Vec::new();
    let mut near = sorted;
    for bits in 0..160 {
        if near.len() <= 1 {
            break;
        }
        let is_one = |id: &Id| id.0[bits / 8] & (0x80 >> (bits % 8)) != 0;
        let (zeros, ones) = near.split_at(near.partition_point(|contact| !is_one(&contact.id)));
        let far = if is_one(&own) { zeros } else { ones };
        near = if is_one(&own) { ones } else { zeros };
        known.extend(chance.choose_multiple(far, 32));
    }
    known
}

/// A peer and the hash it has announced itself under.
#[derive(Clone, Copy)]
pub(crate) struct Announced {
    pub(crate) hash: Id,
    pub(crate) by: usize,
    pub(crate) peer: SocketAddr,
}

/// So many announcements, ten a second, by these hosts in turn; and how many were stored by eight nodes or more.
pub(crate) fn announce(world: &mut World, by: &[usize], count: usize) -> (Vec<Announced>, Rate) {
    let mut begun = Vec::new();
    for number in 0..count {
        let (hash, by) = (Id::random(&mut world.chance), by[number % by.len()]);
        let peer = SocketAddr::new(world.hosts[by].at.ip(), world.chance.u16(1024..));
        let search = world.search(by, Goal::Announce(hash, vec![peer.port()]));
        begun.push((Announced { hash, by, peer }, search));
        world.run(SECOND / 10);
    }
    let searches: Vec<_> = begun.iter().map(|(announced, search)| (announced.by, *search)).collect();
    let stored = wait(world, &searches, |progress| progress.outcome.stored >= 8);
    (begun.into_iter().map(|(announced, _)| announced).collect(), stored)
}

/// Each hash is searched for by a host that has not announced it, ten a second.
pub(crate) fn find(world: &mut World, by: &[usize], announced: &[Announced]) -> Rate {
    let mut searches = Vec::new();
    for one in announced {
        let others: Vec<_> = by.iter().filter(|by| **by != one.by).collect();
        let by = *others[world.chance.usize(..others.len())];
        searches.push((by, world.search(by, Goal::Peers(one.hash))));
        world.run(SECOND / 10);
    }
    let peers: Vec<_> = announced.iter().map(|one| one.peer).collect();
    let mut peers = peers.iter();
    wait(world, &searches, |progress| peers.next().is_some_and(|peer| progress.peers.contains(peer)))
}

/// Waits up to a minute until all are done, then counts those of which something is true.
fn wait(world: &mut World, searches: &[(usize, SearchId)], mut is: impl FnMut(&Progress) -> bool) -> Rate {
    let mut left = searches.to_vec();
    world.run_until(MINUTE, |world| {
        left.retain(|(by, search)| world.hosts[*by].searches.get(search).is_some_and(|it| it.done.is_none()));
        left.is_empty()
    });
    let mut rate = Rate { of: searches.len(), ..Rate::default() };
    for (by, search) in searches {
        // Who was stopped or restarted meanwhile has found nothing.
        let Some(progress) = world.hosts[*by].searches.get(search) else { continue };
        rate.hits += usize::from(is(progress));
        rate.asked += progress.outcome.asked;
        rate.ends += usize::from(progress.done.is_some());
        let since = |(at, _): (std::time::Instant, u64)| at.saturating_duration_since(progress.began.0);
        rate.first.extend(progress.first.map(since));
        rate.done.extend(progress.done.map(since));
    }
    rate.first.sort_unstable();
    rate.done.sort_unstable();
    rate
}

/// How many of how many, and how long it took.
#[derive(Default)]
pub(crate) struct Rate {
    pub(crate) hits: usize,
    pub(crate) of: usize,
    pub(crate) ends: usize,
    asked: usize,
    first: Vec<Duration>,
    done: Vec<Duration>,
}

impl Rate {
    pub(crate) fn percent(&self) -> usize {
        self.hits * 100 / self.of.max(1)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |times: &[Duration], percent: usize| {
            let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
            times.get(index).map_or(0, Duration::as_millis)
        };
        write!(out, "{} of {} ({} ended), ", self.hits, self.of, self.ends)?;
        let (first, done) = (&self.first, &self.done);
        write!(out, "first after {} ms (p99 {}), ", at(first, 50), at(first, 99))?;
        write!(out, "done after {} ms (p99 {}), ", at(done, 50), at(done, 99))?;
        write!(out, "{} asked each", self.asked / self.of.max(1))
    }
}
