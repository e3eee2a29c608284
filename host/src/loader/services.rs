use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bitboot_plugin_api::ffi::outside::{Reads, Services};
use bitboot_plugin_api::{
    CacheEntry, Error, ErrorKind, LogLine, Result, Scheme, SignRequest, Signed, message,
};

use crate::error::Kind;
use crate::files;

/// The longest line of a plugin's log that is passed on.
const MAX_LINE: usize = 4096;
/// The most entries that are kept for a backend, and the most bytes of all: what a medium has is not copied, only what makes a start quick.
const MAX_ENTRIES: usize = 64;
const MAX_KEPT: u64 = 16 << 20;

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
    /// Held while an entry is written, so that no other gets past the quota meanwhile.
    keeping: Mutex<()>,
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
        Self { asker, cache, keeping: Mutex::default(), reads, log, signer }
    }

    /// Keeps an entry, within the quota.
    fn keep(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path(name)?;
        let _one_at_a_time = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        let others = std::fs::read_dir(&self.cache).into_iter().flatten().flatten();
        let others = others.filter(|entry| entry.path() != path);
        let (count, size) = others.fold((0, 0_u64), |(count, size), entry| {
            (count + 1, size.saturating_add(entry.metadata().map_or(0, |about| about.len())))
        });
        if count >= MAX_ENTRIES || size.saturating_add(bytes.len() as u64) > MAX_KEPT {
            let what = format!("the host keeps no more than {MAX_ENTRIES} entries and 16 MiB for a backend");
            return Err(Error::new(ErrorKind::Refused, what));
        }
        let refused = |error: crate::Error| {
            Error::new(ErrorKind::Other, "the host cannot keep it").because(error.to_string())
        };
        files::replace(&path, bytes).map_err(refused)
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
                self.keep(&entry.name, &entry.bytes.unwrap_or_default())?;
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Signer for Nobody {
        fn sign(&self, _: &Asker, _: &SignRequest) -> crate::Result<Vec<u8>> {
            Ok(Vec::new())
        }

        fn public_key(&self, _: &Asker, _: Scheme) -> crate::Result<Vec<u8>> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn a_backend_keeps_no_more_than_its_quota() {
        let put = |desk: &dyn Services, name: &str, bytes: usize| {
            let entry = CacheEntry { name: name.into(), bytes: Some(vec![0; bytes]) };
            desk.request("cache_put", &message::encode(&entry))
        };
        for (size, fit) in [(10, MAX_ENTRIES), (1_000_000, 16)] {
            let home = tempfile::tempdir().unwrap();
            let asker = Asker { plugin: "p".into(), backend: "b".into(), kinds: Vec::new(), spends: false };
            let desk = desk(asker, home.path(), Arc::new(Nobody));
            for number in 0..fit {
                put(&desk, &format!("entry-{number}"), size).unwrap();
            }
            assert_eq!(put(&desk, "more", size).unwrap_err().kind, ErrorKind::Refused);
            // What is there is renewed all the same.
            put(&desk, "entry-0", size).unwrap();
        }
    }
}
