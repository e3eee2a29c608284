//! Peers on this machine: each announcement is a file in a folder that several processes share.
//!
//! `FOLDER/LOCATOR/PEER.json`, where `LOCATOR` is hexadecimal and `PEER` names what is announced, so that announcing again renews the
//! same file. A file is written whole or not at all, and is removed by whoever finds it expired.

mod entry;
mod folder;
mod sweep;

use std::net::{IpAddr, Ipv4Addr};

use bitboot_plugin_api::{
    Announcement, Backend, Caps, Cx, Found, Health, Host, Peer, Query, Receipt, Result, Stores, export_plugin,
};
use schemars::JsonSchema;
use serde::Deserialize;

use entry::Entry;
use folder::Folder;

export_plugin! { manifest: "../plugin.toml", backends: [Local] }

/// The local machine as a medium.
pub struct Local {
    folder: Folder,
}

/// What a user may set.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LocalConfig {
    /// The folder that the processes share; by default one in the user's runtime folder.
    folder: Option<String>,
}

impl Backend for Local {
    const KIND: &'static str = "local";
    type Config = LocalConfig;

    async fn open(config: LocalConfig, _host: Host) -> Result<Self> {
        Ok(Self { folder: Folder::new(config.folder) })
    }

    fn caps(&self) -> Caps {
        let mut caps = Caps::new(Stores::Values, 3600);
        caps.max_value = Entry::MAX_VALUE;
        caps.lookup_ms = 1;
        caps.announce_ms = 1;
        caps.withdraws = true;
        caps.needs = vec!["files".into()];
        caps.reveals = "other processes of the same user see the addresses".into();
        caps
    }

    async fn announce(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        let entry = Entry::new(&what)?;
        self.folder.put(&what.locator, &entry).await?;
        Ok(Receipt::new(1, 1).with_expiry(what.ttl_s))
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        for entry in self.folder.entries(&query.locator).await? {
            let seconds = entry.expires_in_s();
            for endpoint in entry.endpoints {
                found.peer(Peer::new(endpoint).with_expiry(seconds)).await?;
            }
            if let Some(value) = entry.value {
                found.value(&value).await?;
            }
        }
        Ok(())
    }

    async fn withdraw(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        let removed = self.folder.remove(&what.locator, &Entry::new(&what)?).await?;
        Ok(Receipt::new(u32::from(removed), 1))
    }

    async fn here(&self, _cx: Cx) -> Result<Option<IpAddr>> {
        Ok(Some(Ipv4Addr::LOCALHOST.into()))
    }

    async fn health(&self, _cx: Cx) -> Result<Health> {
        self.folder.prepare().await?;
        Ok(Health::new(true, "the folder can be written").with_fact("folder", &self.folder))
    }
}
