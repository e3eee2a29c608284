//! What a lookup of a thousand entries reads: the first time, the second, and after one more entry. See `README.md`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that fails says so, and prints its results"
)]

#[path = "../tests/node/mod.rs"]
mod node;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bitboot_conformance::{Driver, library};
use bitboot_plugin_api::{Locator, Query};
use bitboot_rpc::testing::Proxy;
use ring::digest::{SHA256, digest};
use serde_json::json;

const ENTRIES: usize = 1000;
/// With the six of the wallets twelve primes, so 66 owners with some 15 entries each.
const PRIMES: usize = 6;
/// The size of the bundle with one address.
const VALUE: usize = 168;
const LOCATOR: [u8; 20] = [7; 20];

#[tokio::main]
async fn main() {
    let Some(node) = node::started() else { return };
    let topic = URL_SAFE_NO_PAD.encode(digest(&SHA256, &[&b"bitboot/1 arweave"[..], &LOCATOR].concat()));
    let value = |number: usize| URL_SAFE_NO_PAD.encode(format!("{number:0VALUE$}"));
    node.write(&topic, &(0..ENTRIES).map(value).collect::<Vec<_>>(), PRIMES);
    node.mine(100);
    let proxy = Proxy::counting(node.port());
    let config = json!({ "rpc": [proxy.url()] });
    let driver = Driver::open(&library("bitboot_arweave"), "arweave", config).await.unwrap();
    println!("| lookup | values | time | bytes | questions |\n|---|---|---|---|---|");
    for what in ["first, 1000 entries", "second", "after one more entry"] {
        if what.starts_with("after") {
            node.write(&topic, &[value(ENTRIES)], 0);
            node.mine(1);
            let _ = proxy.counted();
        }
        let start = Instant::now();
        let query = Query::new(Locator::new(&LOCATOR).unwrap());
        let found = driver.lookup(&query, Duration::from_secs(100)).await;
        found.outcome.unwrap();
        let (took, (bytes, questions)) = (start.elapsed().as_millis(), proxy.counted());
        println!("| {what} | {} | {took} ms | {bytes} | {questions} |", found.values.len());
    }
}
