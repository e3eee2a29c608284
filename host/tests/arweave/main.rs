//! Announcing and looking up on Arweave: real gateways with a chain of their own, one for each test.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod finding;
#[path = "../../../plugins/arweave/tests/node/mod.rs"]
mod node;
mod spending;
#[path = "../support/mod.rs"]
mod support;
mod trouble;

use node::{Arlocal, wallet};
use serde_json::Value;
use support::{Chain, Spender};

const CHAIN: Chain = Chain {
    via: "arweave-local",
    key: "rsa4096",
    limit: "0.0001 AR",
    per_transaction: "0.001 AR",
    per_day: "0.01 AR",
};
const VIA: &str = CHAIN.via;
const PEER: &str = "192.0.2.7:4001";
/// An AR, in winston.
const PLENTY: u64 = 1_000_000_000_000;

fn reader(url: &str) -> Spender {
    Spender::reader(CHAIN, &[&format!("rpc={url}"), "timeout_s=5"])
}

/// A user with one of the three wallets, in which there is nothing. Making a key takes too long here.
fn poor(url: &str, number: usize) -> Spender {
    Spender::with_wallet(CHAIN, &[&format!("rpc={url}"), "timeout_s=5"], &wallet(number))
}

fn rich(node: &Arlocal, number: usize) -> Spender {
    let user = poor(&node.url(), number);
    node.fund(&user.address(), PLENTY);
    user
}

/// The winston of an amount.
fn winston(amount: &Value) -> u64 {
    let (whole, places) = amount.as_str().unwrap().strip_suffix(" AR").unwrap().split_once('.').unwrap();
    assert_eq!(places.len(), 12);
    format!("{whole}{places}").parse().unwrap()
}

fn ids(node: &Arlocal) -> Vec<String> {
    node.announced().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// The topic of the announcement that was made last, and its data.
fn last(node: &Arlocal) -> (String, String) {
    let one = &node.announced()[0];
    let topic = one["tags"].as_array().unwrap().iter().find(|tag| tag["name"] == "Bitboot-Key").unwrap();
    let data = node.get(&format!("/tx/{}/data", one["id"].as_str().unwrap()));
    (topic["value"].as_str().unwrap().to_owned(), data)
}
