use bitboot_plugin_api::{Announcement, Backend, Caps, Cx, Found, Host, Query, Receipt, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::memory;

/// A medium in memory whose author forgot `deny_unknown_fields`: a user's typing error goes unnoticed.
pub(crate) struct Lax;

/// Nothing can be set.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct LaxConfig {}

impl Backend for Lax {
    const KIND: &'static str = "lax";
    type Config = LaxConfig;

    async fn open(_config: LaxConfig, _host: Host) -> Result<Self> {
        Ok(Self)
    }

    fn caps(&self) -> Caps {
        let mut caps = memory::caps();
        caps.withdraws = false;
        caps
    }

    async fn announce(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        memory::announce(&what)
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        memory::lookup(&query, &found).await
    }
}
