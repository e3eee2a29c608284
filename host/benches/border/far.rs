//! The same to a worker, beside the same in this process.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitboot::{Confine, Remote, Witness, Worker};
use bitboot_plugin_api::ffi::Kind;
use bitboot_plugin_api::ffi::outside::{inspect_file, open};
use bitboot_plugin_api::{Caps, Peer, message};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::measure::{Limit, NoServices, Plugin, Series, Table, is_smoke, rounds};
use crate::support::library;
use crate::{DEADLINE, backend, decoded, query, undecoded};

/// Nobody who has to be told anything.
struct Nobody;

impl Witness for Nobody {}

/// A worker with an opened backend.
async fn start(library: &Path, kind: &str, config: &Value, confine: &Confine) -> (Worker, Remote) {
    let file = open(library).unwrap();
    let manifest = inspect_file(&file).unwrap();
    let started = Worker::start(kind, (file, library), &manifest, confine, Arc::new(Nobody)).await;
    let worker = started.unwrap();
    let remote = worker.create(kind, Arc::new(NoServices)).await.unwrap();
    answer(&remote, "open", message::encode(config)).await;
    (worker, remote)
}

async fn answer(remote: &Remote, op: &str, body: Vec<u8>) -> Vec<u8> {
    let mut events = remote.start(op, body, DEADLINE);
    let last = events.next().await.unwrap();
    assert_eq!(last.kind, Kind::Done);
    last.body
}

async fn caps(remote: &Remote) -> Caps {
    message::decode(&answer(remote, "caps", message::encode(&())).await).unwrap()
}

pub(crate) fn calls(host: &Runtime, table: &mut Table) {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({ "folder": folder.path() });
    let plugin = Plugin::new(&library("bitboot_local"), "local", config.clone());
    host.block_on(async {
        let here = plugin.open().await.unwrap();
        let (_worker, there) =
            start(&plugin.library, "local", &config, &Confine::default().with_folder(folder.path())).await;
        let (mut far, mut near) = (Series::default(), Series::default());
        for _ in 0..rounds(50_000) {
            let start = Instant::now();
            caps(&there).await;
            far.push(start.elapsed());

            let start = Instant::now();
            backend::caps(&here).await.unwrap();
            near.push(start.elapsed());
        }
        let limit = Limit::Within(Duration::from_micros(100));
        table.row("call `caps` and its reply", &far, ("in process", &near), limit);
    });
}

pub(crate) fn stream(host: &Runtime, table: &mut Table) {
    let count: u32 = if is_smoke() { 2000 } else { 500_000 };
    let config = json!({ "count": count });
    let plugin = Plugin::new(&library("bitboot_misbehaving"), "floods", config.clone());
    host.block_on(async {
        let here = plugin.open().await.unwrap();
        let (_worker, there) = start(&plugin.library, "floods", &config, &Confine::default()).await;
        let mut series: [Series; 4] = Default::default();
        for _ in 0..rounds(15) {
            series[0].push(streamed(&there, count, |_| ()).await / count);
            series[1].push(undecoded(&here, count).await / count);
            series[2].push(
                streamed(&there, count, |body| drop(message::decode::<Peer>(body).unwrap())).await / count,
            );
            series[3].push(decoded(&here, count).await / count);
        }
        let [bytes, bytes_here, peers, peers_here] = &series;
        let limit = Limit::PerSecond(500_000);
        table.row("peers streamed, as bytes", bytes, ("in process", bytes_here), limit);
        table.row("peers streamed, decoded", peers, ("in process", peers_here), limit);
    });
}

async fn streamed(remote: &Remote, count: u32, look: impl Fn(&[u8])) -> Duration {
    let (start, mut peers) = (Instant::now(), 0);
    let mut events = remote.start("lookup", message::encode(&query()), DEADLINE);
    while let Some(event) = events.next().await {
        match event.kind {
            Kind::Peer => look(&event.body),
            _ => break,
        }
        peers += 1;
    }
    assert_eq!(peers, count);
    start.elapsed()
}

/// Each time a process of its own, the files in the system's cache.
pub(crate) fn opening(host: &Runtime, table: &mut Table) {
    let folder = tempfile::tempdir().unwrap();
    for (name, kind, config, confine) in [
        (
            "bitboot_local",
            "local",
            json!({ "folder": folder.path() }),
            Confine::default().with_folder(folder.path()),
        ),
        (
            "bitboot_mainline",
            "mainline",
            json!({ "bootstrap": ["127.0.0.1:1"] }),
            Confine::default().with_network(),
        ),
    ] {
        let path = library(name);
        let (mut far, mut floor) = (Series::default(), Series::default());
        for _ in 0..rounds(100) {
            let begin = Instant::now();
            let opened = host.block_on(start(&path, kind, &config, &confine));
            far.push(begin.elapsed());
            drop(opened);

            let begin = Instant::now();
            let nothing = std::process::Command::new(env!("CARGO_BIN_EXE_bitboot")).arg("--version").output();
            floor.push(begin.elapsed());
            assert!(nothing.unwrap().status.success());
        }
        let (floor, limit) = (("by `bitboot --version`", &floor), Limit::Within(Duration::from_millis(5)));
        table.row(&format!("open {kind} in a worker"), &far, floor, limit);
    }
}
