use std::time::Duration;

use bitboot_plugin_api::{
    Announcement, Backend, Caps, Cx, Error, Found, Health, Host, Query, Receipt, Result,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::memory;

/// Blocks its thread for ever in `lookup`: in one process, nobody can take the thread back.
pub(crate) struct Hangs;

/// Nothing can be set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HangsConfig {}

impl Backend for Hangs {
    const KIND: &'static str = "hangs";
    type Config = HangsConfig;

    async fn open(_config: HangsConfig, _host: Host) -> Result<Self> {
        Ok(Self)
    }

    fn caps(&self) -> Caps {
        memory::caps()
    }

    async fn announce(&self, _what: Announcement, _cx: Cx) -> Result<Receipt> {
        Err(Error::unsupported("this one only hangs"))
    }

    async fn lookup(&self, _query: Query, _found: Found) -> Result<()> {
        loop {
            std::thread::sleep(Duration::from_secs(3600));
        }
    }

    async fn health(&self, _cx: Cx) -> Result<Health> {
        Ok(Health::new(true, "there is a thread left"))
    }
}
