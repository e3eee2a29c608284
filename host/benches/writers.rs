//! Many writers who announce at once to one secret network on a DHT of 50 nodes; beside them, in the same run, a naive store that each of
//! them overwrites.
#![expect(clippy::unwrap_used, reason = "a step that fails ends the benchmark")]

#[allow(
    dead_code,
    unused_imports,
    reason = "the host's own code is measured, not a copy; a part of it is used"
)]
#[path = "../src/backend/mod.rs"]
mod backend;
#[path = "writers/dht.rs"]
mod dht;
#[path = "../src/loader/foreign.rs"]
mod foreign;
mod measure;
#[path = "writers/naive.rs"]
mod naive;
#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bitboot::{AnnounceOptions, Bitboot, Found, LookupOptions, Network, Paths, Secret, Signer};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use dht::Dht;
use measure::{Series, Sheet, is_smoke};
use support::Home;

/// When a reader who knows nothing yet looks the network up, in seconds since the writers began.
const LOOKS: [u64; 5] = [5, 10, 20, 30, 60];
const HEAD: [&str; 12] = [
    "DHT of 50 nodes",
    "writers",
    "seen after 5 s",
    "10 s",
    "20 s",
    "30 s",
    "60 s",
    "needed",
    "kept",
    "announced, median",
    "slowest",
    "naive store: seen",
];

/// What must be seen of so many writers.
fn needed(writers: usize) -> usize {
    if writers == 100 { 60 } else { writers }
}

fn main() {
    let home = Home::new();
    let counts: &[usize] = if is_smoke() { &[2] } else { &[2, 5, 20, 100] };
    let host = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut sheet = Sheet::new(HEAD);
    host.block_on(async {
        for dht in [Some(Dht::testnet(&home)), Dht::mixed().await].into_iter().flatten() {
            for &count in counts {
                sheet.row(round(&dht, count).await);
            }
        }
    });
    sheet.print("Writers who announce at the same moment, and how many of them a new reader sees");
}

/// One secret network with its writers, then the naive store with as many.
async fn round(dht: &Dht, count: usize) -> [String; HEAD.len()] {
    let network =
        Network::with_secret("writers", Secret::new(std::array::from_fn(|_| fastrand::u8(..)))).unwrap();
    let writers: Vec<User> = (0..count).map(|_| User::new(dht)).collect();
    let start = Instant::now();
    let (mut keeping, mut answers) = announce_all(&writers, &network);
    let (mut seen, mut last) = ([const { String::new() }; LOOKS.len()], 0);
    for (after, told) in LOOKS.into_iter().zip(&mut seen) {
        // To see that it works, seeing all of them once is enough.
        if last < count || !is_smoke() {
            tokio::time::sleep(Duration::from_secs(after).saturating_sub(start.elapsed())).await;
            last = look(dht, &network).await;
        }
        *told = last.to_string();
    }
    keeping.shutdown().await;
    let mut took = Vec::new();
    while let Some(time) = answers.recv().await {
        took.push(time);
    }
    drop(writers);
    let naive = naive::seen(&dht.plugin(), count).await;
    let (slowest, unanswered) = (took.iter().max().copied().unwrap_or_default(), count - took.len());
    let told = if unanswered > 0 { format!(" ({unanswered} not yet)") } else { String::new() };
    let median = took.into_iter().collect::<Series>().median();
    let [first, second, third, fourth, fifth] = seen;
    [
        dht.name.into(),
        count.to_string(),
        first,
        second,
        third,
        fourth,
        fifth,
        needed(count).to_string(),
        if last >= needed(count) { "yes" } else { "NO" }.into(),
        format!("{:.1} s", median.as_secs_f64()),
        format!("{:.1} s{told}", slowest.as_secs_f64()),
        format!("{naive} of {count}"),
    ]
}

/// Keeps all announced; when each of them was told so for the first time.
fn announce_all(writers: &[User], network: &Network) -> (JoinSet<()>, mpsc::UnboundedReceiver<Duration>) {
    let (start, (sender, answers)) = (Instant::now(), mpsc::unbounded_channel());
    let mut keeping = JoinSet::new();
    for (number, writer) in (0..).zip(writers) {
        let options = AnnounceOptions::port(10_000 + number).via("lab");
        let mut announcing = writer.bitboot.announce(network, options).unwrap();
        let mut sender = Some(sender.clone());
        keeping.spawn(async move {
            while let Some(answer) = announcing.next().await {
                if let Err(error) = &answer.outcome {
                    measure::note(&format!("after {:.1} s: {error}", start.elapsed().as_secs_f64()));
                } else if let Some(sender) = sender.take() {
                    let _ = sender.send(start.elapsed());
                }
            }
        });
    }
    (keeping, answers)
}

/// How many members somebody sees who has just come.
async fn look(dht: &Dht, network: &Network) -> usize {
    let reader = User::new(dht);
    let options = LookupOptions::default().via("lab").timeout(Duration::from_secs(20));
    let (mut members, start) = (BTreeSet::<Signer>::new(), Instant::now());
    let mut lookup = reader.bitboot.lookup(network, &options).unwrap();
    while let Some(found) = lookup.next().await {
        match found {
            Found::Peer(peer) => members.extend(peer.signed_by),
            Found::Failed { error, .. } => measure::note(&format!("a reader: {error}")),
            _ => {}
        }
    }
    measure::note(&format!("{} seen, in a lookup of {:.1} s", members.len(), start.elapsed().as_secs_f64()));
    members.len()
}

/// A user with folders, an identity and a node of their own.
struct User {
    bitboot: Bitboot,
    _home: Home,
}

impl User {
    fn new(dht: &Dht) -> Self {
        let home = Home::new();
        home.add_lab_by_hand(&dht.bootstrap);
        let bitboot = Bitboot::with(Paths::inside(home.path()), |_, _, _| {}).unwrap();
        Self { bitboot, _home: home }
    }
}
