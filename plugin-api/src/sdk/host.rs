use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ffi::inside::HostDoor;
use crate::{Result, Scheme, SignRequest, Signed, message};

/// What the host does for a backend. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    door: Arc<HostDoor>,
}

/// How much a line of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Level {
    /// Something is wrong that the user should know.
    Error,
    /// Something may be wrong.
    Warn,
    /// What is going on; shown with `-v`.
    Info,
    /// How it is going on; shown with `-vv`.
    #[serde(other)]
    Debug,
}

/// A line of a plugin's log, as the service `log` takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// What it says.
    pub text: String,
}

/// What the services `cache_get`, `cache_put` and `read` take and answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheEntry {
    /// The entry's name: 1 to 64 letters, digits, `-`, `_`. For `read` the words of the manifest.
    pub name: String,
    /// Its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "serde_bytes")]
    pub bytes: Option<Vec<u8>>,
}

impl Host {
    pub(crate) fn new(door: HostDoor) -> Self {
        Self { door: Arc::new(door) }
    }

    /// Writes a line to the host's log. Never fails: a log that cannot be written is nobody's business.
    pub fn log(&self, level: Level, text: impl Into<String>) {
        let _ = self.door.request("log", &message::encode(&LogLine { level, text: text.into() }));
    }

    /// What this backend kept under a name, if it is still there. Bytes from an earlier version may come back: check them.
    ///
    /// # Errors
    /// When the host keeps no cache, or the name is not allowed.
    pub async fn cache_get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let entry = self.ask("cache_get", CacheEntry { name: name.into(), bytes: None }).await?;
        Ok(message::decode::<CacheEntry>(&entry)?.bytes)
    }

    /// Keeps at most 1 MiB (less a few bytes for the name) for this backend under a name, until the user clears the cache. `bitboot` keeps up to 64
    /// names and 16 MiB for a backend.
    ///
    /// # Errors
    /// When the host keeps no cache, the name is not allowed, or the bytes or the names are too many.
    pub async fn cache_put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.ask("cache_put", CacheEntry { name: name.into(), bytes: Some(bytes.to_vec()) }).await.map(|_| ())
    }

    /// What a file or an environment variable of the user holds now, at most 64 KiB, if it is there. The host reads it: a plugin's process
    /// sees neither. It is named as in `asks.reads` of the plugin's manifest: `config.KEY`, the file that the setting KEY names, or
    /// `env.BITBOOT_PLUGIN_NAME_…`, a variable whose name begins with the plugin's.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) for what the manifest does not name or the user does not grant.
    pub async fn read(&self, what: &str) -> Result<Option<Vec<u8>>> {
        let entry = self.ask("read", CacheEntry { name: what.into(), bytes: None }).await?;
        Ok(message::decode::<CacheEntry>(&entry)?.bytes)
    }

    /// The signature of the user's key for this backend, which stays with the host.
    ///
    /// The user has granted the key to the backend and has set limits; each request is checked against them, counted and written to a log
    /// before it is answered. A request that spends is answered only within an announcement to whose [`Quote`](crate::Quote) the user has
    /// agreed, and no more than that is signed away.
    ///
    /// # Errors
    /// [`ErrorKind::NeedsHuman`](crate::ErrorKind::NeedsHuman) without a grant, above a limit or outside of such an announcement;
    /// [`ErrorKind::Key`](crate::ErrorKind::Key) where the key is missing or locked; [`ErrorKind::Refused`](crate::ErrorKind::Refused) for
    /// a payload that the scheme does not take, and for a kind of key that the plugin's manifest does not ask for. Return them with `?`.
    pub async fn sign(&self, what: SignRequest) -> Result<Vec<u8>> {
        Ok(message::decode::<Signed>(&self.ask("sign", what).await?)?.bytes)
    }

    /// The public half of the user's key for this backend, in the form that [`Signed`] tells. Unlocks nothing.
    ///
    /// # Errors
    /// As [`Host::sign`], without limits.
    pub async fn public_key(&self, scheme: Scheme) -> Result<Vec<u8>> {
        Ok(message::decode::<Signed>(&self.ask("public_key", scheme).await?)?.bytes)
    }

    async fn ask<T: Serialize>(&self, service: &'static str, body: T) -> Result<Vec<u8>> {
        let (door, body) = (Arc::clone(&self.door), message::encode(&body));
        // The host may read a file to answer: not on a thread of the runtime.
        tokio::task::spawn_blocking(move || door.request(service, &body)).await?
    }
}
