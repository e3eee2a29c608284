use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitboot_plugin_api::ffi::outside::Services;
use bitboot_plugin_api::{
    CacheEntry, Error, ErrorKind, LogLine, Result, Scheme, SignRequest, Signed, message,
};

/// What a host does for its plugins, in memory: a log that can be read, a cache, and signatures where the test has keys.
#[derive(Debug, Default)]
pub struct Desk {
    log: Mutex<Vec<LogLine>>,
    cache: Mutex<BTreeMap<String, Vec<u8>>>,
    signer: Option<Arc<dyn Signer>>,
    signed: Mutex<Vec<SignRequest>>,
}

/// Keys of a test, for plugins that ask the host to sign.
pub trait Signer: fmt::Debug + Send + Sync {
    /// A signature in the form that its scheme has.
    ///
    /// # Errors
    /// What the plugin is to be told.
    fn sign(&self, what: &SignRequest) -> Result<Vec<u8>>;

    /// The public half of the key that signs by a scheme.
    ///
    /// # Errors
    /// What the plugin is to be told.
    fn public_key(&self, scheme: Scheme) -> Result<Vec<u8>>;
}

impl Desk {
    pub(crate) fn new(signer: Option<Arc<dyn Signer>>) -> Self {
        Self { signer, ..Self::default() }
    }

    /// What was asked to be signed, in order.
    #[must_use]
    pub fn signed(&self) -> Vec<SignRequest> {
        hold(&self.signed).clone()
    }

    fn signer(&self) -> Result<&dyn Signer> {
        self.signer.as_deref().ok_or_else(|| Error::new(ErrorKind::Key, "this test has no keys"))
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
                let what: SignRequest = message::decode(body)?;
                let bytes = self.signer()?.sign(&what)?;
                hold(&self.signed).push(what);
                return Ok(message::encode(&Signed { bytes }));
            }
            "public_key" => {
                let bytes = self.signer()?.public_key(message::decode(body)?)?;
                return Ok(message::encode(&Signed { bytes }));
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
