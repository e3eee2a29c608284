use std::path::{Path, PathBuf};
use std::sync::Arc;

use bitboot_plugin_api::ffi::outside::Services;
use bitboot_plugin_api::{
    CacheEntry, Error, ErrorKind, LogLine, Result, Scheme, SignRequest, Signed, message,
};

use super::reads::Reads;
use crate::error::Kind;
use crate::files;

/// The longest line of a plugin's log that is passed on.
const MAX_LINE: usize = 4096;

/// A line that a backend's plugin logged.
#[derive(Debug, Clone)]
pub(crate) struct PluginLog {
    pub(crate) backend: String,
    pub(crate) line: LogLine,
}

/// Where lines of plugins' logs go; called from plugins' threads.
pub(crate) type LogSink = Arc<dyn Fn(PluginLog) + Send + Sync>;

/// Who asks the host to sign.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) plugin: String,
    pub(crate) backend: String,
    /// The kinds of key that the plugin's manifest asks for, and the user lets it have.
    pub(crate) kinds: Vec<String>,
    /// It may sign what costs something.
    pub(crate) spends: bool,
}

/// Signs for backends; called from plugins' threads.
pub(crate) trait Signer: Send + Sync {
    fn sign(&self, asker: &Asker, what: &SignRequest) -> crate::Result<Vec<u8>>;
    fn public_key(&self, asker: &Asker, scheme: Scheme) -> crate::Result<Vec<u8>>;
}

/// What the host does for one backend.
pub(super) struct Desk {
    asker: Asker,
    cache: PathBuf,
    reads: Reads,
    log: LogSink,
    signer: Arc<dyn Signer>,
}

impl Desk {
    pub(super) fn new(
        asker: Asker,
        cache: &Path,
        reads: Reads,
        log: LogSink,
        signer: Arc<dyn Signer>,
    ) -> Self {
        let cache = cache.join("backends").join(&asker.backend);
        Self { asker, cache, reads, log, signer }
    }

    fn path(&self, name: &str) -> Result<PathBuf> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=64).contains(&name.len()) && name.bytes().all(plain) {
            return Ok(self.cache.join(name));
        }
        Err(Error::new(ErrorKind::Refused, "a cache entry's name is 1 to 64 letters, digits, - and _"))
    }
}

impl Services for Desk {
    fn request(&self, service: &str, body: &[u8]) -> Result<Vec<u8>> {
        match service {
            "log" => {
                let mut line: LogLine = message::decode(body)?;
                line.text.truncate(line.text.floor_char_boundary(MAX_LINE));
                (self.log)(PluginLog { backend: self.asker.backend.clone(), line });
                Ok(message::encode(&()))
            }
            "cache_get" => {
                let asked: CacheEntry = message::decode(body)?;
                let bytes = read(&self.path(&asked.name)?);
                Ok(message::encode(&CacheEntry { name: asked.name, bytes }))
            }
            "cache_put" => {
                let entry: CacheEntry = message::decode(body)?;
                let refused = |error: crate::Error| {
                    Error::new(ErrorKind::Other, "the host cannot keep it").because(error.to_string())
                };
                files::replace(&self.path(&entry.name)?, &entry.bytes.unwrap_or_default())
                    .map_err(refused)?;
                Ok(message::encode(&()))
            }
            "read" => {
                let asked: CacheEntry = message::decode(body)?;
                let bytes = self.reads.read(&asked.name)?;
                Ok(message::encode(&CacheEntry { name: asked.name, bytes }))
            }
            "sign" => answer(self.signer.sign(&self.asker, &message::decode(body)?)),
            "public_key" => answer(self.signer.public_key(&self.asker, message::decode(body)?)),
            unknown => Err(Error::unsupported(format!("this host has no service `{unknown}`"))),
        }
    }
}

fn answer(signed: crate::Result<Vec<u8>>) -> Result<Vec<u8>> {
    let refused = |error: crate::Error| {
        let kind = match error.kind {
            Kind::Key => ErrorKind::Key,
            Kind::NeedsHuman => ErrorKind::NeedsHuman,
            _ => ErrorKind::Refused,
        };
        let mut told = Error::new(kind, error.what);
        (told.why, told.fix) = (error.why, error.fix);
        told
    };
    signed.map(|bytes| message::encode(&Signed { bytes })).map_err(refused)
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let size = std::fs::metadata(path).ok()?.len();
    // Less than a message may hold, so that the answer can be one.
    (size < message::MAX as u64 - 1024).then(|| std::fs::read(path).ok()).flatten()
}

/// The services of a backend, as its plugin reaches them.
#[cfg(test)]
pub(crate) fn desk(asker: Asker, cache: &Path, signer: Arc<dyn Signer>) -> impl Services {
    Desk::new(asker, cache, Reads::default(), Arc::new(|_| {}), signer)
}
