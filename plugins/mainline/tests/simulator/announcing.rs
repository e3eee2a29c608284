//! How long announcements take, and that they are stored whatever the way is like.

use std::time::SystemTime;

use bitboot_mainline::dht::{Goal, Id};

use crate::scene::{FAIR, MINUTE, SECOND, client, formed, grown};
use crate::warm;
use crate::world::{Weather, World};

#[test]
fn an_announcement_after_a_restart_takes_one_round_trip() {
    let mut world = formed(13, FAIR, 100);
    let by = world.add(client);
    world.run(MINUTE / 6);
    let (hash, day) = (Id::random(&mut world.chance), SystemTime::UNIX_EPOCH + 20_000 * 86_400 * SECOND);
    world.with(by, |node, now| node.set_clock(now, day));
    let announce = |world: &mut World| {
        let search = world.search(by, Goal::Announce(hash, vec![4242]));
        world.run(5 * SECOND);
        let progress = &world.hosts[by].searches[&search];
        (progress.done.unwrap().0 - progress.began.0, progress.outcome.clone())
    };
    let (whole, _) = announce(&mut world);
    let kept = world.with(by, |node, now| node.keep(now));
    // Twice: with a clock that goes on, and with one that is long after.
    for (later, is_short) in [(MINUTE, true), (60 * MINUTE, false)] {
        world.restart(by);
        world.with(by, |node, now| {
            node.set_clock(now, day + later);
            node.remember(&kept);
        });
        let (took, outcome) = announce(&mut world);
        println!("announced in {whole:?}, after a restart and {later:?} in {took:?}: {outcome:?}");
        assert!(outcome.stored >= 19, "{outcome:?}");
        assert_eq!((took <= SECOND * 185 / 1000, outcome.asked == 0), (is_short, is_short));
    }
}

#[test]
fn an_announcement_does_not_end_when_all_answers_are_late_at_once() {
    let mut world = grown(14, Weather { rtt: (50, 50), jitter: 0, loss: 0.0, twice: 0.0 }, 100);
    let by = world.add(client);
    warm(&mut world, &[by], 20);
    // The way is twice as long from one moment to the next.
    world.weather.rtt = (100, 100);
    let search = world.search(by, Goal::Announce(Id([5; 20]), vec![4242]));
    world.run(10 * SECOND);
    let outcome = &world.hosts[by].searches[&search].outcome;
    println!("all late: {outcome:?}");
    assert!(outcome.stored >= 18, "{outcome:?}");
}
