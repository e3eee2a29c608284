//! The engine beside other DHT clients: the same test networks, one run, one after the other. See README.md.
#![expect(clippy::unwrap_used, reason = "a step that fails ends the benchmark")]

#[path = "dht/client.rs"]
mod client;
#[path = "dht/figures.rs"]
mod figures;
#[path = "dht/hashes.rs"]
mod hashes;
#[path = "dht/memory.rs"]
mod memory;
#[path = "dht/ours.rs"]
mod ours;
#[path = "dht/peer.rs"]
mod peer;
#[path = "dht/phases.rs"]
mod phases;
#[path = "dht/place.rs"]
mod place;
#[path = "dht/report.rs"]
mod report;
#[allow(dead_code, unreachable_pub, reason = "shared with the benchmarks of bitboot")]
#[path = "../../../host/benches/measure/sheet.rs"]
mod sheet;
#[path = "dht/verdict.rs"]
mod verdict;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU8, Ordering};

use bitboot_mainline::dht::lab::{Lab, Spec};

use client::Client;
use figures::{Figures, Network};
use hashes::Hashes;
use ours::Ours;
use peer::Peer;
use sheet::note;

/// What is measured on: how many nodes answer, how many do not, and the round trip in milliseconds. Each network with dead nodes comes after the
/// healthy one of the same round trip.
const NETWORKS: [(u16, u16, f64); 5] =
    [(200, 0, 50.0), (200, 0, 0.0), (200, 50, 0.0), (200, 50, 50.0), (200, 133, 50.0)];
const SMOKE: [(u16, u16, f64); 1] = [(10, 0, 0.0)];

fn main() {
    if memory::is_child() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let specs: &[_] = if is_smoke() { &SMOKE } else { &NETWORKS };
    let mut all = Vec::new();
    for (nodes, dead, rtt_ms) in specs.iter().copied().filter(is_wanted) {
        let spec = Spec { nodes, dead, rtt_ms, ..Spec::default() };
        let network = runtime.block_on(measure(&spec));
        report::network(&network);
        all.push(network);
    }
    let memory = if is_smoke() { None } else { Some(memory::measure()) };
    verdict::print(&all, memory);
}

/// With `BITBOOT_BENCH_RTT` only the networks of these round trips.
fn is_wanted((_, _, rtt): &(u16, u16, f64)) -> bool {
    is_one_of("BITBOOT_BENCH_RTT", &rtt.to_string())
}

/// Whether a variable is not set, or names this one among others.
fn is_one_of(variable: &str, name: &str) -> bool {
    std::env::var(variable).map_or(true, |wanted| wanted.split(',').any(|one| one == name))
}

async fn measure(spec: &Spec) -> Network {
    let lab = place::apart(Lab::start(spec)).await.unwrap();
    let hashes = Hashes::of(&lab);
    let others = Ours::start(&lab, own_address(), None);
    phases::learn(&others).await;
    let mut clients = Vec::new();
    if !is_smoke() {
        for kind in peer::KINDS.iter().filter(|kind| is_one_of("BITBOOT_BENCH_ONLY", kind.name)) {
            if let Some(why) = kind.missing() {
                note(&format!("{} is skipped: {why}", kind.name));
                continue;
            }
            note(&format!("{} nodes, {} dead, RTT {}: {}", spec.nodes, spec.dead, spec.rtt_ms, kind.name));
            match Peer::start(kind, lab.bootstrap(), own_address()) {
                Ok(peer) => clients.push(phases::run((&lab, &hashes), &others, Client::Peer(peer)).await),
                Err(why) => note(&format!("{} is skipped: {why}", kind.name)),
            }
        }
    }
    note(&format!("{} nodes, {} dead, RTT {}: ours", spec.nodes, spec.dead, spec.rtt_ms));
    let ours = Ours::start(&lab, own_address(), None);
    let ours: Figures = phases::run((&lab, &hashes), &others, Client::Ours(ours)).await;
    Network { spec: spec.clone(), ours, peers: clients }
}

/// An address on loopback that no other client of this run has. Those of the networks are above 127.1.
fn own_address() -> IpAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [_, process] = u16::try_from(std::process::id() % 100).unwrap_or_default().to_be_bytes();
    Ipv4Addr::new(127, 0, 100 + process, NEXT.fetch_add(1, Ordering::Relaxed)).into()
}

/// `cargo bench` says `--bench`. Without it, as under `cargo test --benches`, each thing is done once, to see that it still can be.
fn is_smoke() -> bool {
    let said = |word: &str| std::env::args().any(|arg| arg == word);
    !said("--bench") || said("--test")
}
