//! What a lookup among a thousand memos and a thousand accounts reads: the first time, the second, and after one more memo. See `README.md`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that fails says so, and prints its results"
)]

#[path = "../tests/node/mod.rs"]
mod node;

use std::path::Path;
use std::time::{Duration, Instant};

use bitboot_conformance::{Driver, library};
use bitboot_plugin_api::{Announcement, Locator, Query};
use bitboot_rpc::testing::Proxy;
use data_encoding::BASE64;
use node::{Stranger, Surfnet, stranger};
use serde_json::json;

const COUNT: u16 = 1000;
/// The bytes of a bundle with one record of one address.
const VALUE: usize = 168;

#[tokio::main]
async fn main() {
    let rig = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rig/solana");
    if !rig.join("node_modules/.stamp").exists() {
        println!("skipped: Surfpool is not installed, run cargo xtask setup");
        return;
    }
    let node = Surfnet::start(&rig);
    let proxy = Proxy::counting(node.port());
    let driver =
        Driver::open(&library("bitboot_solana"), "solana", json!({ "rpc": [proxy.url()] })).await.unwrap();
    let locator = Locator::new(&[7; 20]).unwrap();
    let place = place(&node, &driver, &locator).await;
    let author = Stranger::new(&node, 1);
    let memo = |number: u16| {
        let text = BASE64.encode(&[&number.to_be_bytes()[..], &[7; VALUE - 2]].concat());
        text.into_bytes()
    };
    author.write(&node, place, &(0..COUNT).map(memo).collect::<Vec<_>>());
    node.wait(40);
    println!("| lookup | time | bytes | questions |\n|---|---|---|---|");
    let look = async |what: &str| {
        let _ = proxy.counted();
        let start = Instant::now();
        let finds = driver.lookup(&Query::new(locator.clone()), Duration::from_secs(60)).await;
        finds.outcome.unwrap();
        let (took, (bytes, questions)) = (start.elapsed(), proxy.counted());
        println!("| {what} | {} ms | {bytes} | {questions} |", took.as_millis());
    };
    look("1000 memos, first").await;
    look("second").await;
    author.write(&node, place, &[memo(COUNT)]);
    look("after one more").await;
    let (_, ours) = node.stored().remove(0);
    for number in 0..COUNT {
        let value = [&number.to_be_bytes()[..], &[7; VALUE - 2]].concat();
        node.plant(&stranger::address(number), &[&ours[..108], &[0, 168], &value].concat());
    }
    look("and 1000 accounts").await;
}

/// Where announcements under a locator lie: what an account of one tells.
async fn place(node: &Surfnet, driver: &Driver, locator: &Locator) -> [u8; 32] {
    let public = bitboot_conformance::Desk::public_key(bitboot_plugin_api::Scheme::Ed25519).unwrap();
    node.fund(&stranger::text(&public), 1_000_000_000);
    driver.announce(&Announcement::new(locator.clone()).with_value(vec![7; VALUE])).await.unwrap();
    node.stored()[0].1[34..66].try_into().unwrap()
}
