//! Announcing and looking up among 50 nodes on loopback.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]
#![expect(clippy::print_stdout, reason = "what is told and how long it takes, with `--nocapture`")]

mod lab;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use bitboot_conformance::Finds;
use bitboot_plugin_api::{Announcement, Error, ErrorKind, Locator, Query};
use lab::{Lab, announced, open};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(60);

fn locator(name: u8) -> Locator {
    Locator::new(&[name; 20]).unwrap()
}

fn found(finds: &Finds) -> Vec<String> {
    let mut found = finds.peers.iter().map(|peer| peer.endpoint.to_string()).collect::<Vec<_>>();
    found.sort();
    found
}

/// Says how long a step has taken; shown with `--nocapture`.
async fn timed<T>(what: &str, step: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let outcome = step.await;
    println!("{what}: {:?}", start.elapsed());
    outcome
}

#[tokio::test]
async fn what_one_announces_another_finds() {
    let lab = timed("50 nodes ready", Lab::start(50)).await;
    let (one, two) = (open(lab.config()).await, open(lab.config()).await);
    let what = Announcement::new(locator(1)).with_port(4001).with_endpoint("127.0.0.1:4002".parse().unwrap());
    // A newcomer comes to know the eight nearest, whom all tell of, and a few more.
    let receipt = timed("first announce of two ports", announced(&one, &what, 8)).await;
    println!("{receipt:?}");
    assert_eq!(receipt.expires_in_s, Some(1800));

    for round in ["first lookup", "second lookup"] {
        let finds = timed(round, two.lookup(&Query::new(locator(1)), DEADLINE)).await;
        finds.outcome.as_ref().unwrap();
        assert_eq!(found(&finds), ["127.0.0.1:4001", "127.0.0.1:4002"]);
    }
    let mut stream = two.lookup_stream(&Query::new(locator(1)), DEADLINE);
    timed("first peer of a warm lookup", stream.next()).await.unwrap();
    let limited =
        timed("lookup of one peer", two.lookup(&Query::new(locator(1)).with_limit(1), DEADLINE)).await;
    assert_eq!((limited.peers.len(), limited.outcome.is_ok()), (1, true));

    let nobody =
        timed("lookup of what nobody announced", two.lookup(&Query::new(locator(2)), DEADLINE)).await;
    nobody.outcome.unwrap();
    assert!(nobody.peers.is_empty());
}

#[tokio::test]
async fn what_is_not_carried_is_told() {
    let lab = Lab::start(5).await;
    let backend = open(lab.config()).await;
    let what = Announcement::new(locator(3)).with_port(4001).with_value([1, 2, 3]);
    let receipt = backend.announce(&what.with_endpoint("peer.example:1".parse().unwrap())).await.unwrap();
    let notes = receipt.notes.join("\n");
    assert!(notes.contains("IPv4 only: peer.example:1") && notes.contains("endpoints only"), "{notes}");
}

#[tokio::test]
async fn what_others_see_is_ours() {
    let lab = Lab::start(5).await;
    // Neither bound to 127.0.0.1 nor told so: the other nodes say it.
    let backend = open(json!({ "bootstrap": lab.told["bootstrap"], "public_address": "203.0.113.7" })).await;
    let what = Announcement::new(locator(4)).with_endpoint("203.0.113.7:4001".parse().unwrap());
    let receipt = backend.announce(&what).await.unwrap();
    let notes = receipt.notes.join("\n");
    assert!(notes.contains("others are told 127.0.0.1") && notes.contains("not 203.0.113.7"), "{notes}");
}

#[tokio::test]
async fn another_hosts_endpoint_is_refused() {
    let lab = Lab::start(5).await;
    let backend = open(lab.config()).await;
    let foreign = Announcement::new(locator(5)).with_endpoint("203.0.113.7:4001".parse().unwrap());
    let error = backend.announce(&foreign).await.unwrap_err();
    println!("{error:?}");
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.why.unwrap().contains("BEP 5") && error.fix.unwrap().contains("--port 4001"));
    let short = Announcement::new(Locator::new(&[5; 19]).unwrap()).with_port(1);
    assert_eq!(backend.announce(&short).await.unwrap_err().kind, ErrorKind::Refused);
}

#[tokio::test]
async fn a_dht_that_does_not_answer_is_unreachable() {
    let backend = open(json!({ "bootstrap": ["127.0.0.1:1"], "bind": "127.0.0.1" })).await;
    let what = Announcement::new(locator(6)).with_port(4001);
    let lookup =
        timed("lookup on a dead bootstrap host", backend.lookup(&Query::new(locator(6)), DEADLINE)).await;
    let announce = timed("announce on a dead bootstrap host", backend.announce(&what)).await;
    for error in [lookup.outcome.unwrap_err(), announce.unwrap_err()] {
        println!("{error:?}");
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.message.starts_with("no bootstrap host answered within"), "{error}");
        assert!(error.why.unwrap().contains("127.0.0.1:1"));
        assert!(error.fix.unwrap().contains("bitboot doctor --online"));
    }
}

#[tokio::test]
async fn a_wrong_configuration_is_told_when_it_can_be_seen() {
    let config = |error: Error| {
        println!("{error:?}");
        assert_eq!(error.kind, ErrorKind::Config);
        error.fix.unwrap()
    };
    let backend = open(json!({})).await;
    let outcome = backend.lookup(&Query::new(locator(7)), DEADLINE).await.outcome;
    assert!(config(outcome.unwrap_err()).contains("bootstrap="));
    config(backend.health().await.unwrap_err());

    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let backend = open(json!({ "bootstrap": ["127.0.0.1:1"], "bind": "127.0.0.1", "port": port })).await;
    let outcome = backend.lookup(&Query::new(locator(7)), DEADLINE).await.outcome;
    assert!(config(outcome.unwrap_err()).contains("free port"));
}

#[tokio::test]
async fn a_private_dht_is_on_loopback_and_ends_with_its_call() {
    let lab = timed("3 nodes ready", Lab::start(3)).await;
    println!("{}", lab.told);
    let hosts = serde_json::from_value::<Vec<String>>(lab.told["bootstrap"].clone()).unwrap();
    assert_eq!((hosts.len(), &lab.told["nodes"]), (3, &json!(3)));
    assert!(hosts.iter().all(|host| host.starts_with("127.") && UdpSocket::bind(host).is_err()));
    drop(lab);
    let start = Instant::now();
    while !hosts.iter().all(|host| UdpSocket::bind(host).is_ok()) {
        assert!(start.elapsed() < DEADLINE, "its nodes still run");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("3 nodes gone: {:?}", start.elapsed());

    let backend = open(json!({})).await;
    for nodes in [0, 5001] {
        let outcome = backend.action("testnet", json!({ "nodes": nodes }), DEADLINE).finish::<Value>().await;
        assert_eq!(outcome.unwrap_err().kind, ErrorKind::Config);
    }
}
