//! What a client learns besides what it searches for.

use bitboot_mainline::dht::{Goal, Id, Mode, Settings};

use crate::scene::{FAIR, MINUTE, SECOND, client, formed, grown};
use crate::world::World;

/// How many nodes it knows, and how many questions it has sent.
fn knows(world: &mut World, host: usize) -> (usize, u64) {
    let facts = world.with(host, |node, now| node.facts(now));
    (facts.sides[0].known, facts.asked)
}

fn search(world: &mut World, host: usize) {
    world.search(host, Goal::Peers(Id([7; 20])));
    world.run(SECOND);
}

#[test]
fn a_client_that_searches_learns_whom_there_is() {
    let mut world = grown(15, FAIR, 200);
    let one = world.add(client);
    world.run(MINUTE);
    assert_eq!(knows(&mut world, one).1, 0, "who has not searched asks nobody");

    search(&mut world, one);
    let (few, asked) = knows(&mut world, one);
    world.run(5 * SECOND);
    let (most, all_asked) = knows(&mut world, one);
    println!("looking around: {few} nodes known before, {most} of 200 after {} questions", all_asked - asked);
    assert!(most >= 190 && few < 150, "{few}, then {most}");
    assert!((32..=64).contains(&(all_asked - asked)), "{asked}, then {all_asked}");

    // Once in a quarter of an hour, and not without a search.
    for (pause, is_around) in [(MINUTE, false), (14 * MINUTE, true)] {
        world.run(pause);
        let before = knows(&mut world, one).1;
        world.run(MINUTE);
        assert_eq!(knows(&mut world, one).1, before);
        search(&mut world, one);
        let searched = knows(&mut world, one).1;
        world.run(5 * SECOND);
        assert_eq!(knows(&mut world, one).1 > searched, is_around, "after {pause:?}");
    }
}

#[test]
fn a_server_waits_for_those_who_come() {
    let mut world = formed(16, FAIR, 50);
    let one = world.add(|at| Settings { mode: Mode::Server, ..client(at) });
    world.run(MINUTE);
    let before = world.tally.from(world.hosts[one].at).datagrams;
    search(&mut world, one);
    world.run(5 * SECOND);
    let sent = world.tally.from(world.hosts[one].at).datagrams - before;
    println!("a server's search: {sent} datagrams");
    assert!(sent < 64, "{sent}");
}
