//! Announcing, looking up and registers over IPv6, over both families at once, and from one family to the other (BEP 32).
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]
#![expect(clippy::print_stdout, reason = "what is told and how long it takes, with `--nocapture`")]

mod lab;

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use bitboot_conformance::Driver;
use bitboot_mainline::dht::{Dht, Family, Goal, Id, Mode, Settings, Start};
use bitboot_plugin_api::{Announcement, ErrorKind, Locator, Query, Write};
use lab::{Lab, announced, open};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(60);

fn has_ipv6() -> bool {
    let has = UdpSocket::bind("[::1]:0").is_ok();
    if !has {
        println!("skipped: this machine has no IPv6");
    }
    has
}

async fn v6(nodes: u16) -> Lab {
    Lab::of(json!({ "nodes": nodes, "ipv6": true })).await
}

async fn found(backend: &Driver, locator: u8) -> Vec<String> {
    let finds = backend.lookup(&Query::new(at(locator)), DEADLINE).await;
    finds.outcome.unwrap();
    let mut found: Vec<_> = finds.peers.iter().map(|peer| peer.endpoint.to_string()).collect();
    found.sort();
    found
}

fn at(locator: u8) -> Locator {
    Locator::new(&[locator; 20]).unwrap()
}

#[tokio::test]
async fn a_network_of_ipv6_alone_is_one() {
    if !has_ipv6() {
        return;
    }
    let lab = v6(50).await;
    assert!(lab.hosts().iter().all(|host| host.starts_with("[::1]:")), "{}", lab.told);
    for config in [json!({ "bootstrap": lab.hosts() }), json!({ "bootstrap": lab.hosts(), "bind": "::1" })] {
        let (one, two) = (open(config.clone()).await, open(config).await);
        // A newcomer comes to know the eight nearest, whom all tell of, and a few more.
        println!("{:?}", announced(&one, &Announcement::new(at(1)).with_port(4001), 8).await);
        assert_eq!(found(&two, 1).await, ["[::1]:4001"]);
        let slot = Locator::new(&[9; Write::SLOT]).unwrap();
        let held = two.read(&Query::new(slot.clone()), DEADLINE).await;
        let last = held.held.iter().map(|held| held.revision).max();
        let write = Write::new(slot.clone(), *b"over IPv6");
        one.write(&last.into_iter().fold(write, Write::with_after)).await.unwrap();
        let held = two.read(&Query::new(slot), DEADLINE).await;
        assert!(held.held.iter().any(|held| held.value == b"over IPv6"));
    }
    // An endpoint is announced in its own family, and only there.
    let only_v6 = open(json!({ "bootstrap": lab.hosts(), "bind": "::1" })).await;
    let what = Announcement::new(at(2)).with_endpoint("127.0.0.1:4001".parse().unwrap());
    let error = only_v6.announce(&what).await.unwrap_err();
    assert!(error.kind == ErrorKind::Refused && error.message.contains("IPv6 only"), "{error:?}");
}

#[tokio::test]
async fn two_networks_one_of_each_family_are_one_medium() {
    if !has_ipv6() {
        return;
    }
    let (v4, v6) = (Lab::start(30).await, v6(30).await);
    let both = || json!({ "bootstrap": [v4.hosts()[0], v6.hosts()[0]] });
    let (one, two) = (open(both()).await, open(both()).await);
    let caps = one.caps().await.unwrap();
    assert!(caps.ipv4 && caps.ipv6);

    // At more than there may be in one of them.
    announced(&one, &Announcement::new(at(1)).with_port(4001), 13).await;
    assert_eq!(found(&two, 1).await, ["127.0.0.1:4001", "[::1]:4001"]);
    let alone = [open(v4.config()).await, open(json!({ "bootstrap": v6.hosts() })).await];
    assert_eq!(found(&alone[0], 1).await, ["127.0.0.1:4001"]);
    assert_eq!(found(&alone[1], 1).await, ["[::1]:4001"]);

    // Each by its own address.
    let what = Announcement::new(at(2));
    let what =
        what.with_endpoint("127.0.0.1:5001".parse().unwrap()).with_endpoint("[::1]:5002".parse().unwrap());
    let receipt = one.announce(&what).await.unwrap();
    assert!(receipt.notes.is_empty(), "{receipt:?}");
    assert_eq!(found(&two, 2).await, ["127.0.0.1:5001", "[::1]:5002"]);

    // A register is written in both, and a writer who knows one of them only is merged with, not written over.
    let slot = Locator::new(&[8; Write::SLOT]).unwrap();
    one.write(&Write::new(slot.clone(), *b"both")).await.unwrap();
    for reader in alone.iter().chain([&two]) {
        let held = reader.read(&Query::new(slot.clone()), DEADLINE).await.held;
        assert!(!held.is_empty() && held.iter().all(|held| held.value == b"both"));
    }
    alone[1].write(&Write::new(slot.clone(), *b"IPv6").with_after(1)).await.unwrap();
    let error = two.write(&Write::new(slot.clone(), *b"late").with_after(1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    two.write(&Write::new(slot.clone(), *b"merged").with_after(2)).await.unwrap();
    for reader in &alone {
        let held = reader.read(&Query::new(slot.clone()), DEADLINE).await.held;
        assert!(held.iter().any(|held| held.value == b"merged"));
    }
}

#[tokio::test]
async fn a_family_that_leads_nowhere_holds_nobody_up() {
    if !has_ipv6() {
        return;
    }
    let lab = Lab::start(30).await;
    let silent = UdpSocket::bind("[::1]:0").unwrap();
    let hosts = [lab.hosts()[0].clone(), silent.local_addr().unwrap().to_string()];
    // The first time half as long is waited as a node may take, then not at all.
    let backend = open(json!({ "bootstrap": hosts, "request_timeout_ms": 10_000 })).await;
    let mut took = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        backend.announce(&Announcement::new(at(3)).with_port(4001)).await.unwrap();
        assert_eq!(found(&backend, 3).await, ["127.0.0.1:4001"]);
        took.push(start.elapsed());
    }
    println!("{took:?}");
    assert!(took[0] < Duration::from_millis(9500) && took[2] < Duration::from_millis(4500), "{took:?}");
}

/// A node with a socket in each family.
fn dual(bootstrap: Vec<SocketAddr>) -> Dht {
    let bind = ["127.0.0.1:0", "[::1]:0"].map(|at| at.parse().ok());
    let settings = Settings { mode: Mode::Server, ..Settings::default() };
    Dht::start(Start { settings, bind, bootstrap, kept: None }).unwrap()
}

#[tokio::test]
async fn whoever_knows_one_family_is_told_of_the_other() {
    if !has_ipv6() {
        return;
    }
    let first = dual(Vec::new());
    let door: Vec<_> = first.families().filter_map(|family| first.bound(family)).collect();
    let nodes: Vec<_> = (0..12).map(|_| dual(door.clone())).collect();
    for node in &nodes {
        for family in [Family::V4, Family::V6] {
            node.search(Goal::Nodes(Id([7; 20])), family).done().await;
        }
    }
    let knows_v4: Value = json!({ "bootstrap": [door[0].to_string()] });
    let knows_v6: Value = json!({ "bootstrap": [door[1].to_string()] });
    // They take their time to look whether those are there that they were told of.
    let start = Instant::now();
    for name in 4.. {
        let (one, two) = (open(knows_v4.clone()).await, open(knows_v6.clone()).await);
        one.announce(&Announcement::new(at(name)).with_port(4001)).await.unwrap();
        let found = found(&two, name).await;
        if found == ["127.0.0.1:4001", "[::1]:4001"] {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "{found:?}");
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
}
