mod keys;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitboot_plugin_api::ffi::outside::{Reads, Services};
use bitboot_plugin_api::{CacheEntry, Error, LogLine, Result, Scheme, SignRequest, Signed, message};
use serde::Deserialize;
use serde_json::Value;

use crate::Outside;

/// What a host does for its plugins, in memory: a log that can be read, a cache, and signatures by throwaway keys that everybody knows.
#[derive(Debug)]
pub struct Desk {
    asks: Manifest,
    outside: Option<Arc<dyn Outside>>,
    log: Mutex<Vec<LogLine>>,
    cache: Mutex<BTreeMap<String, Vec<u8>>>,
    settings: Mutex<Value>,
    asked: Mutex<Vec<SignRequest>>,
}

/// Of a plugin's manifest, what its host has to know to read for it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Manifest {
    name: String,
    asks: Asks,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asks {
    reads: Vec<String>,
}

impl Desk {
    /// For a plugin with this manifest. A manifest that is none asks for nothing; a clause tells.
    pub(crate) fn new(manifest: &str, outside: Option<Arc<dyn Outside>>) -> Self {
        let asks = toml::from_str(manifest).unwrap_or_default();
        let (log, cache, settings, asked) = Default::default();
        Self { asks, outside, log, cache, settings, asked }
    }

    /// The lines that were logged, in order.
    #[must_use]
    pub fn log(&self) -> Vec<LogLine> {
        hold(&self.log).clone()
    }

    /// What was asked to be signed, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<SignRequest> {
        hold(&self.asked).clone()
    }

    fn read(&self, what: &str) -> Result<Option<Vec<u8>>> {
        let settings = hold(&self.settings).clone();
        match &self.outside {
            Some(outside) => outside.read(what, &settings),
            None => Reads::new(&self.asks.name, &self.asks.asks.reads, &settings).read(what),
        }
    }

    /// Lets the backend have files read that these settings name, as a host does.
    pub(crate) fn set(&self, settings: &Value) {
        hold(&self.settings).clone_from(settings);
    }

    /// The public key by which it signs in a scheme, in the scheme's form. The same in each run, so that a test can give it coins of a chain of
    /// its own; everybody knows the other half.
    ///
    /// # Errors
    /// For a scheme that the contract of this version does not have.
    pub fn public_key(scheme: Scheme) -> Result<Vec<u8>> {
        keys::public(scheme)
    }

    /// What is kept under a name.
    #[must_use]
    pub fn cached(&self, name: &str) -> Option<Vec<u8>> {
        hold(&self.cache).get(name).cloned()
    }
}

impl Services for Desk {
    fn request(&self, service: &str, body: &[u8]) -> Result<Vec<u8>> {
        match service {
            "log" => hold(&self.log).push(message::decode(body)?),
            "cache_get" => {
                let CacheEntry { name, .. } = message::decode(body)?;
                let bytes = self.cached(&name);
                return Ok(message::encode(&CacheEntry { name, bytes }));
            }
            "cache_put" => {
                let CacheEntry { name, bytes } = message::decode(body)?;
                hold(&self.cache).insert(name, bytes.unwrap_or_default());
            }
            "read" => {
                let CacheEntry { name, .. } = message::decode(body)?;
                let bytes = self.read(&name)?;
                return Ok(message::encode(&CacheEntry { name, bytes }));
            }
            "sign" => {
                let asked: SignRequest = message::decode(body)?;
                let bytes = keys::sign(&asked)?;
                hold(&self.asked).push(asked);
                return Ok(message::encode(&Signed { bytes }));
            }
            "public_key" => {
                return Ok(message::encode(&Signed { bytes: keys::public(message::decode(body)?)? }));
            }
            unknown => return Err(Error::unsupported(format!("this host has no service `{unknown}`"))),
        }
        Ok(message::encode(&()))
    }
}

/// A plugin that panics while it holds a lock is judged elsewhere.
fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
