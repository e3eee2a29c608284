//! What a lookup over a thousand blocks reads: the first time, the second, and after one more block. See `README.md`.
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
use bitboot_plugin_api::{Locator, Query};
use node::Bitcoind;
use node::proxy::Proxy;
use serde_json::json;

const BLOCKS: u32 = 1000;

#[tokio::main]
async fn main() {
    let bitcoind = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rig/bitcoin/bitcoind");
    if !bitcoind.exists() {
        println!("skipped: bitcoind is not installed, run cargo xtask setup");
        return;
    }
    let node = Bitcoind::start(&bitcoind);
    node.mine(BLOCKS);
    let proxy = Proxy::counting(node.port());
    let config = json!({ "rpc": [proxy.url()], "cookie": node.cookie(), "lookback_blocks": BLOCKS });
    let driver = Driver::open(&library("bitboot_bitcoin"), "bitcoin", config).await.unwrap();
    println!("| lookup | time | bytes | questions |\n|---|---|---|---|");
    for what in ["first, 1000 blocks", "second", "after one more block"] {
        if what.starts_with("after") {
            node.mine(1);
        }
        let start = Instant::now();
        let query = Query::new(Locator::new(&[7; 20]).unwrap());
        driver.lookup(&query, Duration::from_secs(60)).await.outcome.unwrap();
        let (took, (bytes, questions)) = (start.elapsed(), proxy.counted());
        println!("| {what} | {} ms | {bytes} | {questions} |", took.as_millis());
    }
}
