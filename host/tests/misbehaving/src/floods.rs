use bitboot_plugin_api::{
    Announcement, Backend, Caps, Cx, Endpoint, Error, Found, Host, Peer, Query, Receipt, Result,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::memory;

/// Finds peers without end, each another, as fast as it is listened to.
pub(crate) struct Floods(FloodsConfig);

/// What it finds.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FloodsConfig {
    /// So many bytes at a time instead of peers.
    value_bytes: usize,
    /// Ends after so many; 0 never.
    count: u32,
}

impl Backend for Floods {
    const KIND: &'static str = "floods";
    type Config = FloodsConfig;

    async fn open(config: FloodsConfig, _host: Host) -> Result<Self> {
        Ok(Self(config))
    }

    fn caps(&self) -> Caps {
        memory::caps()
    }

    async fn announce(&self, _what: Announcement, _cx: Cx) -> Result<Receipt> {
        Err(Error::unsupported("this one only finds"))
    }

    async fn lookup(&self, _query: Query, found: Found) -> Result<()> {
        let end = if self.0.count == 0 { u32::MAX } else { self.0.count };
        for number in 0..end {
            if self.0.value_bytes > 0 {
                found.value(&vec![number.to_le_bytes()[0]; self.0.value_bytes]).await?;
            } else if let Some(endpoint) = Endpoint::new(number.to_be_bytes().into(), 4001) {
                found.peer(Peer::new(endpoint)).await?;
            }
        }
        Ok(())
    }
}
