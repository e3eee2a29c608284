//! A lookup and an announcement through bitboot beside the bare `mainline` crate: one private DHT, one run, in turn.
#![expect(clippy::unwrap_used, reason = "a step that fails ends the benchmark")]

#[allow(
    dead_code,
    unused_imports,
    reason = "the host's own code is measured, not a copy; a part of it is used"
)]
#[path = "../src/backend/mod.rs"]
mod backend;
#[path = "../src/loader/foreign.rs"]
mod foreign;
mod measure;
#[path = "../tests/support/mod.rs"]
mod support;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use bitboot_plugin_api::{Announcement, Endpoint, Locator, Query};
use futures_lite::StreamExt;
use mainline::async_dht::AsyncDht;
use mainline::{Dht, Id};
use serde_json::json;
use sha1::{Digest, Sha1};
use tokio::runtime::Builder;

use foreign::Foreign;
use measure::{Limit, Plugin, Series, Table, is_smoke, rounds};
use support::{Home, Testnet, library};

type InfoHash = [u8; 20];

/// What the plugin waits for a node's answer by default.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(20);
const PORT: u16 = 4001;

/// The first peer, and the end.
type Found = (Duration, Duration);

fn main() {
    let home = Home::new();
    let nodes = if is_smoke() { 10 } else { 100 };
    let lab = Lab { testnet: Testnet::start(&home, nodes), home };
    let host = Builder::new_current_thread().enable_all().build().unwrap();
    let mut table = Table::new();
    host.block_on(async {
        warm(&lab, &mut table).await;
        cold(&lab, &mut table).await;
    });
    table.print(&format!("A private DHT of {nodes} nodes, bitboot beside the bare mainline crate"));
}

/// A private DHT in a process of its own, and a user who knows it as `lab`.
struct Lab {
    testnet: Testnet,
    home: Home,
}

impl Lab {
    fn plugin(&self) -> Plugin {
        let config = json!({ "bootstrap": self.testnet.bootstrap, "bind": "127.0.0.1" });
        Plugin::new(&library("bitboot_mainline"), "mainline", config)
    }

    fn bare(&self) -> AsyncDht {
        let mut builder = Dht::builder();
        let bootstrap: Vec<SocketAddrV4> =
            self.testnet.bootstrap.iter().map(|host| host.parse().unwrap()).collect();
        builder.bootstrap(&bootstrap).bind_address(Ipv4Addr::LOCALHOST).port(0).request_timeout(PATIENCE);
        builder.build().unwrap().as_async()
    }
}

/// Nodes that have long entered the DHT. Each looks up what the other one announced, so that neither has a search to begin with.
async fn warm(lab: &Lab, table: &mut Table) {
    let (bare, plugin) = (lab.bare(), lab.plugin().open().await.unwrap());
    bare.bootstrapped().await;
    look_up(&plugin, chance()).await;
    let [mut announced, mut first, mut done] = [(); 3].map(|()| [Series::default(), Series::default()]);
    for _ in 0..rounds(100) {
        let hashes = [chance(), chance()];
        // Both nodes wake up every 50 ms: each is asked at a moment that has nothing to do with the question before.
        drift().await;
        announced[0].push(announce(&plugin, hashes[0]).await);
        drift().await;
        announced[1].push(announce_bare(&bare, hashes[1]).await);
        drift().await;
        let of_plugin = look_up(&plugin, hashes[1]).await.unwrap();
        drift().await;
        let of_bare = look_up_bare(&bare, hashes[0]).await.unwrap();
        for (at, found) in [of_plugin, of_bare].into_iter().enumerate() {
            first[at].push(found.0);
            done[at].push(found.1);
        }
    }
    for (what, [plugin, bare]) in
        [("lookup, first peer", first), ("lookup, done", done), ("announce", announced)]
    {
        table.row(what, &plugin, ("bare crate", &bare), Limit::None);
    }
}

/// From nothing: a new node each time, and a whole process.
async fn cold(lab: &Lab, table: &mut Table) {
    lab.home.add_lab(&lab.testnet.bootstrap.join(","));
    lab.home.ok(&["announce", "demo", "--port", "4001", "--via", "lab", "--once"]);
    let hash: InfoHash = Sha1::digest("demo").into();
    let [mut first, mut done] = [(); 2].map(|()| [Series::default(), Series::default(), Series::default()]);
    for _ in 0..rounds(30) {
        let start = Instant::now();
        let bare = lab.bare();
        let started = start.elapsed();
        let of_bare = look_up_bare(&bare, hash).await.unwrap();
        let start = Instant::now();
        let plugin = lab.plugin().open().await.unwrap();
        let opened = start.elapsed();
        let of_plugin = look_up(&plugin, hash).await.unwrap();
        let of_command = command(lab);
        let times = [(opened, of_plugin), (Duration::ZERO, of_command), (started, of_bare)];
        for (at, (before, found)) in times.into_iter().enumerate() {
            first[at].push(before + found.0);
            done[at].push(before + found.1);
        }
    }
    for (what, [plugin, command, bare]) in [("first peer", first), ("done", done)] {
        let floor = ("bare crate, new node", &bare);
        table.row(&format!("new backend, {what}"), &plugin, floor, Limit::None);
        table.row(&format!("`bitboot lookup`, {what}"), &command, floor, Limit::None);
    }
}

async fn announce(plugin: &Foreign, hash: InfoHash) -> Duration {
    let what = Announcement::new(Locator::new(&hash).unwrap()).with_port(PORT);
    let start = Instant::now();
    backend::announce(plugin, &what, DEADLINE).await.unwrap();
    start.elapsed()
}

async fn announce_bare(dht: &AsyncDht, hash: InfoHash) -> Duration {
    let start = Instant::now();
    dht.announce_peer(Id::from(hash), Some(PORT)).await.unwrap();
    start.elapsed()
}

/// `None` when nothing was found.
async fn look_up(plugin: &Foreign, hash: InfoHash) -> Option<Found> {
    let (query, start, mut first) = (Query::new(Locator::new(&hash)?), Instant::now(), None);
    let mut lookup = backend::lookup(plugin, &query, DEADLINE);
    while let backend::Step::Peer(peer) = lookup.next().await.unwrap() {
        assert_eq!(Some(peer.endpoint), Endpoint::new(Ipv4Addr::LOCALHOST.into(), PORT));
        first.get_or_insert_with(|| start.elapsed());
    }
    Some((first?, start.elapsed()))
}

async fn look_up_bare(dht: &AsyncDht, hash: InfoHash) -> Option<Found> {
    let (start, mut first) = (Instant::now(), None);
    let mut answers = dht.get_peers(Id::from(hash));
    while let Some(peers) = answers.next().await {
        assert!(peers.iter().all(|peer| peer.port() == PORT));
        first.get_or_insert_with(|| start.elapsed());
    }
    Some((first?, start.elapsed()))
}

/// From the start of the process to its first line, and to its end.
fn command(lab: &Lab) -> Found {
    let start = Instant::now();
    let mut running = lab.home.start(&["lookup", "demo", "--via", "lab", "--json"]);
    assert_eq!(running.json()["peer"], format!("127.0.0.1:{PORT}"));
    let first = start.elapsed();
    // Its stdout closes when it ends.
    running.rest();
    let done = start.elapsed();
    assert_eq!(running.end().0, Some(0));
    (first, done)
}

async fn drift() {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..60))).await;
}

fn chance() -> InfoHash {
    std::array::from_fn(|_| fastrand::u8(..))
}
