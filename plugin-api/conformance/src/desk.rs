use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitboot_plugin_api::ffi::outside::Services;
use bitboot_plugin_api::{CacheEntry, Error, LogLine, Result, Scheme, SignRequest, Signed, message};

/// Signs for the plugin that is tested, with a key of the test's own.
pub trait Keys: Send + Sync {
    /// Signs what a backend asks for, whatever it spends.
    fn sign(&self, what: &SignRequest) -> Result<Vec<u8>>;

    /// The public half, as [`Signed`] tells it.
    fn public_key(&self, scheme: Scheme) -> Result<Vec<u8>>;
}

/// What a host does for its plugins, in memory: a log that can be read, a cache, and signing where the test has keys.
#[derive(Default)]
pub struct Desk {
    keys: Option<Arc<dyn Keys>>,
    log: Mutex<Vec<LogLine>>,
    cache: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Desk {
    pub(crate) fn with_keys(keys: Option<Arc<dyn Keys>>) -> Self {
        Self { keys, ..Self::default() }
    }

    fn keys(&self) -> Result<&Arc<dyn Keys>> {
        self.keys.as_ref().ok_or_else(|| Error::unsupported("this test has no keys"))
    }

    /// The lines that were logged, in order.
    #[must_use]
    pub fn log(&self) -> Vec<LogLine> {
        hold(&self.log).clone()
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
            "sign" => {
                let bytes = self.keys()?.sign(&message::decode(body)?)?;
                return Ok(message::encode(&Signed { bytes }));
            }
            "public_key" => {
                let bytes = self.keys()?.public_key(message::decode(body)?)?;
                return Ok(message::encode(&Signed { bytes }));
            }
            unknown => return Err(Error::unsupported(format!("this host has no service `{unknown}`"))),
        }
        Ok(message::encode(&()))
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("log", &self.log).finish_non_exhaustive()
    }
}

/// A plugin that panics while it holds a lock is judged elsewhere.
fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
