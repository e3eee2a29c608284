//! What nodes of a DHT may say that no honest node says.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use bitboot_conformance::{Driver, Finds, library};
use bitboot_plugin_api::{Announcement, ErrorKind, Locator, Query};
use serde_json::json;

/// A node that answers a question and its transaction in its own way; it ends with the test.
fn node(answer: impl Fn(&[u8], &[u8]) -> Vec<u8> + Send + 'static) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut packet = [0; 2048];
        while let Ok((size, asker)) = socket.recv_from(&mut packet) {
            let transaction = packet[..size].windows(5).position(|part| part == b"1:t4:");
            let transaction = transaction.map_or(&[][..], |at| &packet[at + 5..at + 9]);
            socket.send_to(&answer(&packet[..size], transaction), asker).unwrap();
        }
    });
    address
}

/// An answer to `get_peers` that tells of these peers, four bytes of address and two of port each.
fn peers(peers: &[[u8; 6]], transaction: &[u8]) -> Vec<u8> {
    let values = peers.iter().flat_map(|peer| [b"6:", &peer[..]].concat()).collect::<Vec<_>>();
    let head = b"d1:rd2:id20:aaaaaaaaaaaaaaaaaaaa5:token4:abcd6:valuesl";
    [head, &values[..], b"ee1:t4:", transaction, b"1:y1:re"].concat()
}

async fn open(node: String, patience_ms: u32) -> Driver {
    let config = json!({ "bootstrap": [node], "bind": "127.0.0.1", "request_timeout_ms": patience_ms });
    Driver::open(&library("bitboot_mainline"), "mainline", config).await.unwrap()
}

async fn lookup(node: String, limit: u32, patience_ms: u32) -> Finds {
    let query = Query::new(locator()).with_limit(limit);
    open(node, patience_ms).await.lookup(&query, Duration::from_secs(60)).await
}

/// More than a node takes that answers, and what is waited for one that does not.
const LONG_MS: u32 = 10_000;
const SHORT_MS: u32 = 300;

fn locator() -> Locator {
    Locator::new(&[7; 20]).unwrap()
}

#[tokio::test]
async fn peers_at_port_0_are_passed_over_and_others_told_once() {
    let (nobody, first, second) = ([203, 0, 113, 1, 0, 0], [203, 0, 113, 2, 0, 80], [203, 0, 113, 3, 0, 80]);
    let node = node(move |_, transaction| peers(&[nobody, first, first, nobody, second], transaction));
    let finds = lookup(node.clone(), 10, LONG_MS).await;
    finds.outcome.unwrap();
    let found = finds.peers.iter().map(|peer| peer.endpoint.to_string()).collect::<Vec<_>>();
    assert_eq!(found, ["203.0.113.2:80", "203.0.113.3:80"]);
    assert_eq!(lookup(node, 1, LONG_MS).await.peers.len(), 1);
}

#[tokio::test]
async fn a_node_that_talks_nonsense_is_as_good_as_none() {
    for nonsense in [&b""[..], b"d", b"d1:rd2:id20:", &[0xff; 1500], &b"l".repeat(2000)] {
        let nonsense = nonsense.to_vec();
        let finds = lookup(node(move |_, _| nonsense.clone()), 10, SHORT_MS).await;
        assert!(finds.peers.is_empty() && finds.outcome.is_err());
    }
}

#[tokio::test]
async fn an_error_that_belongs_to_another_request_is_an_error_here_too() {
    // BEP 44's "CAS failed", at which the crate panics.
    let node = node(|question, transaction| {
        let is = |name: &[u8]| question.windows(name.len()).any(|part| part == name);
        if is(b"13:announce_peer") {
            return [b"d1:eli301e3:oope1:t4:", transaction, b"1:y1:ee"].concat();
        }
        if is(b"4:ping") {
            return [b"d1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t4:", transaction, b"1:y1:re"].concat();
        }
        peers(&[[203, 0, 113, 1, 0, 80]], transaction)
    });
    let what = Announcement::new(locator()).with_port(4001);
    let error = open(node, LONG_MS).await.announce(&what).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error:?}");
    assert!(error.message.contains("no node of the DHT took"), "{error:?}");
}
