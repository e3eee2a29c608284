//! What networks cost, by their size and by the number of what is announced.

use std::net::SocketAddr;
use std::time::Duration;

use bitboot_mainline::dht::{Goal, Id};

use crate::scene::{Announced, FAIR, MINUTE, SECOND, announce, client, find, grown, server};
use crate::warm;
use crate::world::Weather;

#[test]
fn cost_grows_with_the_logarithm() {
    let even = Weather { rtt: (50, 50), jitter: 0, loss: 0.0, twice: 0.0 };
    let mut costs = Vec::new();
    for count in [50_u16, 200, 1000, 5000] {
        let mut world = grown(11, even, count.into());
        let by: Vec<_> = (0..40).collect();
        let (announced, stored) = announce(&mut world, &by, 40);
        let asker = world.add(client);
        warm(&mut world, &[asker], 20);
        let (mut to_first, mut to_end, mut rounds, mut all_rounds) = (0, 0, 0.0, 0.0);
        for one in &announced {
            let search = world.search(asker, Goal::Peers(one.hash));
            world.run(MINUTE / 12);
            let progress = &world.hosts[asker].searches[&search];
            assert!(progress.peers.contains(&one.peer), "{count} nodes: not found");
            let ((began, before), (first, then), (done, at_end)) =
                (progress.began, progress.first.unwrap(), progress.done.unwrap());
            to_first += then - before;
            to_end += at_end - before;
            rounds += (first - began).as_secs_f64() / 0.05;
            all_rounds += (done - began).as_secs_f64() / 0.05;
        }
        let each = |sum: u64| f64::from(u32::try_from(sum).unwrap()) / 40.0;
        println!(
            "{count} nodes: stored {}, first peer after {:.1} datagrams and {:.2} rounds, done after {:.1} and {:.2}",
            stored.hits,
            each(to_first),
            rounds / 40.0,
            each(to_end),
            all_rounds / 40.0
        );
        costs.push((f64::from(count), each(to_first), each(to_end), rounds / 40.0));
    }
    // One round more for every two doublings: eight strangers, each asked once more with its token.
    for pair in costs.windows(2) {
        let doublings = (pair[1].0 / pair[0].0).log2();
        assert!(pair[1].1 - pair[0].1 <= 18.0 * doublings, "datagrams to the first peer: {costs:?}");
        assert!(pair[1].2 - pair[0].2 <= 24.0 * doublings, "datagrams to the end: {costs:?}");
        assert!(pair[1].3 - pair[0].3 <= 0.5 * doublings, "rounds to the first peer: {costs:?}");
    }
}

#[test]
fn ten_thousand_networks_in_one_process() {
    const HASHES: usize = 10_000;
    const ROUNDS: u32 = 2;
    let mut world = grown(12, FAIR, 300);
    let (announcer, asker) = (world.add(server), world.add(client));
    world.run(MINUTE);
    let hashes: Vec<Id> = (0..HASHES).map(|_| Id::random(&mut world.chance)).collect();
    // Each has its turn within the 15 minutes, and from then on every 15 minutes, give or take one.
    let mut turns = Vec::new();
    for hash in &hashes {
        let first = world.chance.f64() * 900.0;
        for round in 0..ROUNDS {
            let jitter = if round == 0 { 0.0 } else { world.chance.f64() * 120.0 - 60.0 };
            turns.push((Duration::from_secs_f64(first + f64::from(round) * 900.0 + jitter), *hash));
        }
    }
    turns.sort_unstable();
    let began = world.now;
    world.tally.watch(world.hosts[announcer].at);
    for (after, hash) in turns {
        world.run((began + after).saturating_duration_since(world.now));
        world.search(announcer, Goal::Announce(hash, vec![4242]));
    }
    let searches = world.hosts[announcer].searches.values();
    let stored = searches.filter(|progress| progress.outcome.stored > 0).count();
    let seconds: Vec<u64> = world.tally.seconds().collect();
    let (all, most) = (seconds.iter().sum::<u64>(), *seconds.iter().max().unwrap());
    let each_second = all / seconds.len() as u64;
    let peer = SocketAddr::new(world.hosts[announcer].at.ip(), 4242);
    let sampled = world.chance.choose_multiple(&hashes, 300);
    let sampled: Vec<_> =
        sampled.into_iter().map(|hash| Announced { hash: *hash, by: announcer, peer }).collect();
    let found = find(&mut world, &[asker, 7, 8, 9], &sampled);
    println!("10 000 networks: {each_second} datagrams a second both ways, {most} at most");
    println!("    {} for each announcement, {stored} of {} stored", all / 20_000, HASHES * ROUNDS as usize);
    println!("    of a sample found {found}\n    {}", world.tally);
    assert_eq!(found.percent(), 100);
    assert!(most <= 3 * each_second, "{most} in one second, {each_second} in most");
    assert!(each_second <= 1000, "{each_second} a second");
}

#[test]
fn a_flood_of_networks_reaches_each_node_at_the_pace_that_others_bear() {
    // What libtorrent bears: whoever sends it 50 datagrams in ten seconds it does not hear for five minutes.
    const BORNE: usize = 50;
    let mut world = grown(13, FAIR, 100);
    let (flooder, asker) = (world.add(server), world.add(client));
    world.run(MINUTE);
    let hashes: Vec<Id> = (0..300).map(|_| Id::random(&mut world.chance)).collect();
    world.tally.watch(world.hosts[flooder].at);
    let searches: Vec<_> =
        hashes.iter().map(|hash| world.search(flooder, Goal::Announce(*hash, vec![4242]))).collect();
    let began = world.now;
    let is_over = world.run_until(5 * MINUTE, |world| {
        searches.iter().all(|search| world.hosts[flooder].searches[search].done.is_some())
    });
    let took = world.now - began;
    let most = world.tally.most_within(10 * SECOND);
    let stored = |search| world.hosts[flooder].searches[search].outcome.stored;
    let least = searches.iter().map(stored).min().unwrap();
    let peer = SocketAddr::new(world.hosts[flooder].at.ip(), 4242);
    let announced: Vec<_> = hashes.iter().map(|hash| Announced { hash: *hash, by: flooder, peer }).collect();
    let found = find(&mut world, &[asker, 7, 8, 9], &announced);
    println!(
        "300 networks at once among 100 nodes: {took:?}, no node asked more than {most} times in ten seconds"
    );
    println!("    stored at {least} nodes at the least, found {found}");
    assert!(is_over && least >= 8, "{took:?}, stored at {least}");
    assert!(most < BORNE, "{most} in ten seconds");
    assert_eq!(found.percent(), 100);
}
