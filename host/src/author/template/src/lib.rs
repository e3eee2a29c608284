//! A folder that several people share: for each locator a folder in it, and in that a file for each peer, with two words: when it
//! expires, in seconds since 1970, and its endpoint.

use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use bitboot_plugin_api::{
    Announcement, Backend, Caps, Cx, Endpoint, Error, ErrorKind, Found, Health, Host, Locator,
    Peer, Query, Receipt, Result, Stores, export_plugin,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::fs;

export_plugin! { manifest: "../plugin.toml", backends: [Board] }

/// The largest file that is read: more than any endpoint needs.
const MAX_FILE: u64 = 512;

/// A shared folder as a medium.
pub struct Board {
    folder: PathBuf,
}

/// What a user may set. Doc comments become the help of `bitboot backend info`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoardConfig {
    /// The folder that is shared.
    folder: PathBuf,
}

impl Backend for Board {
    const KIND: &'static str = "board";
    type Config = BoardConfig;

    async fn open(config: BoardConfig, _host: Host) -> Result<Self> {
        Ok(Self {
            folder: config.folder,
        })
    }

    fn caps(&self) -> Caps {
        let mut caps = Caps::new(Stores::Endpoints, 3600);
        caps.withdraws = true;
        caps.needs = vec!["files".into()];
        caps.reveals = "everybody who can read the folder sees the addresses".into();
        caps
    }

    async fn announce(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        let files = self.files(&what)?;
        fs::create_dir_all(self.place(&what.locator)).await?;
        let expires = now() + u64::from(what.ttl_s);
        for (endpoint, path) in &files {
            // Written beside and renamed, so that a reader sees all of it or nothing.
            let unfinished = path.with_extension(format!("{}.new", std::process::id()));
            fs::write(&unfinished, format!("{expires} {endpoint}\n")).await?;
            fs::rename(&unfinished, path).await?;
        }
        let stored = u32::try_from(files.len()).unwrap_or(u32::MAX);
        Ok(Receipt::new(stored, stored).with_expiry(what.ttl_s))
    }

    async fn lookup(&self, query: Query, found: Found) -> Result<()> {
        let mut files = match fs::read_dir(self.place(&query.locator)).await {
            Ok(files) => files,
            Err(error) if error.kind() == NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        while let Some(file) = files.next_entry().await? {
            // Anybody may have written here: what is no peer is passed over.
            let Some((expires, endpoint)) = read(&file.path()).await else {
                continue;
            };
            if let Some(seconds @ 1..) = expires.checked_sub(now()) {
                let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
                found.peer(Peer::new(endpoint).with_expiry(seconds)).await?;
            }
        }
        Ok(())
    }

    async fn withdraw(&self, what: Announcement, _cx: Cx) -> Result<Receipt> {
        let files = self.files(&what)?;
        let mut removed = 0;
        for (_, path) in &files {
            removed += u32::from(fs::remove_file(path).await.is_ok());
        }
        Ok(Receipt::new(
            removed,
            u32::try_from(files.len()).unwrap_or(u32::MAX),
        ))
    }

    async fn health(&self, _cx: Cx) -> Result<Health> {
        fs::create_dir_all(&self.folder).await?;
        Ok(Health::new(true, "the folder is there").with_fact("folder", &self.folder.display()))
    }
}

impl Board {
    fn place(&self, locator: &Locator) -> PathBuf {
        self.folder.join(locator.to_hex())
    }

    /// What is announced, and in which file each lies: the same for the same endpoint, so that announcing again renews it.
    fn files(&self, what: &Announcement) -> Result<Vec<(Endpoint, PathBuf)>> {
        // A folder does not know under which address others reach this machine.
        if what.endpoints.is_empty() {
            return Err(
                Error::new(ErrorKind::Refused, "a folder shows whole addresses only")
                    .fix("announce with --peer HOST:PORT"),
            );
        }
        let place = self.place(&what.locator);
        let hex = |endpoint: &Endpoint| {
            endpoint
                .to_string()
                .bytes()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        Ok(what
            .endpoints
            .iter()
            .map(|endpoint| (endpoint.clone(), place.join(hex(endpoint))))
            .collect())
    }
}

async fn read(path: &Path) -> Option<(u64, Endpoint)> {
    if fs::metadata(path).await.ok()?.len() > MAX_FILE {
        return None;
    }
    let text = fs::read_to_string(path).await.ok()?;
    let (expires, endpoint) = text.trim_end().split_once(' ')?;
    Some((expires.parse().ok()?, endpoint.parse().ok()?))
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
