//! A private network that is shut down and started again while a backend is open.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use bitboot_conformance::{Driver, library};
use bitboot_plugin_api::{Announcement, Locator, Query};
use mainline::Dht;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const DEADLINE: Duration = Duration::from_secs(15);

/// 300 nodes that start from the first, which is where it was before; the others are not.
async fn network(port: u16) -> Vec<Dht> {
    let node = |bootstrap: &[String], port: u16| {
        let mut builder = Dht::builder();
        builder.server_mode().bind_address(Ipv4Addr::LOCALHOST).bootstrap(bootstrap).port(port);
        builder.request_timeout(Duration::from_millis(200)).build().unwrap()
    };
    let mut nodes = vec![node(&[], port)];
    nodes.extend((1..300).map(|_| node(&[format!("127.0.0.1:{port}")], 0)));
    for _ in 0..2 {
        let mut meetings = JoinSet::new();
        for node in nodes.iter().cloned() {
            meetings.spawn(async move { node.as_async().bootstrapped().await });
        }
        meetings.join_all().await;
    }
    nodes
}

async fn open(config: &Value) -> Driver {
    Driver::open(&library("bitboot_mainline"), "mainline", config.clone()).await.unwrap()
}

fn locator(byte: u8) -> Locator {
    Locator::new(&[byte; 20]).unwrap()
}

#[tokio::test]
async fn a_network_that_was_restarted_is_entered_again() {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = json!({ "bootstrap": [format!("127.0.0.1:{port}")], "bind": "127.0.0.1" });
    let first = network(port).await;
    let old = open(&config).await;
    // A node that has searched for a while goes by the nearest twenty that it knows, and by them alone.
    for byte in 0..20 {
        old.lookup(&Query::new(locator(byte * 11)), DEADLINE).await.outcome.unwrap();
    }
    drop(first);
    // Who was heard a moment ago is taken to be there.
    tokio::time::sleep(Duration::from_secs(6)).await;

    let _second = network(port).await;
    let what = Announcement::new(locator(9)).with_port(4001);
    open(&config).await.announce(&what).await.unwrap();
    let finds = old.lookup(&Query::new(locator(9)), DEADLINE).await;
    finds.outcome.unwrap();
    assert_eq!(finds.peers.len(), 1, "{:?}", old.desk().log());
}
