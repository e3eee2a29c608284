//! A plugin as it was written for the first version of the contract: a text file for each locator, one endpoint a line.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use bitboot_plugin_api::{
    Announcement, Backend, Caps, Cx, Error, ErrorKind, Found, Health, Host, Locator, Peer, Query, Receipt,
    Result, Stores, export_plugin,
};
use schemars::JsonSchema;
use serde::Deserialize;

export_plugin! { manifest: "../plugin.toml", backends: [Oldest] }

/// A folder as a medium.
pub struct Oldest {
    folder: PathBuf,
}

/// What a user may set.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OldestConfig {
    /// The folder.
    folder: PathBuf,
}

impl Backend for Oldest {
    const KIND: &'static str = "oldest";
    type Config = OldestConfig;

    async fn open(config: OldestConfig, _host: Host) -> Result<Self> {
        Ok(Self { folder: config.folder })
    }

    fn caps(&self) -> Caps {
        let mut caps = Caps::new(Stores::Endpoints, 0);
        caps.reveals = "everybody who can read the folder sees the addresses".into();
        caps
    }

    async fn announce(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        if what.endpoints.is_empty() {
            return Err(Error::new(ErrorKind::Refused, "whole addresses only").fix("announce with --peer HOST:PORT"));
        }
        fs::create_dir_all(&self.folder)?;
        let mut file = fs::File::options().create(true).append(true).open(self.file(&what.locator))?;
        for endpoint in &what.endpoints {
            writeln!(file, "{endpoint}")?;
        }
        Ok(Receipt::new(1, 1))
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        for line in fs::read_to_string(self.file(&query.locator)).unwrap_or_default().lines() {
            if let Ok(endpoint) = line.parse() {
                found.peer(Peer::new(endpoint)).await?;
            }
        }
        Ok(())
    }

    async fn health(&self, _cx: Cx) -> Result<Health> {
        Ok(Health::new(true, "the folder is there"))
    }
}

impl Oldest {
    fn file(&self, locator: &Locator) -> PathBuf {
        self.folder.join(locator.to_hex())
    }
}
