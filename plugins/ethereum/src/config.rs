use std::str::FromStr;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use bitboot_plugin_api::{Error, ErrorKind, Result};
use bitboot_rpc::Patience;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::chain::Chain;

/// What a user may set.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EthereumConfig {
    /// The id of the chain (EIP-155), which is part of all that is signed: 1 for Ethereum, 11155111 for Sepolia, 31337 for anvil.
    pub(crate) chain_id: u64,
    /// The hash of the chain's first block, to tell chains of one id apart.
    pub(crate) genesis: Option<String>,
    /// Nodes' JSON-RPC addresses; all are read, all are told.
    pub(crate) rpc: Vec<String>,
    /// What an announcement is: `event` is cheap, `storage` also keeps it in a slot of its writer, and lookups read slots.
    pub(crate) mode: Mode,
    /// The contract, where it is not at the address that it has by itself.
    pub(crate) contract: Option<String>,
    /// How many blocks back a lookup of events looks at most.
    pub(crate) lookback_blocks: u32,
    /// Of how many blocks a node is asked at once, at first; fewer where it refuses.
    pub(crate) range_blocks: u32,
    /// That the chain takes fees for gas alone, as Ethereum and its test networks are known to: nothing is announced where it is not sure.
    pub(crate) gas_only: bool,
    /// Gwei for each unit of gas, at most: where more is wanted nothing is announced.
    pub(crate) max_fee_gwei: u32,
    /// Gwei of that for whoever makes the block, at most.
    pub(crate) max_tip_gwei: u32,
    /// Seconds that an announcement waits for its block, at most.
    pub(crate) wait_s: u16,
    /// Seconds for one answer of a node.
    pub(crate) timeout_s: u16,
    /// How often a question is asked again when a node does not answer.
    pub(crate) retries: u8,
}

/// What an announcement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// An event: cheap, and read for as long as nodes keep events.
    #[default]
    Event,
    /// The storage of the contract, with an event too.
    Storage,
}

impl Default for EthereumConfig {
    fn default() -> Self {
        Self {
            chain_id: Chain::LOCAL,
            genesis: None,
            rpc: vec!["http://127.0.0.1:8545".into()],
            mode: Mode::Event,
            contract: None,
            lookback_blocks: 50_400,
            range_blocks: 10_000,
            gas_only: false,
            max_fee_gwei: 100,
            max_tip_gwei: 3,
            wait_s: 25,
            timeout_s: 10,
            retries: 2,
        }
    }
}

/// The environment variable with the nodes' credentials; named in `plugin.toml` too.
pub(crate) const VARIABLE: &str = "BITBOOT_PLUGIN_ETHEREUM_RPC";

impl EthereumConfig {
    /// What cannot work is told before anything is asked.
    pub(crate) fn check(&self) -> Result<()> {
        if self.rpc.is_empty() {
            return Err(Error::new(ErrorKind::Config, "`rpc` names no node")
                .fix("write it as http://HOST:PORT or https://HOST/PATH"));
        }
        if self.chain_id == 0 {
            return Err(Error::new(ErrorKind::Config, "no chain has the id 0"));
        }
        self.genesis()?;
        self.contract()?;
        bitboot_rpc::check(&self.rpc, VARIABLE)
    }

    pub(crate) fn chain(&self) -> Chain {
        Chain { id: self.chain_id }
    }

    /// Whether what is quoted is all that is taken.
    pub(crate) fn takes_gas_only(&self) -> bool {
        self.gas_only || self.chain().takes_gas_only()
    }

    pub(crate) fn genesis(&self) -> Result<Option<B256>> {
        parsed("genesis", "the hash of a block, 0x and 64 hexadecimal digits", self.genesis.as_deref())
    }

    pub(crate) fn contract(&self) -> Result<Option<Address>> {
        parsed("contract", "an address, 0x and 40 hexadecimal digits", self.contract.as_deref())
    }

    pub(crate) fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_s.into())
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience::of_settings(self.timeout_s, self.retries)
    }
}

fn parsed<T: FromStr>(name: &str, what: &str, text: Option<&str>) -> Result<Option<T>> {
    let wrong = || Error::new(ErrorKind::Config, format!("`{name}` is not {what}"));
    // Set to nothing is not set.
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(|_| wrong())).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_told() {
        let with = |change: fn(&mut EthereumConfig)| {
            let mut config = EthereumConfig::default();
            change(&mut config);
            config.check()
        };
        assert!(with(|_| {}).is_ok());
        let wrong: [fn(&mut EthereumConfig); 6] = [
            |config| config.rpc.clear(),
            |config| config.rpc = vec!["http://127.0.0.1:1".into(); 9],
            |config| config.chain_id = 0,
            |config| config.genesis = Some("0x12".into()),
            |config| config.contract = Some("vitalik.eth".into()),
            |config| config.contract = Some(format!("0x{}", "1".repeat(41))),
        ];
        for change in wrong {
            assert_eq!(with(change).unwrap_err().kind, ErrorKind::Config);
        }
        assert!(with(|config| config.contract = Some(format!("0x{}", "1".repeat(40)))).is_ok());
        assert!(with(|config| config.contract = Some(String::new())).is_ok());
    }
}
