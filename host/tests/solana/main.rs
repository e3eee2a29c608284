//! Announcing and looking up on a Solana chain: a real runtime, one for each test.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod delivery;
mod finding;
#[path = "../../../plugins/solana/tests/node/mod.rs"]
mod node;
mod spending;
#[path = "../support/mod.rs"]
mod support;
mod trouble;

use std::path::PathBuf;

use node::Surfnet;
use serde_json::Value;
use support::{Chain, Spender, rig};

const CHAIN: Chain = Chain {
    via: "solana-local",
    key: "ed25519",
    limit: "0.01 SOL",
    per_transaction: "0.01 SOL",
    per_day: "1 SOL",
};
const VIA: &str = CHAIN.via;

fn surfpool() -> Option<PathBuf> {
    rig("Surfpool", "solana/node_modules/.stamp")?;
    rig("Surfpool", "solana")
}

fn reader(url: &str) -> Spender {
    Spender::reader(CHAIN, &[&format!("rpc={url}"), "timeout_s=5"])
}

fn poor(url: &str) -> Spender {
    Spender::new(CHAIN, &[&format!("rpc={url}"), "timeout_s=5"])
}

/// A user with a twentieth of a SOL.
fn rich(node: &Surfnet) -> Spender {
    let user = poor(&node.url());
    node.fund(&user.address(), 50_000_000);
    user
}

fn lamports(amount: &Value) -> u64 {
    let (whole, places) = amount.as_str().unwrap().trim_end_matches(" SOL").split_once('.').unwrap();
    format!("{whole}{places:0<9}").parse().unwrap()
}
