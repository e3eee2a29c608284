use bitboot_plugin_api::{Error, ErrorKind, Result};
use bitboot_rpc::Patience;
use schemars::JsonSchema;
use serde::Deserialize;

/// What a user may set.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ArweaveConfig {
    /// What the gateways call their network in `/info`: `arweave.N.1` is the real one, `arlocal.N.1` that of arlocal.
    pub(crate) network: String,
    /// Addresses of gateways, nodes with a GraphQL index; arlocal's usual port on this machine where there is none. All are read, all are told.
    pub(crate) rpc: Vec<String>,
    /// How many blocks back a lookup looks at most.
    pub(crate) lookback_blocks: u32,
    /// Look at transactions too that are in no block yet; what is found there is provisional.
    pub(crate) pending: bool,
    /// Seconds for which an announcement waits to see its transaction in a block.
    pub(crate) confirm_s: u16,
    /// Seconds for one answer of a gateway.
    pub(crate) timeout_s: u16,
    /// How often a question is asked again when a gateway does not answer.
    pub(crate) retries: u8,
}

/// `user:password` or a token. Named in `plugin.toml`.
pub(crate) const VARIABLE: &str = "BITBOOT_PLUGIN_ARWEAVE_RPC";
/// The network whose money is worth nothing: arlocal's. Any other is taken for real.
const TEST: &str = "arlocal.N.1";
/// arlocal's address.
const LOCAL: &str = "http://127.0.0.1:1984";

impl Default for ArweaveConfig {
    fn default() -> Self {
        Self {
            network: TEST.into(),
            rpc: Vec::new(),
            // As long as the longest life of a record, 22.7 days, with a block every two minutes.
            lookback_blocks: 16_384,
            pending: true,
            confirm_s: 0,
            timeout_s: 10,
            retries: 2,
        }
    }
}

impl ArweaveConfig {
    /// What cannot work is told before anything is asked.
    pub(crate) fn check(&self) -> Result<()> {
        if self.network.is_empty() || self.network.len() > 64 {
            return Err(Error::new(ErrorKind::Config, "`network` is not the name of a network")
                .fix("see what a gateway calls it: the field `network` of https://HOST/info"));
        }
        bitboot_rpc::check(&self.rpc, VARIABLE)
    }

    pub(crate) fn gateways(&self) -> Vec<String> {
        if self.rpc.is_empty() { vec![LOCAL.to_owned()] } else { self.rpc.clone() }
    }

    /// Whether what is spent there may be worth something.
    pub(crate) fn is_real(&self) -> bool {
        self.network != TEST
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience::of_settings(self.timeout_s, self.retries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_not_known_to_be_worthless_is_real() {
        for (network, is_real) in
            [("arlocal.N.1", false), ("arweave.N.1", true), ("arlocal.N.2", true), ("ARLOCAL.N.1", true)]
        {
            let config = ArweaveConfig { network: network.into(), ..ArweaveConfig::default() };
            assert_eq!(config.is_real(), is_real, "{network}");
        }
        assert!(!ArweaveConfig::default().is_real());
    }
}
