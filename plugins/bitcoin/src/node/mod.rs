//! The questions to one node, typed. Nothing is asked before it has shown the first block of the chain that it should be on.

mod blocks;
mod coins;
mod filters;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod told;

use std::sync::Arc;
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Host, Result};
use bitboot_rpc::{Endpoint, JsonRpc, Login, Node as _, Patience, Refusal, Trouble, Unread, Words, read};
use bitcoin::Target;
use bitcoin::hashes::{Hash as _, sha256};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::chain::Chain;
use crate::config::{BitcoinConfig, VARIABLE};
pub(crate) use blocks::MOST_AT_ONCE;
pub(crate) use coins::{Coin, sum};
use told::Height;
pub(crate) use told::Info;

/// One node, known to be on the right chain once it is asked for anything.
#[derive(Clone)]
pub(crate) struct Node {
    rpc: JsonRpc,
    /// For what takes a node minutes: whoever asks ends it. Nothing is asked twice, for the node would still be busy with the first time.
    patient: JsonRpc,
    genesis: Arc<str>,
    easiest: Target,
    checked: Arc<OnceCell<()>>,
}

const WORDS: Words = Words {
    node: "a Bitcoin node",
    silent: "is it running, with server=1?",
    setting: "rpc=http://HOST:PORT",
};
/// The largest answer with blocks or many transactions in it: a block of 4 MB is 8 MB in hexadecimal, and eight are asked for at once.
const LARGE: u64 = 66 << 20;
/// No search of coins takes longer.
const LONGEST: Duration = Duration::from_secs(3600);
/// The node is still starting (`RPC_IN_WARMUP`).
const WARMING_UP: i64 = -28;
/// Another search is under way: of coins, or of filters (`RPC_INVALID_PARAMETER`, with these words).
const BUSY: (i64, &str) = (-8, "Scan already in progress");

impl bitboot_rpc::Node for Node {
    /// Once it was on the chain that the backend is set to, it stays so.
    async fn check(&self) -> Result<()> {
        self.checked.get_or_try_init(|| self.check_now()).await.copied()
    }
}

impl Node {
    pub(crate) fn new(url: &str, config: &BitcoinConfig, host: &Host) -> Self {
        let rpc = |patience: Patience| {
            let login = Login::new(host.clone(), VARIABLE).or_file("config.cookie", config.cookie.clone());
            let login = login.among(&config.rpc).with_fix(cookie_of(config.chain));
            JsonRpc::new(Endpoint::new(url, login, patience, WORDS)).warming_up_with(WARMING_UP)
        };
        let (genesis, easiest) = (config.genesis().into(), config.chain.easiest_target());
        let patient = Patience { timeout: config.patience().timeout.max(LONGEST), retries: 0 };
        Self { rpc: rpc(config.patience()), patient: rpc(patient), genesis, easiest, checked: Arc::default() }
    }

    pub(crate) fn url(&self) -> &str {
        self.rpc.url()
    }

    /// When it answered last.
    pub(crate) fn answered(&self) -> Option<Instant> {
        self.rpc.pulse().last().max(self.patient.pulse().last())
    }

    /// Stands for its address where that has no room.
    pub(crate) fn mark(&self) -> String {
        sha256::Hash::hash(self.url().as_bytes()).to_string().chars().take(16).collect()
    }

    async fn check_now(&self) -> Result<()> {
        let first: String = read(self.rpc.ask("getblockhash", json!([0])).await?)?;
        if first == *self.genesis {
            return Ok(());
        }
        let what = format!("the node at {} is on another chain", self.url());
        Err(Error::new(ErrorKind::Config, what)
            .because("its first block is not that of the chain that this backend is set to")
            .fix("set the right one: bitboot backend set NAME chain=... or rpc=..."))
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T> {
        self.check().await?;
        read(self.rpc.ask(method, params).await?)
    }

    async fn ask_large<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T> {
        self.check().await?;
        read(self.rpc.ask_large(method, params, LARGE).await?)
    }

    /// `None` where the node refuses: it does not know, or has no such thing.
    async fn ask_maybe<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<Option<T>> {
        self.check().await?;
        match self.rpc.ask(method, params).await {
            Err(Trouble::Refused(_)) => Ok(None),
            Ok(answer) if answer.is_null() => Ok(None),
            Ok(answer) => read(answer).map(Some),
            Err(Trouble::Failed(error)) => Err(error),
        }
    }

    /// The same for many at once.
    async fn ask_all<T: DeserializeOwned>(&self, method: &str, params: &[Value]) -> Result<Vec<Option<T>>> {
        self.check().await?;
        let answers = self.rpc.ask_all(method, params, LARGE).await?;
        let read =
            |answer: Result<Unread, _>| answer.ok().filter(|answer| !answer.is_null()).map(read).transpose();
        answers.into_iter().map(read).collect()
    }

    pub(crate) async fn info(&self) -> Result<Info> {
        self.ask("getblockchaininfo", json!([])).await
    }

    pub(crate) async fn height(&self) -> Result<u32> {
        self.ask("getblockcount", json!([])).await.map(|Height(height)| height)
    }

    fn lies(&self, what: &str) -> Error {
        Error::new(ErrorKind::Integrity, format!("the node at {} answers with {what}", self.url()))
            .fix("name another node: bitboot backend set NAME rpc=http://HOST:PORT")
    }
}

fn is_busy(refusal: &Refusal) -> bool {
    refusal.code == BUSY.0 && refusal.message.contains(BUSY.1)
}

/// How to name the cookie that a node of this user has.
fn cookie_of(chain: Chain) -> String {
    let node = match () {
        () if cfg!(windows) => "%APPDATA%/Bitcoin",
        () if cfg!(target_os = "macos") => "$HOME/Library/Application Support/Bitcoin",
        () => "$HOME/.bitcoin",
    };
    let folder = chain.folder();
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("name its cookie file: bitboot backend set NAME cookie=\"{node}/{folder}{slash}.cookie\"")
}
