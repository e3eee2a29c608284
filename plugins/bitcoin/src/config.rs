use std::path::PathBuf;
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::chain::Chain;

/// What a user may set.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BitcoinConfig {
    /// Which chain, told apart by its first block: main, testnet3, testnet4, signet or regtest.
    pub(crate) chain: Chain,
    /// The hash of the first block, where it is none of those: that of a test network of one's own.
    pub(crate) genesis: Option<String>,
    /// Nodes' JSON-RPC addresses; the chain's usual port on this machine where there is none. All are read, all are told.
    pub(crate) rpc: Vec<String>,
    /// The file with the nodes' credentials, `.cookie` in a node's folder; the environment variable `BITBOOT_PLUGIN_BITCOIN_RPC` goes before it.
    pub(crate) cookie: Option<PathBuf>,
    /// How many blocks back a lookup looks at most.
    pub(crate) lookback_blocks: u32,
    /// Look at unconfirmed transactions too; what is found there is provisional.
    pub(crate) mempool: bool,
    /// Within how many blocks an announcement should be confirmed; the node estimates the fee for that.
    pub(crate) target_blocks: u16,
    /// Satoshi for each virtual byte, where the node knows no estimate.
    pub(crate) fallback_rate: u32,
    /// Satoshi for each virtual byte, at most: where the node wants more nothing is announced.
    pub(crate) max_rate: u32,
    /// Seconds for one answer of a node.
    pub(crate) timeout_s: u16,
    /// How often a question is asked again when a node does not answer.
    pub(crate) retries: u8,
}

impl Default for BitcoinConfig {
    fn default() -> Self {
        Self {
            chain: Chain::Regtest,
            genesis: None,
            rpc: Vec::new(),
            cookie: None,
            lookback_blocks: 144,
            mempool: true,
            target_blocks: 6,
            fallback_rate: 2,
            max_rate: 100,
            timeout_s: 10,
            retries: 2,
        }
    }
}

impl BitcoinConfig {
    /// The most nodes: each is asked for all that it has.
    const MAX_NODES: usize = 8;

    /// What cannot work is told before anything is asked.
    pub(crate) fn check(&self) -> Result<()> {
        if self.rpc.len() > Self::MAX_NODES {
            return Err(Error::new(ErrorKind::Config, "these are more than eight nodes"));
        }
        let is_hash = |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if self.genesis.as_ref().is_some_and(|genesis| !is_hash(genesis)) {
            return Err(Error::new(
                ErrorKind::Config,
                "`genesis` is not the hash of a block, 64 hexadecimal digits",
            ));
        }
        if self.genesis.is_some() && self.chain.is_real() {
            return Err(Error::new(ErrorKind::Config, "the first block of the chain `main` is known")
                .fix("leave `genesis` out"));
        }
        self.rpc.iter().try_for_each(|url| check_url(url))
    }

    pub(crate) fn nodes(&self) -> Vec<String> {
        if self.rpc.is_empty() { vec![self.chain.rpc().to_owned()] } else { self.rpc.clone() }
    }

    pub(crate) fn genesis(&self) -> String {
        self.genesis
            .as_ref()
            .map_or_else(|| self.chain.genesis().to_owned(), |genesis| genesis.to_ascii_lowercase())
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s.max(1).into())
    }
}

fn check_url(url: &str) -> Result<()> {
    let wrong = |what: &str| Error::new(ErrorKind::Config, what);
    let rest = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
        (Some(rest), _) => rest,
        (_, Some(_)) if cfg!(not(feature = "tls")) => {
            return Err(wrong("this build of the plugin does not speak https").fix(
                "name a node behind http:// on this machine, or build the plugin with its feature `tls`",
            ));
        }
        (_, Some(rest)) => rest,
        _ => {
            return Err(
                wrong("an entry of `rpc` is no address of a node").fix("write it as http://HOST:PORT")
            );
        }
    };
    // It would stand in the registry, and in every message that names the node.
    if rest.split('/').next().is_some_and(|authority| authority.contains('@')) {
        return Err(wrong("credentials do not belong into the address of a node").fix(
            "set `cookie` to a file, or put user:password into the environment variable BITBOOT_PLUGIN_BITCOIN_RPC",
        ));
    }
    Ok(())
}
