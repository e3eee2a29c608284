use std::time::Duration;

use bitboot_plugin_api::{
    Announcement, Backend, Caps, Cx, Endpoint, Error, Found, Host, Peer, Query, Receipt, Result,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::sleep;

use crate::memory;

/// Finds one peer late, and ends later still. What is announced it takes back later than that.
pub(crate) struct Slow(SlowConfig, Option<Endpoint>);

/// When what happens.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SlowConfig {
    /// The peer that is found; without one, none is.
    peer: Option<String>,
    /// Milliseconds until the peer is found.
    delay_ms: u64,
    /// Milliseconds from there to the end.
    then_ms: u64,
    /// Milliseconds that taking something back lasts; without them, nothing can be announced.
    withdraw_ms: Option<u64>,
}

impl Backend for Slow {
    const KIND: &'static str = "slow";
    type Config = SlowConfig;

    async fn open(config: SlowConfig, _host: Host) -> Result<Self> {
        let peer = config.peer.as_deref().map(str::parse).transpose()?;
        Ok(Self(config, peer))
    }

    fn caps(&self) -> Caps {
        memory::caps()
    }

    async fn announce(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        match self.0.withdraw_ms {
            Some(_) => memory::announce(&what),
            None => Err(Error::unsupported("this one only finds")),
        }
    }

    async fn withdraw(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        sleep(Duration::from_millis(self.0.withdraw_ms.unwrap_or_default())).await;
        Ok(memory::withdraw(&what))
    }

    async fn lookup(&self, _query: Query, found: Found) -> Result<()> {
        let Self(config, peer) = self;
        sleep(Duration::from_millis(config.delay_ms)).await;
        if let Some(peer) = peer {
            found.peer(Peer::new(peer.clone())).await?;
        }
        sleep(Duration::from_millis(config.then_ms)).await;
        Ok(())
    }
}
