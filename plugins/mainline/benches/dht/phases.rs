//! What is done with each client, the same for all.

use std::time::{Duration, Instant};

use bitboot_mainline::dht::lab::{Lab, Traffic};

use crate::client::{Client, Hash};
use crate::figures::{Figures, Many};
use crate::hashes::{Hashes, chance};
use crate::is_smoke;
use crate::ours::Ours;

const WARM_UP: usize = 30;
const COLD: usize = 20;
const WARM: usize = 50;
/// So often, where all of that is done in a short time: somebody else may have the machine just then.
const GOES: usize = 4;
const SHORT: Duration = Duration::from_millis(500);
const COUNTED: usize = 3;
/// Who does more lookups a second than this does so many in parallel, others twice as many as run at a time.
const QUICK: f64 = 100.0;
const MANY: usize = 512;
/// Who does more than this a second does so many 32 at a time, so that one lookup that takes a second round trip does not decide.
const QUICKER: f64 = 500.0;
const MORE: usize = 2048;
/// What one thing may take, of any client; who is slow has fewer rounds then.
const SLOW: Duration = Duration::from_millis(1500);
/// The same of cold lookups, before each of which a client starts.
const SLOW_COLD: Duration = Duration::from_secs(5);
/// After so long lookups 256 at a time are left out for it.
const ENOUGH: Duration = Duration::from_secs(18);

/// Lets who announces know the network, so that the first client finds things at as few nodes as the last one: a newcomer also announces to
/// nodes that it begins with.
pub(crate) async fn learn(others: &Ours) {
    announced(others, rounds(WARM_UP)).await;
    pause().await;
}

/// Measures one client. What it looks up was announced by somebody else a moment before, and not looked up before, so that nobody knows
/// the way already.
pub(crate) async fn run((lab, hashes): (&Lab, &Hashes), others: &Ours, mut client: Client) -> Figures {
    let mut figures = Figures { name: client.name(), ..Figures::default() };
    let (start, is_ours, is_hurt) = (Instant::now(), client.is_ours(), !lab.dead().is_empty());

    let far = these(others, (0..rounds(COLD)).map(|_| hashes.far()).collect()).await;
    for hash in far.iter().take_while(within(SLOW_COLD)) {
        let found = client.cold(*hash).await;
        figures.cold.push(found.first);
        figures.missed += u32::from(found.first.is_none());
    }
    // Who waits for the dead has seen as many nodes after fewer.
    let warm_up = if is_hurt && !is_ours { WARM_UP / 5 } else { WARM_UP };
    let hashes = announced(others, rounds(warm_up)).await;
    client.lookups(hashes, 4, false).await;
    pause().await;

    for _ in 0..GOES {
        let began = Instant::now();
        one_by_one(others, &mut client, &mut figures).await;
        if is_smoke() || began.elapsed() > SHORT {
            break;
        }
        pause().await;
    }
    if is_ours {
        for hash in announced(others, rounds(COLD)).await {
            let found = client.cold_with_kept(hash).await;
            figures.kept.push(found.and_then(|found| found.first));
        }
    }
    if is_ours || !is_hurt {
        datagrams(lab, others, &mut client, &mut figures).await;
    }
    for (at, (parallel, only_first)) in
        [(32, false), (32, true), (256, false), (256, true)].into_iter().enumerate()
    {
        let has_time = is_ours || !is_hurt && (parallel < 64 || start.elapsed() < ENOUGH);
        if has_time {
            let mut many = parallel_lookups(others, &mut client, 2 * parallel, parallel, only_first).await;
            let count = enough(many, parallel);
            if many.count < count {
                many = parallel_lookups(others, &mut client, count, parallel, only_first).await;
            }
            figures.parallel[at] = Some(many);
        }
    }
    if let Client::Peer(peer) = &mut client {
        figures.rss_kib = peer.rss_kib();
    }
    figures
}

/// Lookups, announcements, and ours once more, one after the other.
async fn one_by_one(others: &Ours, client: &mut Client, figures: &mut Figures) {
    let hashes = announced(others, rounds(WARM)).await;
    for hash in hashes.iter().take_while(within(SLOW)) {
        let found = client.lookup(*hash).await;
        figures.first.push(found.first);
        figures.done.push(found.done);
        figures.missed += u32::from(found.first.is_none());
    }
    let mut hashes = Vec::new();
    for hash in (0..rounds(WARM)).map(|_| chance()).take_while(within(SLOW)) {
        let sent = client.announce(hash).await;
        figures.sent.push(sent.sent);
        figures.announce.push(sent.done);
        figures.acks = sent.acks;
        hashes.push(hash);
    }
    if client.is_ours() {
        for hash in hashes {
            figures.again.push(client.announce(hash).await.done);
        }
    }
}

async fn parallel_lookups(
    others: &Ours,
    client: &mut Client,
    count: usize,
    parallel: usize,
    only_first: bool,
) -> Many {
    let hashes = announced(others, rounds(count)).await;
    let many = client.lookups(hashes, parallel, only_first).await;
    pause().await;
    many
}

/// The median of a few; what is asked for other reasons at the same time counts, too.
async fn datagrams(lab: &Lab, others: &Ours, client: &mut Client, figures: &mut Figures) {
    for (at, median) in figures.datagrams.iter_mut().enumerate() {
        let mut counts = Vec::new();
        for hash in announced(others, rounds(COUNTED)).await {
            let before = both_ways(lab.traffic(client.ip()));
            match at {
                0 => drop(client.lookups(vec![hash], 1, true).await),
                1 => drop(client.lookup(hash).await),
                _ => drop(client.announce(chance()).await),
            }
            if at > 0 {
                pause().await;
            }
            counts.push(both_ways(lab.traffic(client.ip())) - before);
            pause().await;
        }
        counts.sort_unstable();
        *median = counts.get(counts.len() / 2).copied();
    }
}

fn both_ways(traffic: Traffic) -> u64 {
    traffic.received + traffic.sent
}

/// Fresh hashes with a peer each.
async fn announced(others: &Ours, count: usize) -> Vec<Hash> {
    these(others, (0..count).map(|_| chance()).collect()).await
}

async fn these(others: &Ours, hashes: Vec<Hash>) -> Vec<Hash> {
    others.announce_all(&hashes).await;
    hashes
}

/// How many lookups are measured of who did some so fast.
fn enough(some: Many, parallel: usize) -> usize {
    match some.per_second() {
        QUICKER.. if parallel < 64 => MORE,
        QUICK.. => MANY,
        _ => some.count,
    }
}

/// Whether there is time for one more.
fn within<T>(time: Duration) -> impl FnMut(&T) -> bool {
    let start = Instant::now();
    move |_| start.elapsed() < time
}

fn rounds(all: usize) -> usize {
    if is_smoke() { 1 } else { all }
}

/// For what is still on its way.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(if is_smoke() { 10 } else { 150 })).await;
}
