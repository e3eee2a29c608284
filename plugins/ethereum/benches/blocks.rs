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
use bitboot_rpc::testing::Proxy;
use node::Anvil;
use serde_json::json;

const BLOCKS: u32 = 1000;
/// So many announcements of others under the same key, spread over the blocks.
const PEERS: u32 = 100;

#[tokio::main]
async fn main() {
    let anvil = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rig").join(node::PLACE);
    if !anvil.exists() {
        println!("skipped: anvil is not installed, run cargo xtask setup");
        return;
    }
    let (node, contract) = Anvil::ready(&anvil);
    let locator = Locator::new(&[7; 20]).unwrap();
    let config = json!({ "rpc": [node.url()] });
    let driver = Driver::open(&library("bitboot_ethereum"), "ethereum", config).await.unwrap();
    let mut wallet = driver.action("wallet", json!({}), Duration::from_secs(5));
    while let Some(said) = wallet.next().await {
        if let bitboot_conformance::Said::Output(told) = said {
            node.fund(told["address"].as_str().unwrap());
        }
    }
    driver
        .announce(&bitboot_plugin_api::Announcement::new(locator.clone()).with_value([7; 168]))
        .await
        .unwrap();
    let key = node.events(&contract)[0]["topics"][1].as_str().unwrap().to_owned();
    for peer in 0..PEERS {
        node.write(&contract, &key, &[(format!("{:#042x}", 0x1000 + peer), vec![8; 168])]);
        node.mine(BLOCKS / PEERS - 1);
    }
    let proxy = Proxy::counting(node.port());
    let config = json!({ "rpc": [proxy.url()], "lookback_blocks": BLOCKS });
    println!("| lookup | time | bytes | questions | values |\n|---|---|---|---|---|");
    let driver = Driver::open(&library("bitboot_ethereum"), "ethereum", config).await.unwrap();
    for what in ["first, 1000 blocks", "second", "after one more block"] {
        if what.starts_with("after") {
            node.mine(1);
        }
        let start = Instant::now();
        let finds = driver.lookup(&Query::new(locator.clone()), Duration::from_secs(60)).await;
        finds.outcome.unwrap();
        let (took, (bytes, questions)) = (start.elapsed(), proxy.counted());
        println!("| {what} | {} ms | {bytes} | {questions} | {} |", took.as_millis(), finds.values.len());
    }
}
