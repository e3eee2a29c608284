//! Announcing and looking up on a Bitcoin chain: real nodes, one for each test.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "../../plugins/bitcoin/tests/node/mod.rs"]
mod node;
mod support;

use std::path::{Path, PathBuf};

use node::Bitcoind;
use serde_json::Value;
use support::{Home, Ran, rig};

/// The backend's name.
const VIA: &str = "bitcoin-regtest";
const LIMIT: &str = "0.0001 BTC";

fn programs() -> Option<PathBuf> {
    Some(rig("bitcoind", "bitcoin/bitcoind")?.parent()?.to_owned())
}

/// A user with a key that may spend on the chain.
struct User {
    home: Home,
    passphrase: String,
}

impl User {
    /// Without a key: for looking up.
    fn reader(url: &str, cookie: &Path) -> Self {
        let home = Home::new();
        home.forget_the_world();
        home.ok(&["backend", "set", VIA, &format!("rpc={url}"), &format!("cookie={}", cookie.display())]);
        home.ok(&["backend", "set", VIA, "lookback_blocks=2000", "timeout_s=5"]);
        let passphrase = home.path().join("passphrase");
        std::fs::write(&passphrase, "correct horse battery staple").unwrap();
        let passphrase = passphrase.to_str().unwrap().to_owned();
        Self { home, passphrase }
    }

    fn new(url: &str, cookie: &Path) -> Self {
        let user = Self::reader(url, cookie);
        let store = ["--store", "file", "--passphrase-file", &user.passphrase];
        user.home.ok(&[&["key", "new", "mine", "--kind", "secp256k1"][..], &store].concat());
        user.home.ok(&["key", "policy", "mine", "--allow", VIA, "--per-transaction", "0.001 BTC", "--per-day", "0.01 BTC"]);
        user
    }

    /// With coins.
    fn rich(node: &Bitcoind) -> Self {
        let user = Self::new(&node.url(), &node.cookie());
        node.fund(user.wallet()["address"].as_str().unwrap(), "0.01");
        user
    }

    fn wallet(&self) -> Value {
        self.home.ok(&["backend", "run", VIA, "wallet", "--json"]).of_type("output")[0]["output"].clone()
    }

    fn public_key(&self) -> String {
        self.home.ok(&["key", "show", "mine", "--json"]).of_type("key")[0]["public_key"].as_str().unwrap().to_owned()
    }

    fn announce(&self, peer: &str, more: &[&str]) -> Ran {
        let words = ["announce", "demo", "--peer", peer, "--via", VIA, "--once", "--json", "--passphrase-file", &self.passphrase];
        self.home.run(&[&words[..], more].concat())
    }

    fn announced(&self, peer: &str) -> Ran {
        let ran = self.announce(peer, &["--yes", "--max-fee", LIMIT]);
        assert_eq!(ran.code(), 0, "{}\n{}", ran.out(), ran.err());
        ran
    }

    fn lookup(&self, network: &str) -> Ran {
        self.home.run(&["lookup", network, "--via", VIA, "--json"])
    }
}

#[test]
fn three_keys_are_found_and_one_is_taken_back() {
    let Some(programs) = programs() else { return };
    let node = Bitcoind::start(&programs);
    let users: Vec<User> = (0..3).map(|_| User::rich(&node)).collect();
    for (user, port) in users.iter().zip(4001..) {
        user.announced(&format!("192.0.2.7:{port}"));
    }
    let reader = User::reader(&node.url(), &node.cookie());
    // Unconfirmed, then confirmed.
    for _ in 0..2 {
        let found = reader.lookup("demo");
        assert_eq!(found.peers(), ["192.0.2.7:4001", "192.0.2.7:4002", "192.0.2.7:4003"], "{}", found.err());
        for (user, line) in users.iter().zip(4001..).map(|(user, port)| {
            let peer = format!("192.0.2.7:{port}");
            (user, found.of_type("peer").into_iter().find(|line| line["peer"] == peer.as_str()).unwrap())
        }) {
            assert_eq!((&line["signed_by"], &line["verified"]), (&user.public_key().into(), &true.into()));
        }
        node.mine(1);
    }
}
