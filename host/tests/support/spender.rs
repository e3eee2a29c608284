//! Users of a medium that costs money: a home, a key that may spend a little, and the words of their commands.

use std::path::Path;

use bitboot_rpc::testing::free_port;
use serde_json::Value;

use super::{Home, Ran};

/// What a chain's tests have in common.
#[derive(Clone, Copy)]
pub struct Chain {
    /// The backend's name.
    pub via: &'static str,
    /// The kind of its keys, as `key new` takes it.
    pub key: &'static str,
    /// What an announcement may cost, as `--max-fee` takes it.
    pub limit: &'static str,
    pub per_transaction: &'static str,
    pub per_day: &'static str,
}

pub struct Spender {
    pub home: Home,
    pub chain: Chain,
    /// The file with the passphrase of the key.
    pub passphrase: String,
}

impl Spender {
    /// Without a key, for looking up; with settings of the backend such as `rpc=…`.
    pub fn reader(chain: Chain, settings: &[&str]) -> Self {
        let home = Home::new();
        home.forget_the_world();
        home.ok(&[&["backend", "set", chain.via], settings].concat());
        let passphrase = home.path().join("passphrase");
        std::fs::write(&passphrase, "correct horse battery staple").unwrap();
        let passphrase = passphrase.to_str().unwrap().to_owned();
        Self { home, chain, passphrase }
    }

    /// With a new key that may spend.
    pub fn new(chain: Chain, settings: &[&str]) -> Self {
        let user = Self::reader(chain, settings);
        user.home.ok(&[&["key", "new", "mine", "--kind", chain.key][..], &user.in_a_file()].concat());
        user.may_spend()
    }

    /// With a key from a wallet's file.
    pub fn with_wallet(chain: Chain, settings: &[&str], wallet: &Path) -> Self {
        let user = Self::reader(chain, settings);
        let words = ["key", "import", "mine", wallet.to_str().unwrap()];
        user.home.ok(&[&words[..], &user.in_a_file()].concat());
        user.may_spend()
    }

    fn in_a_file(&self) -> [&str; 4] {
        ["--store", "file", "--passphrase-file", &self.passphrase]
    }

    fn may_spend(self) -> Self {
        let Chain { via, per_transaction, per_day, .. } = self.chain;
        let limits = ["--per-transaction", per_transaction, "--per-day", per_day];
        self.home.ok(&[&["key", "policy", "mine", "--allow", via][..], &limits].concat());
        self
    }

    /// Changes settings of the backend.
    pub fn set(&self, settings: &[&str]) {
        self.home.ok(&[&["backend", "set", self.chain.via], settings].concat());
    }

    /// What the action `wallet` tells.
    pub fn wallet(&self) -> Value {
        self.home.ok(&["backend", "run", self.chain.via, "wallet", "--json"]).of_type("output")[0].clone()
    }

    /// Where its coins lie, as the action `wallet` tells.
    pub fn address(&self) -> String {
        self.wallet()["address"].as_str().unwrap().to_owned()
    }

    pub fn public_key(&self) -> String {
        let shown = self.home.ok(&["key", "show", "mine", "--json"]);
        shown.of_type("key")[0]["public_key"].as_str().unwrap().to_owned()
    }

    pub fn announce(&self, peer: &str, more: &[&str]) -> Ran {
        self.announce_in("demo", peer, more)
    }

    pub fn announce_in(&self, network: &str, peer: &str, more: &[&str]) -> Ran {
        let words = ["announce", network, "--peer", peer, "--via", self.chain.via, "--once", "--json"];
        self.home.run(&[&words[..], &["--passphrase-file", &self.passphrase], more].concat())
    }

    /// What lets a command spend.
    pub fn agreed(&self) -> [&str; 3] {
        ["--yes", "--max-fee", self.chain.limit]
    }

    pub fn announced(&self, peer: &str) -> Ran {
        let ran = self.announce(peer, &self.agreed());
        assert_eq!(ran.code(), 0, "{}\n{}", ran.out(), ran.err());
        ran
    }

    pub fn withdrawn(&self) -> Ran {
        let words = ["withdraw", "demo", "--json", "--passphrase-file", &self.passphrase];
        self.home.ok(&[&words[..], &self.agreed()].concat())
    }

    pub fn lookup(&self, network: &str) -> Ran {
        self.home.run(&["lookup", network, "--via", self.chain.via, "--json", "--timeout", "60s"])
    }

    /// Announces in a secret network, which only those see who are invited.
    pub fn is_found_by_members_only(&self, peer: &str, reader: impl Fn() -> Self) {
        self.home.ok(&["network", "add", "demo", "--secret", "new"]);
        self.announced(peer);
        let member = reader();
        member.home.ok(&["network", "add", &self.home.invite("demo")]);
        let found = member.lookup("demo");
        assert_eq!(found.peers(), [peer], "{}", found.err());
        assert_eq!(found.of_type("peer")[0]["signed_by"], self.home.identity());
        assert_eq!(reader().lookup("demo").peers(), Vec::<String>::new());
        self.withdrawn();
        assert_eq!(member.lookup("demo").peers(), Vec::<String>::new());
    }

    /// Announces and looks up by two nodes of which one is down, which is told.
    pub fn is_told_by_the_one_that_is_up(&self, url: &str, peer: &str) {
        self.set(&[&format!("rpc=http://127.0.0.1:{},{url}", free_port())]);
        let receipt = self.announced(peer).of_type("receipt")[0].clone();
        assert_eq!((&receipt["stored"], &receipt["asked"]), (&1.into(), &2.into()));
        let found = self.home.run(&["lookup", "demo", "--via", self.chain.via, "--json", "-v"]);
        assert_eq!(found.peers(), [peer], "{}", found.err());
        assert!(found.err().contains("no node answers"), "{}", found.err());
    }
}
