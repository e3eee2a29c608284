use std::path::PathBuf;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use bitboot_rpc::Patience;
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
    /// Announcements also pay an output that filters of blocks lead to, so that readers find them without reading every block. What it holds
    /// is lost, and every node has to remember it for ever.
    pub(crate) index_output: bool,
    /// How a lookup finds announcements: it reads every block (off), tells before that what the node's index of filters leads to (first), or
    /// leaves it at that (only), and then finds those only that were made with `index_output`.
    pub(crate) index: Index,
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

/// What the node's index of filters of blocks is used for (BIP 158).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Index {
    /// Nothing: every block is read.
    #[default]
    Off,
    /// What it leads to is told first, then every block is read.
    First,
    /// Only the blocks that it leads to are read; all of them from a node that has none.
    Only,
}

/// `user:password`; it goes before the cookie. Named in `plugin.toml`, as is the setting of the cookie.
pub(crate) const VARIABLE: &str = "BITBOOT_PLUGIN_BITCOIN_RPC";

impl Default for BitcoinConfig {
    fn default() -> Self {
        Self {
            chain: Chain::Regtest,
            genesis: None,
            rpc: Vec::new(),
            cookie: None,
            lookback_blocks: 144,
            index_output: false,
            index: Index::Off,
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
    /// What cannot work is told before anything is asked.
    pub(crate) fn check(&self) -> Result<()> {
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
        bitboot_rpc::check(&self.rpc, VARIABLE)
    }

    pub(crate) fn nodes(&self) -> Vec<String> {
        if self.rpc.is_empty() { vec![self.chain.rpc().to_owned()] } else { self.rpc.clone() }
    }

    pub(crate) fn genesis(&self) -> String {
        self.genesis
            .as_ref()
            .map_or_else(|| self.chain.genesis().to_owned(), |genesis| genesis.to_ascii_lowercase())
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience::of_settings(self.timeout_s, self.retries)
    }
}
