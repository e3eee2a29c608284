//! Nodes that have missed what others have, and nodes that say of registers what no honest node says.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bitboot_conformance::{Driver, Finds, library};
use bitboot_plugin_api::{ErrorKind, Held, Locator, Query, Write};
use mainline::async_dht::AsyncDht;
use mainline::{Dht, MutableItem, RequestFilter, RequestSpecific, ServerSettings, SigningKey};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const DEADLINE: Duration = Duration::from_secs(60);
const SEED: [u8; 32] = [7; 32];

/// What a node does to requests while it is deaf: it loses those that would store something.
#[derive(Debug, Clone)]
struct Deaf(Arc<AtomicBool>);

impl RequestFilter for Deaf {
    fn allow_request(&self, request: &RequestSpecific, _from: SocketAddrV4) -> bool {
        // The crate does not export the type of the requests.
        !self.0.load(Ordering::Relaxed) || !format!("{:?}", request.request_type).starts_with("Put")
    }
}

struct Network {
    _nodes: Vec<AsyncDht>,
    addresses: Vec<String>,
    deaf: Arc<AtomicBool>,
}

/// Ten nodes that know each other; seven of them can be made deaf.
async fn network() -> Network {
    let deaf = Arc::new(AtomicBool::new(false));
    let (mut nodes, mut addresses) = (Vec::new(), Vec::new());
    for number in 0..10 {
        let mut builder = Dht::builder();
        builder.server_mode().bind_address(Ipv4Addr::LOCALHOST).bootstrap(&addresses).port(0);
        builder.request_timeout(Duration::from_millis(200));
        if number >= 3 {
            let filter = Box::new(Deaf(deaf.clone()));
            builder.server_settings(ServerSettings { filter, ..ServerSettings::default() });
        }
        let node = builder.build().unwrap().as_async();
        addresses.push(node.info().await.local_addr().to_string());
        nodes.push(node);
    }
    for _ in 0..2 {
        let mut meetings = JoinSet::new();
        for node in &nodes {
            let node = node.clone();
            meetings.spawn(async move { node.bootstrapped().await });
        }
        meetings.join_all().await;
    }
    Network { _nodes: nodes, addresses, deaf }
}

/// The same, and a backend that has written at each of them: on a busy machine they may not have met at once.
async fn written() -> (Network, Driver) {
    let start = Instant::now();
    loop {
        let network = network().await;
        let config =
            json!({ "bootstrap": network.addresses[..3], "bind": "127.0.0.1", "request_timeout_ms": 3000 });
        let backend = open(config).await;
        let stored = backend.write(&write(1)).await.unwrap().stored;
        if stored == 10 {
            return (network, backend);
        }
        assert!(start.elapsed() < DEADLINE, "written at {stored} of ten");
    }
}

async fn open(config: Value) -> Driver {
    Driver::open(&library("bitboot_mainline"), "mainline", config).await.unwrap()
}

fn write(value: u8) -> Write {
    Write::new(Locator::new(&SEED).unwrap(), vec![value; 40])
}

#[tokio::test]
async fn nodes_that_missed_a_write_do_not_stand_in_the_way_of_the_next() {
    let (network, backend) = written().await;
    let read = async || backend.read(&Query::new(Locator::new(&SEED).unwrap()), DEADLINE).await.held;
    network.deaf.store(true, Ordering::Relaxed);
    let stored = backend.write(&write(2).with_after(1)).await.unwrap().stored;
    assert!((1..=3).contains(&stored), "{stored}");
    network.deaf.store(false, Ordering::Relaxed);
    let mut held = read().await;
    held.sort_by_key(|held| held.revision);
    assert_eq!(held, [Held::new([1; 40], 1), Held::new([2; 40], 2)]);

    // Seven of ten have not what it comes after. One or two may be too late to take it on a busy machine.
    let stored = backend.write(&write(3).with_after(2)).await.unwrap().stored;
    assert!(stored >= 8, "{stored}");
    let newest = async || read().await.into_iter().max_by_key(|held| held.revision);
    assert_eq!(newest().await, Some(Held::new([3; 40], 3)));
    let stale = backend.write(&write(4).with_after(2)).await.unwrap_err();
    assert_eq!(stale.kind, ErrorKind::Conflict);
    assert_eq!(newest().await, Some(Held::new([3; 40], 3)));
}

/// A node that answers a `get` and everything else as it likes; it ends with the test.
fn node(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + 'static) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut packet = [0; 2048];
        while let Ok((size, asker)) = socket.recv_from(&mut packet) {
            let find = |part: &[u8]| packet[..size].windows(part.len()).position(|window| window == part);
            let kind = if find(b"1:q3:get").is_some() { "get" } else { "other" };
            let Some((at, told)) = find(b"1:t4:").zip(answer(kind)) else { continue };
            let head = [b"d1:rd2:id20:aaaaaaaaaaaaaaaaaaaa", &told[..], b"e1:t4:"].concat();
            let answer = [&head, &packet[at + 5..at + 9], b"1:y1:re"].concat();
            socket.send_to(&answer, asker).unwrap();
        }
    });
    address
}

/// An item as it is told: `k`, `seq`, `sig`, `token` and `v`.
fn told(item: &MutableItem) -> Vec<u8> {
    let (seq, value) = (item.seq(), item.value());
    [b"1:k32:", &item.key()[..], format!("3:seqi{seq}e3:sig64:").as_bytes(), item.signature()]
        .into_iter()
        .chain([&b"5:token4:abcd"[..], format!("1:v{}:", value.len()).as_bytes(), value])
        .flatten()
        .copied()
        .collect()
}

async fn read_from(node: String) -> Finds {
    let config = json!({ "bootstrap": [node], "bind": "127.0.0.1", "request_timeout_ms": 3000 });
    open(config).await.read(&Query::new(Locator::new(&SEED).unwrap()), DEADLINE).await
}

#[tokio::test]
async fn only_items_that_are_signed_by_the_slot_and_not_negative_are_told() {
    let item = |seed: [u8; 32], seq| MutableItem::new(SigningKey::from_bytes(&seed), b"value", seq, None);
    let good = item(SEED, 5);
    let mut forged = told(&good);
    *forged.last_mut().unwrap() ^= 1;
    for (told, expected) in [
        (told(&good), vec![Held::new(*b"value", 5)]),
        (told(&item(SEED, i64::MAX)), vec![Held::new(*b"value", i64::MAX as u64)]),
        (told(&item(SEED, -1)), vec![]),
        (told(&item([8; 32], 5)), vec![]),
        (forged, vec![]),
    ] {
        let finds =
            read_from(node(move |kind| Some(if kind == "get" { told.clone() } else { vec![] }))).await;
        finds.outcome.unwrap();
        assert_eq!(finds.held, expected);
    }
}

#[tokio::test]
async fn silence_about_a_register_is_not_an_empty_one() {
    let error = read_from(node(|kind| (kind != "get").then(Vec::new))).await.outcome.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("told what it holds"), "{error:?}");
}

#[tokio::test]
async fn a_dht_that_does_not_answer_is_unreachable() {
    let dead = json!({ "bootstrap": ["127.0.0.1:1"], "bind": "127.0.0.1", "request_timeout_ms": 300 });
    let backend = open(dead).await;
    let read = backend.read(&Query::new(Locator::new(&SEED).unwrap()), DEADLINE).await.outcome;
    for error in [read.unwrap_err(), backend.write(&write(1)).await.unwrap_err()] {
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.message.starts_with("no bootstrap host answered within"), "{error:?}");
    }
}
