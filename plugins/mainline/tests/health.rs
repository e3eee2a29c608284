//! What the backend says of its DHT: well, gone, without DNS, cut off, silent.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]
#![expect(clippy::print_stdout, reason = "what is told, with `--nocapture`")]

mod lab;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use bitboot_plugin_api::{Health, Locator, Query};
use lab::{Lab, open};
use serde_json::{Value, json};

/// What a backend of this configuration says when it is asked for the first time.
async fn health(config: Value) -> Health {
    let start = Instant::now();
    let health = open(config).await.health().await.unwrap();
    println!("{:?}: {health:#?}", start.elapsed());
    health
}

/// Each has a cause in a word, a sentence that says it, and something that helps.
fn assert_unwell(health: &Health, cause: &str, says: &str) {
    assert!(!health.reachable && health.fix.is_some(), "{health:?}");
    assert_eq!(health.cause.as_deref(), Some(cause), "{health:?}");
    assert!(health.summary.contains(says), "{health:?}");
}

#[tokio::test]
async fn a_dht_that_is_well_is_told_with_its_figures() {
    let lab = Lab::start(50).await;
    let config = json!({ "bootstrap": [lab.hosts()[0], "[::1]:6881"], "bind": "127.0.0.1" });
    let backend = open(config).await;
    // The size of a DHT is known after some searches.
    for byte in 0..4 {
        let query = Query::new(Locator::new(&[byte * 60; 20]).unwrap());
        backend.lookup(&query, Duration::from_secs(60)).await.outcome.unwrap();
    }
    let told = backend.health().await.unwrap();
    println!("{told:#?}");
    assert!(told.reachable && told.cause.is_none());
    assert_eq!(told.facts["bootstrap hosts"], "1 of 2 resolved");
    assert!(told.facts["public address"].starts_with("127.0.0.1:"));
    assert!(told.facts["reachable"].starts_with("likely"), "no NAT on loopback");
    assert_eq!(told.facts["mode"], "client");
    assert!(told.figures["nodes"] > 10 && told.figures["nodes"] == told.figures["nodes_ipv4"]);
    assert!((20..200).contains(&told.figures["network_size_ipv4"]));
    let [asked, answered] = ["questions", "questions_answered"].map(|name| told.figures[name]);
    // Who is late on a busy machine is asked twice.
    assert!(answered * 2 >= asked && answered <= asked, "{answered} of {asked}");
    assert!(backend.desk().log()[0].text.contains("[::1]:6881 is passed over"));
}

#[tokio::test]
async fn each_family_is_told_by_itself() {
    if UdpSocket::bind("[::1]:0").is_err() {
        println!("skipped: this machine has no IPv6");
        return;
    }
    let (v4, v6) = (Lab::start(30).await, Lab::of(json!({ "nodes": 20, "ipv6": true })).await);
    let told = health(json!({ "bootstrap": [v4.hosts()[0], v6.hosts()[0]] })).await;
    assert!(told.reachable);
    let [all, ipv4, ipv6] = ["nodes", "nodes_ipv4", "nodes_ipv6"].map(|name| told.figures[name]);
    assert!(ipv4 > 2 && ipv6 > 2 && all == ipv4 + ipv6, "{told:?}");
    assert!(told.facts["ipv4 public address"].starts_with("127.0.0.1:"));
    assert!(told.facts["ipv6 public address"].starts_with("[::1]:"));
}

#[tokio::test]
async fn a_network_that_ended_is_told_from_one_that_cannot_be_reached() {
    let lab = Lab::start(3).await;
    let config = lab.config();
    let hosts = lab.hosts();
    drop(lab);
    // The action ends on a thread of the plugin.
    let start = Instant::now();
    while !hosts.iter().all(|host| UdpSocket::bind(host).is_ok()) {
        assert!(start.elapsed() < Duration::from_secs(60), "its nodes still run");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_unwell(&health(config).await, "bootstrap-dead", "no DHT node listens");
}

#[tokio::test]
async fn hosts_that_say_nothing_at_all_are_gone_or_cut_off() {
    let silent: Vec<_> =
        (1..=3).map(|host| UdpSocket::bind((format!("127.0.55.{host}"), 0)).unwrap()).collect();
    let hosts: Vec<_> = silent.iter().map(|socket| socket.local_addr().unwrap().to_string()).collect();
    let one = health(json!({ "bootstrap": hosts[..1], "request_timeout_ms": 300 })).await;
    assert_unwell(&one, "bootstrap-dead", "the hosts are gone, or UDP is blocked");
    let three = health(json!({ "bootstrap": hosts, "request_timeout_ms": 300 })).await;
    assert_unwell(&three, "udp-blocked", "UDP is likely blocked");
    assert_eq!(three.figures["questions_answered"], 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_cannot_be_sent_is_told_with_why() {
    // From loopback nothing leads anywhere else.
    let told = health(json!({ "bootstrap": ["192.0.2.1:6881"], "bind": "127.0.0.1" })).await;
    assert_unwell(&told, "no-route", "no way there");
    assert!(told.facts["not sent"].contains("os error") && told.figures["questions_not_sent"] > 0);
}

#[tokio::test]
async fn names_that_the_dns_does_not_know_are_told() {
    let told = health(json!({ "bootstrap": ["no-such-host.invalid:6881"] })).await;
    assert_unwell(&told, "dns-failed", "no-such-host.invalid:6881");
    let told = health(json!({ "bootstrap": ["[::1]:6881"], "bind": "127.0.0.1" })).await;
    assert_unwell(&told, "dns-failed", "no bootstrap host has an address of a family that is used");
}
