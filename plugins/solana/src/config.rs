use bitboot_plugin_api::{Error, ErrorKind, Result};
use bitboot_rpc::Patience;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::chain::Chain;
use crate::wire::Key;

/// What a user may set.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SolanaConfig {
    /// Which chain, told apart by its first block: main, testnet, devnet, or local for one of one's own.
    pub(crate) chain: Chain,
    /// The hash of the first block of a chain of one's own; any that is none of the public ones where it is not said.
    pub(crate) genesis: Option<String>,
    /// Nodes' JSON-RPC addresses; the chain's usual one where there is none. All are read, all are told.
    pub(crate) rpc: Vec<String>,
    /// How to announce: account, which has a deposit and can be changed, or memo, which is cheaper and stays. Both are always read.
    pub(crate) mode: Mode,
    /// Millionths of a lamport for each unit of work, on top of the fee, to be taken sooner when the chain is busy.
    pub(crate) priority: u32,
    /// How many memos under one network are read at most, the newest.
    pub(crate) history: u32,
    /// Seconds for one answer of a node.
    pub(crate) timeout_s: u16,
    /// How often a question is asked again when a node does not answer.
    pub(crate) retries: u8,
}

/// Where an announcement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Into an account of its own, which its writer changes in place.
    #[default]
    Account,
    /// Into a text in a transaction, for as long as nodes keep those.
    Memo,
}

/// Where the credentials for nodes are. Named in `plugin.toml`.
pub(crate) const VARIABLE: &str = "BITBOOT_PLUGIN_SOLANA_RPC";

impl Default for SolanaConfig {
    fn default() -> Self {
        Self {
            chain: Chain::Local,
            genesis: None,
            rpc: Vec::new(),
            mode: Mode::Account,
            priority: 0,
            history: 5000,
            timeout_s: 10,
            retries: 2,
        }
    }
}

impl SolanaConfig {
    /// What cannot work is told before anything is asked.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |what: &str| Error::new(ErrorKind::Config, what);
        if let Some(genesis) = &self.genesis {
            if self.chain != Chain::Local {
                return Err(wrong("the first block of a public chain is known").fix("leave `genesis` out"));
            }
            if Key::of_text(genesis).is_none() {
                return Err(wrong("`genesis` is not the hash of a block, 32 bytes in base58"));
            }
            if Chain::is_public(genesis) {
                return Err(wrong("`genesis` is that of a public chain")
                    .fix("name that: chain=main, testnet or devnet"));
            }
        }
        bitboot_rpc::check(&self.rpc, VARIABLE)
    }

    pub(crate) fn nodes(&self) -> Vec<String> {
        if self.rpc.is_empty() { vec![self.chain.rpc().to_owned()] } else { self.rpc.clone() }
    }

    /// Whether a node whose first block has this hash is on the chain that is meant.
    pub(crate) fn is_meant(&self, genesis: &str) -> bool {
        match self.genesis.as_deref().or(self.chain.genesis()) {
            Some(meant) => genesis == meant,
            None => !Chain::is_public(genesis),
        }
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience::of_settings(self.timeout_s, self.retries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_setting_makes_a_public_chain_one_of_ones_own() {
        let of = |chain, genesis: Option<&str>| SolanaConfig {
            chain,
            genesis: genesis.map(Into::into),
            ..SolanaConfig::default()
        };
        let (main, other) = (Chain::Main.genesis(), "11111111111111111111111111111112");
        assert!(of(Chain::Local, main).check().is_err() && of(Chain::Main, main).check().is_err());
        assert!(of(Chain::Local, Some("x")).check().is_err());
        let own = of(Chain::Local, Some(other));
        assert!(own.check().is_ok() && own.is_meant(other));
        assert!(!own.is_meant("9yDAk6xB879icvUnxZYfLXaxx6XBV8gnK5vAmZgcT1eC"));
        for chain in Chain::PUBLIC {
            let genesis = chain.genesis().unwrap();
            assert!(Key::of_text(genesis).is_some() && of(chain, None).is_meant(genesis));
            assert!(!of(Chain::Local, None).is_meant(genesis) && !of(chain, None).is_meant(other));
        }
        assert!(of(Chain::Local, None).is_meant(other));
    }
}
