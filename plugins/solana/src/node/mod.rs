//! The questions to one node, typed. Nothing is asked before it has shown the first block of the chain that it should be on.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod reads;
mod writes;

use std::sync::Arc;

use bitboot_plugin_api::{Error, ErrorKind, Host, Result};
use bitboot_rpc::{Endpoint, JsonRpc, Login, Node as _, Words, all, read};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::config::{SolanaConfig, VARIABLE};
use crate::wire::Key;

pub(crate) use reads::{Listed, PAGE};
pub(crate) use writes::State;

/// One node, known to be on the right chain once it is asked for anything.
#[derive(Clone)]
pub(crate) struct Node {
    rpc: JsonRpc,
    config: Arc<SolanaConfig>,
    /// The hash of its first block.
    checked: Arc<OnceCell<String>>,
}

/// An answer together with the slot that it is of; only the answer matters here.
#[derive(Deserialize)]
struct Told<T> {
    value: T,
}

const WORDS: Words = Words { node: "a Solana node", silent: "is it running?", setting: "rpc=https://HOST" };
/// What most of the nodes have voted for: it has never been taken back so far.
const COMMITMENT: &str = "confirmed";
/// The node is starting, or behind the others (`NODE_UNHEALTHY`).
const BEHIND: i64 = -32005;

impl bitboot_rpc::Node for Node {
    /// Once it was on the chain that the backend is set to, it stays so.
    async fn check(&self) -> Result<()> {
        self.genesis().await.map(drop)
    }
}

impl Node {
    pub(crate) fn new(url: &str, config: &Arc<SolanaConfig>, host: Host) -> Self {
        let endpoint =
            Endpoint::new(url, Login::new(host, VARIABLE).among(&config.nodes()), config.patience(), WORDS);
        let rpc = JsonRpc::new(endpoint).warming_up_with(BEHIND);
        Self { rpc, config: Arc::clone(config), checked: Arc::default() }
    }

    pub(crate) fn url(&self) -> &str {
        self.rpc.url()
    }

    /// When it answered last.
    pub(crate) fn answered(&self) -> Option<Instant> {
        self.rpc.pulse().last()
    }

    /// The hash of its first block, which is that of the right chain.
    pub(crate) async fn genesis(&self) -> Result<&str> {
        self.checked.get_or_try_init(|| self.check_now()).await.map(String::as_str)
    }

    async fn check_now(&self) -> Result<String> {
        let genesis: String = read(self.rpc.ask("getGenesisHash", json!([])).await?)?;
        if Key::of_text(&genesis).is_none() {
            return Err(self.lies("the hash of a first block that is none"));
        }
        if self.config.is_meant(&genesis) {
            return Ok(genesis);
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

    fn lies(&self, what: &str) -> Error {
        Error::new(ErrorKind::Integrity, format!("the node at {} answers with {what}", self.url()))
            .fix("name another node: bitboot backend set NAME rpc=https://HOST")
    }
}

/// Asks all nodes at once; what each of them answers that does so in time.
pub(crate) async fn each<T, E, F>(nodes: &[Node], ask: impl Fn(Node) -> F) -> Vec<Option<Result<T, E>>>
where
    T: Send + 'static,
    E: Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    all(nodes.iter().cloned().map(ask), Result::is_ok).await
}
