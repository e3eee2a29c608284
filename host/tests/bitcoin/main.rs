//! Announcing and looking up on a Bitcoin chain: real nodes, one for each test.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod finding;
mod index;
#[path = "../../../plugins/bitcoin/tests/node/mod.rs"]
mod node;
mod spending;
#[path = "../support/mod.rs"]
mod support;
mod trouble;

use std::path::{Path, PathBuf};

use node::Bitcoind;
use serde_json::json;
use support::{Chain, Spender, rig};

const CHAIN: Chain = Chain {
    via: "bitcoin-regtest",
    key: "secp256k1",
    limit: "0.0001 BTC",
    per_transaction: "0.001 BTC",
    per_day: "0.01 BTC",
};
const VIA: &str = CHAIN.via;

fn bitcoind() -> Option<PathBuf> {
    rig("bitcoind", "bitcoin/bitcoind")
}

/// The settings of a backend that asks a node. Questions are counted: nothing is asked twice because the machine is busy.
fn at(url: &str, cookie: &Path) -> [String; 4] {
    let cookie = format!("cookie={}", cookie.display());
    [format!("rpc={url}"), cookie, "lookback_blocks=2000".into(), "timeout_s=60".into()]
}

fn reader(url: &str, cookie: &Path) -> Spender {
    Spender::reader(CHAIN, &at(url, cookie).each_ref().map(String::as_str))
}

fn poor(url: &str, cookie: &Path) -> Spender {
    Spender::new(CHAIN, &at(url, cookie).each_ref().map(String::as_str))
}

/// A user with coins.
fn rich(node: &Bitcoind) -> Spender {
    let user = poor(&node.url(), &node.cookie());
    node.fund(&user.address(), 0.01);
    user
}

/// The data of the announcement that waits.
fn data_of(node: &Bitcoind) -> String {
    let id = &node.waiting()[0];
    let transaction = node.ask("getrawtransaction", json!([id, 2]));
    transaction["vout"][0]["scriptPubKey"]["hex"].as_str().unwrap()[4..].to_owned()
}
