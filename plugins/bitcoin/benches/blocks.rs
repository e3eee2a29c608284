//! What a lookup over a thousand blocks reads: the first time, the second, and after one more block; and by the index. See `README.md`.
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
use bitboot_rpc::testing::Proxy;
use node::Bitcoind;
use serde_json::json;

const BLOCKS: u32 = 1000;
/// The place that is looked up, and its index output.
const LOCATOR: [u8; 20] = [7; 20];
const INDEX: &str = "001450a6bde8e11225d925db59ed6cc0af6cdaf6cf77";

#[tokio::main]
async fn main() {
    let bitcoind = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rig/bitcoin/bitcoind");
    if !bitcoind.exists() {
        println!("skipped: bitcoind is not installed, run cargo xtask setup");
        return;
    }
    let node = Bitcoind::with_filters(&bitcoind);
    let address = node.ask("decodescript", json!([INDEX]))["address"].clone();
    node.mine(BLOCKS / 2);
    for _ in 0..3 {
        node.ask("sendtoaddress", json!([address, 0.000_002_94]));
        node.mine(1);
    }
    node.mine(BLOCKS / 2 - 3);
    println!("| lookup | time | bytes | questions | blocks |\n|---|---|---|---|---|");
    look(&node, "off", &["first, 1000 blocks", "second", "after one more block"]).await;
    look(&node, "only", &["by the index, first", "second", "after one more block"]).await;
    fill(&node);
    look(&node, "off", &["first, 1000 blocks, 50 of them large"]).await;
}

/// Fifty blocks of nearly a megabyte.
fn fill(node: &Bitcoind) {
    let data = "5a".repeat(950_000);
    let (address, coins) = (node.address(), node.ask("listunspent", json!([101])));
    for coin in coins.as_array().unwrap().iter().take(50) {
        let spent = json!({ "txid": coin["txid"], "vout": coin["vout"] });
        let raw = node.ask("createrawtransaction", json!([[spent], [{ "data": data }, { &address: 0.001 }]]));
        let signed = node.ask("signrawtransactionwithwallet", json!([raw]));
        node.ask("generateblock", json!([address, [signed["hex"]]]));
    }
}

/// Several lookups of one backend, with a new block before the last one.
async fn look(node: &Bitcoind, index: &str, rows: &[&str]) {
    let proxy = Proxy::counting(node.port());
    let config = json!({
        "rpc": [proxy.url()], "cookie": node.cookie(), "lookback_blocks": BLOCKS, "index": index
    });
    let driver = Driver::open(&library("bitboot_bitcoin"), "bitcoin", config).await.unwrap();
    let mut before = 0;
    for what in rows {
        if what.starts_with("after") {
            node.mine(1);
        }
        let start = Instant::now();
        let query = Query::new(Locator::new(&LOCATOR).unwrap());
        driver.lookup(&query, Duration::from_secs(60)).await.outcome.unwrap();
        let (took, (bytes, questions)) = (start.elapsed(), proxy.counted());
        let blocks = proxy.times(r#""method":"getblock","#);
        println!("| {what} | {} ms | {bytes} | {questions} | {} |", took.as_millis(), blocks - before);
        before = blocks;
    }
}
