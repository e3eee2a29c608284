//! What the border costs: a call and its reply, a stream of peers, and opening a library, each beside what it cannot be faster than.
#![expect(clippy::unwrap_used, reason = "a step that fails ends the benchmark")]

#[allow(
    dead_code,
    unused_imports,
    reason = "the host's own code is measured, not a copy; a part of it is used"
)]
#[path = "../src/backend/mod.rs"]
mod backend;
#[path = "border/far.rs"]
mod far;
#[path = "../src/loader/foreign.rs"]
mod foreign;
mod measure;
#[path = "../tests/support/mod.rs"]
mod support;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bitboot_plugin_api::ffi::Kind;
use bitboot_plugin_api::{Endpoint, Locator, Peer, Query, message};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

use backend::{Backend, Inbox, Step};
use measure::{Limit, Plugin, Series, Table, is_smoke, rounds};
use support::library;

/// With this in the environment the program opens the library that its arguments name, tells the nanoseconds, and ends.
const OPENS: &str = "BITBOOT_BENCH_OPENS";
/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(60);

fn main() {
    // As the commands have it.
    let host = Builder::new_current_thread().enable_all().build().unwrap();
    if let Ok(how) = env::var(OPENS) {
        return open_here(&host, &how);
    }
    let mut table = Table::new();
    calls(&host, &mut table);
    stream(&host, &mut table);
    opening(&mut table);
    table.print("The border, in one process");
    let mut table = Table::new();
    far::calls(&host, &mut table);
    far::stream(&host, &mut table);
    far::opening(&host, &mut table);
    table.print("The border, to a process of the plugin's own");
}

/// A runtime like the one that a plugin's library has.
fn another() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn calls(host: &Runtime, table: &mut Table) {
    let folder = tempfile::tempdir().unwrap();
    let plugin = Plugin::new(&library("bitboot_local"), "local", json!({ "folder": folder.path() }));
    let (other, (ask, mut asked)) = (another(), mpsc::channel::<(Vec<u8>, oneshot::Sender<Vec<u8>>)>(16));
    other.spawn(async move {
        while let Some((question, answer)) = asked.recv().await {
            answer.send(question).unwrap();
        }
    });
    host.block_on(async {
        let local = plugin.open().await.unwrap();
        let question = message::encode(&backend::caps(&local).await.unwrap());
        let (mut border, mut floor) = (Series::default(), Series::default());
        for _ in 0..rounds(50_000) {
            let start = Instant::now();
            backend::caps(&local).await.unwrap();
            border.push(start.elapsed());

            let (start, (answer, answered)) = (Instant::now(), oneshot::channel());
            ask.send((question.clone(), answer)).await.unwrap();
            answered.await.unwrap();
            floor.push(start.elapsed());
        }
        let floor = ("by tokio channels", &floor);
        table.row("call `caps` and its reply", &border, floor, Limit::Within(Duration::from_micros(20)));
    });
}

fn stream(host: &Runtime, table: &mut Table) {
    let count: u32 = if is_smoke() { 2000 } else { 500_000 };
    let plugin = Plugin::new(&library("bitboot_misbehaving"), "floods", json!({ "count": count }));
    let other = another();
    host.block_on(async {
        let floods = plugin.open().await.unwrap();
        let (mut raw, mut border, mut floor) = (Series::default(), Series::default(), Series::default());
        for _ in 0..rounds(15) {
            raw.push(undecoded(&floods, count).await / count);
            border.push(decoded(&floods, count).await / count);
            floor.push(in_one_program(&other, count).await / count);
        }
        let (floor, limit) = (("by a tokio channel", &floor), Limit::PerSecond(500_000));
        table.row("peers streamed, as bytes", &raw, floor, limit);
        table.row("peers streamed, decoded", &border, floor, limit);
    });
}

fn query() -> Query {
    Query::new(Locator::new(&[7; 20]).unwrap())
}

async fn undecoded(floods: &impl Backend, count: u32) -> Duration {
    let (start, mut peers) = (Instant::now(), 0);
    let mut inbox = floods.call("lookup", message::encode(&query()), DEADLINE);
    while let Some(event) = inbox.next().await {
        peers += u32::from(event.kind == Kind::Peer);
        if event.kind == Kind::Done {
            break;
        }
    }
    assert_eq!(peers, count);
    start.elapsed()
}

async fn decoded(floods: &impl Backend, count: u32) -> Duration {
    let (start, mut peers) = (Instant::now(), 0);
    let mut lookup = backend::lookup(floods, &query(), DEADLINE);
    while let Step::Peer(_) = lookup.next().await.unwrap() {
        peers += 1;
    }
    assert_eq!(peers, count);
    start.elapsed()
}

/// The same peers, through a channel of the same depth, from a task of the same program.
async fn in_one_program(other: &Runtime, count: u32) -> Duration {
    let start = Instant::now();
    let (sender, mut peers) = mpsc::channel(Inbox::DEPTH);
    other.spawn(async move {
        for number in 0..count {
            let endpoint = Endpoint::new(number.to_be_bytes().into(), 4001).unwrap();
            sender.send(Peer::new(endpoint)).await.unwrap();
        }
    });
    let mut received = 0;
    while peers.recv().await.is_some() {
        received += 1;
    }
    assert_eq!(received, count);
    start.elapsed()
}

/// Each library in a fresh process, the file in the system's cache.
fn opening(table: &mut Table) {
    let folder = tempfile::tempdir().unwrap();
    for (name, kind, config) in [
        ("bitboot_local", "local", json!({ "folder": folder.path() })),
        ("bitboot_mainline", "mainline", json!({ "bootstrap": ["127.0.0.1:1"] })),
    ] {
        let plugin = Plugin::new(&library(name), kind, config);
        let (mut first, mut again, mut bare) = (Series::default(), Series::default(), Series::default());
        for _ in 0..rounds(100) {
            let took = in_a_process("as a plugin", &plugin);
            first.push(took[0]);
            again.push(took[1]);
            bare.push(in_a_process("as a library", &plugin)[0]);
        }
        let (floor, limit) = (("by dlopen and its threads", &bare), Limit::Within(Duration::from_millis(2)));
        table.row(&format!("open {kind}, the first time"), &first, floor, limit);
        table.row(&format!("open {kind} again"), &again, floor, limit);
    }
}

fn in_a_process(how: &str, plugin: &Plugin) -> Vec<Duration> {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env(OPENS, how).arg(&plugin.library).arg(&plugin.kind).arg(plugin.config.to_string());
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let told = String::from_utf8(ran.stdout).unwrap();
    told.split_whitespace().map(|nanos| Duration::from_nanos(nanos.parse().unwrap())).collect()
}

#[expect(clippy::print_stdout, reason = "read by the process that measures")]
fn open_here(host: &Runtime, how: &str) {
    let args: Vec<String> = env::args().skip(1).collect();
    let [path, kind, config] = args.as_slice() else { panic!("PATH KIND CONFIG") };
    let plugin = Plugin::new(Path::new(path), kind, serde_json::from_str(config).unwrap());
    if how == "as a library" {
        return println!("{}", host.block_on(open_bare(plugin.library)).as_nanos());
    }
    host.block_on(async {
        // Both backends are kept: closing one is not a part of opening the next.
        let mut backends = Vec::new();
        for _ in 0..2 {
            let start = Instant::now();
            backends.push(plugin.open().await.unwrap());
            println!("{}", start.elapsed().as_nanos());
        }
    });
}

/// What any library costs whose code runs on two threads of its own: the system's loader, their start, and one answer from them.
async fn open_bare(path: PathBuf) -> Duration {
    let start = Instant::now();
    tokio::task::spawn_blocking(move || dlopen(&path)).await.unwrap();
    let other = another();
    other.spawn(async {}).await.unwrap();
    let took = start.elapsed();
    // As a plugin's: never ended, and a runtime must not be within another.
    std::mem::forget(other);
    took
}

#[expect(unsafe_code, reason = "what the system's loader takes is the floor")]
fn dlopen(path: &Path) {
    // SAFETY: a library that this workspace has built; its constructors are those of Rust's runtime.
    let library = unsafe { libloading::Library::new(path) }.unwrap();
    std::mem::forget(library);
}
