//! One announcement on every medium at once, and one lookup that brings together what all of them know.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "../../plugins/arweave/tests/node/mod.rs"]
mod arweave;
#[path = "../../plugins/bitcoin/tests/node/mod.rs"]
mod bitcoin;
#[path = "../../plugins/ethereum/tests/node/mod.rs"]
mod ethereum;
#[path = "../../plugins/solana/tests/node/mod.rs"]
mod solana;
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use arweave::Arlocal;
use bitcoin::Bitcoind;
use ethereum::Anvil;
use serde_json::Value;
use solana::Surfnet;
use support::{Home, Ran, Testnet, rig};

const PEER: &str = "127.0.0.1:4001";

/// The chains, each with the key that pays there and the most that it may pay.
const CHAINS: [(&str, &str, &str); 4] = [
    ("arweave-local", "winston", "0.0001 AR"),
    ("bitcoin-regtest", "coins", "0.0001 BTC"),
    ("ethereum-anvil", "coins", "0.01 ETH"),
    ("solana-local", "lamports", "0.01 SOL"),
];

struct Nodes {
    testnet: Testnet,
    arweave: Arlocal,
    bitcoin: Bitcoind,
    ethereum: Anvil,
    solana: Surfnet,
}

impl Nodes {
    fn start(home: &Home) -> Option<Self> {
        let (bitcoind, anvil) = (rig("bitcoind", "bitcoin/bitcoind")?, rig("anvil", ethereum::PLACE)?);
        rig("Surfpool", "solana/node_modules/.stamp")?;
        Some(Self {
            testnet: Testnet::start(home, 20),
            arweave: arweave::started()?,
            bitcoin: Bitcoind::start(&bitcoind),
            ethereum: Anvil::ready(&anvil).0,
            solana: Surfnet::start(&rig("Surfpool", "solana")?),
        })
    }

    fn name_to(&self, home: &Home) {
        home.add_lab(&self.testnet.bootstrap[0]);
        let cookie = format!("cookie={}", self.bitcoin.cookie().display());
        for (via, url) in [
            ("arweave-local", self.arweave.url()),
            ("bitcoin-regtest", self.bitcoin.url()),
            ("ethereum-anvil", self.ethereum.url()),
            ("solana-local", self.solana.url()),
        ] {
            home.ok(&["backend", "set", via, &format!("rpc={url}")]);
        }
        home.ok(&["backend", "set", "bitcoin-regtest", &cookie]);
    }

    fn fund(&self, home: &Home) {
        let address = |via: &str| {
            let wallet = home.ok(&["backend", "run", via, "wallet", "--json"]);
            wallet.of_type("output")[0]["address"].as_str().unwrap().to_owned()
        };
        self.arweave.fund(&address("arweave-local"), 1_000_000_000_000);
        self.bitcoin.fund(&address("bitcoin-regtest"), 0.01);
        self.ethereum.fund(&address("ethereum-anvil"));
        self.solana.fund(&address("solana-local"), 50_000_000);
    }
}

/// Three keys for four chains, each allowed to spend a little.
fn make_keys(home: &Home, passphrase: &str) {
    let wallet = arweave::wallet(1);
    let stored = ["--store", "file", "--passphrase-file", passphrase];
    for words in [
        &["key", "new", "coins", "--kind", "secp256k1"][..],
        &["key", "new", "lamports", "--kind", "ed25519"],
        &["key", "import", "winston", wallet.to_str().unwrap()],
    ] {
        home.ok(&[words, &stored].concat());
    }
    for (via, key, limit) in CHAINS {
        home.ok(&["key", "policy", key, "--allow", via, "--per-transaction", limit, "--per-day", limit]);
    }
}

fn passphrase(folder: &Path) -> String {
    let file = folder.join("passphrase");
    std::fs::write(&file, "correct horse battery staple").unwrap();
    file.to_str().unwrap().to_owned()
}

/// The backends of the last line that tells of the peer; each line before it has one less, and the first came first.
fn seen_by(found: &Ran) -> BTreeSet<String> {
    let lines: Vec<Value> = found
        .lines()
        .into_iter()
        .filter(|line| line["type"] == "peer" || line["type"] == "peer_confirmed")
        .collect();
    assert!(lines.iter().all(|line| line["peer"] == PEER), "{}", found.out());
    assert_eq!(lines[0]["type"], "peer", "{}", found.out());
    let counts = lines.iter().map(|line| line["backends"].as_array().unwrap().len());
    assert!(counts.is_sorted(), "{}", found.out());
    let last = lines.last().unwrap()["backends"].as_array().unwrap();
    last.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_announcement_and_one_lookup_go_over_all_media_at_once() {
    let (alice, bob) = (Home::new(), Home::new());
    let Some(nodes) = Nodes::start(&alice) else { return };
    let passphrase = passphrase(alice.path());
    nodes.name_to(&alice);
    nodes.name_to(&bob);
    make_keys(&alice, &passphrase);
    nodes.fund(&alice);

    let media: Vec<&str> = ["lab", "local"].into_iter().chain(CHAINS.map(|(via, ..)| via)).collect();
    let via = media.join(",");
    let announce = ["announce", "demo", "--peer", PEER, "--via", &via, "--once", "--json", "--yes"];
    let limits = CHAINS.map(|(_, _, limit)| ["--max-fee", limit]).concat();
    let announced = alice.ok(&[&announce[..], &limits, &["--passphrase-file", &passphrase]].concat());
    let receipts = announced.of_type("receipt");
    let told: BTreeSet<&str> = receipts.iter().map(|line| line["backend"].as_str().unwrap()).collect();
    assert_eq!(told, media.iter().copied().collect(), "{}", announced.err());

    // What lies on the local machine is Alice's own.
    for (home, media) in
        [(&alice, media.clone()), (&bob, media.iter().copied().filter(|via| *via != "local").collect())]
    {
        let found = home.ok(&["lookup", "demo", "--via", &via, "--json", "--timeout", "60s"]);
        assert_eq!(found.peers(), [PEER], "{}", found.err());
        assert_eq!(seen_by(&found), media.iter().map(ToString::to_string).collect(), "{}", found.out());
    }
}
