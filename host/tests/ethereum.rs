//! Announcing and looking up on an Ethereum chain: real nodes, one for each test.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "../../plugins/ethereum/tests/node/mod.rs"]
mod node;
mod support;

#[path = "ethereum/deploying.rs"]
mod deploying;
#[path = "ethereum/hostile.rs"]
mod hostile;
#[path = "ethereum/reading.rs"]
mod reading;
#[path = "ethereum/spending.rs"]
mod spending;

use std::path::PathBuf;
use std::time::Duration;

use node::{Anvil, number};
use serde_json::{Value, json};
use support::{Chain, Ran, Spender, rig};

const CHAIN: Chain = Chain {
    via: "ethereum-anvil",
    key: "secp256k1",
    limit: "0.01 ETH",
    per_transaction: "0.01 ETH",
    per_day: "0.1 ETH",
};
const VIA: &str = CHAIN.via;

fn anvil() -> Option<PathBuf> {
    rig("anvil", node::PLACE)
}

/// Somebody who only looks up. Questions are counted: nothing is asked twice because the machine is busy.
fn reader(url: &str) -> Spender {
    Spender::reader(CHAIN, &[&format!("rpc={url}"), "timeout_s=60"])
}

/// A user with a key and without ether.
fn poor(url: &str) -> Spender {
    Spender::new(CHAIN, &[&format!("rpc={url}"), "timeout_s=60"])
}

/// A user with one ether.
fn rich(node: &Anvil) -> Spender {
    let user = poor(&node.url());
    node.fund(&user.address());
    user
}

/// Wei of an amount as bitboot tells it.
fn wei(amount: &Value) -> u128 {
    let text = amount.as_str().unwrap().trim_end_matches(" ETH");
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{places:0<18}").parse().unwrap()
}

/// What the chain took for the transaction that a line tells of.
fn paid(node: &Anvil, told: &Value) -> u128 {
    let hash = told.as_str().unwrap().split(' ').find(|word| word.starts_with("0x")).unwrap();
    let receipt = node.ask("eth_getTransactionReceipt", json!([hash]));
    number(&receipt["gasUsed"]) * number(&receipt["effectiveGasPrice"])
}

/// The receipt of an announcement.
fn receipt(ran: &Ran) -> Value {
    ran.of_type("receipt")[0].clone()
}

#[test]
fn three_keys_are_found_and_one_is_taken_back() {
    let Some(anvil) = anvil() else { return };
    let (node, _) = Anvil::ready(&anvil);
    // Two who only tell, and one who also keeps a slot: readers of events find all of them.
    let users: Vec<Spender> = (0..3).map(|_| rich(&node)).collect();
    users[2].set(&["mode=storage"]);
    let peers: Vec<String> = (4001..4004).map(|port| format!("192.0.2.7:{port}")).collect();
    for (user, peer) in users.iter().zip(&peers) {
        user.announced(peer);
    }
    let reader = reader(&node.url());
    let found = reader.lookup("demo");
    assert_eq!(found.peers(), peers, "{}", found.err());
    for (user, peer) in users.iter().zip(&peers) {
        let lines = found.of_type("peer");
        let line = lines.iter().find(|line| line["peer"] == peer.as_str()).unwrap();
        assert_eq!((&line["signed_by"], &line["verified"]), (&user.home.identity().into(), &true.into()));
    }
    let taken = users[0].withdrawn();
    assert!(receipt(&taken)["fee"].as_str().unwrap().ends_with(" ETH"), "{}", taken.out());
    users[2].withdrawn();
    assert_eq!(reader.lookup("demo").peers(), peers[1..2]);
}

#[test]
fn slots_are_found_with_their_signers_and_answer_the_oldest_callers() {
    let Some(anvil) = anvil() else { return };
    let (node, contract) = Anvil::ready(&anvil);
    let users: Vec<Spender> = (0..3).map(|_| rich(&node)).collect();
    for user in &users {
        user.set(&["mode=storage"]);
    }
    let peers: Vec<String> = (4001..4004).map(|port| format!("192.0.2.7:{port}")).collect();
    for (user, peer) in users.iter().zip(&peers) {
        user.announced(peer);
    }
    // Nobody overwrites another; the same writer does.
    users[0].announced(&peers[0]);
    let reader = reader(&node.url());
    reader.set(&["mode=storage"]);
    let found = reader.lookup("demo");
    assert_eq!(found.peers(), peers, "{}", found.err());
    users[1].withdrawn();
    assert_eq!(reader.lookup("demo").peers(), [peers[0].clone(), peers[2].clone()]);
    // `get(bytes32)` tells what was kept last.
    let event = node.events(&contract).pop().unwrap();
    let (key, told) = (event["topics"][1].as_str().unwrap(), event["data"].as_str().unwrap());
    let call = json!([{ "to": contract, "data": format!("0x8eaa6ac0{}", &key[2..]) }, "latest"]);
    assert_eq!(node.ask("eth_call", call), told);
}

#[test]
fn what_has_expired_is_not_found() {
    let Some(anvil) = anvil() else { return };
    let (node, _) = Anvil::ready(&anvil);
    let (user, reader) = (rich(&node), reader(&node.url()));
    let more = ["--ttl", "30s", "--yes", "--max-fee", CHAIN.limit];
    let ran = user.announce("192.0.2.7:4003", &more);
    assert_eq!(ran.code(), 0, "{}", ran.err());
    assert_eq!(reader.lookup("demo").peers(), ["192.0.2.7:4003"]);
    std::thread::sleep(Duration::from_secs(31));
    assert_eq!(reader.lookup("demo").peers(), Vec::<String>::new());
}

#[test]
fn a_secret_network_is_found_by_its_members_only() {
    let Some(anvil) = anvil() else { return };
    let (node, _) = Anvil::ready(&anvil);
    let user = rich(&node);
    user.is_found_by_members_only("192.0.2.7:4001", || reader(&node.url()));
}
