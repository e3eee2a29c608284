use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bitboot_plugin_api::ffi::outside::{Library, Refusal};
use bitboot_plugin_api::{Level, LogLine};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use super::foreign::Foreign;
use super::manifest::Asks;
use super::manifest_of;
use super::services::{Asker, Desk, LogSink, PluginLog, Signer};
use crate::backend::{self, Backend};
use crate::error::{Error, Kind, Result};
use crate::registry::nearest;

/// What it takes to open a backend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    /// The backend's name.
    pub(crate) backend: String,
    /// The plugin's name.
    pub(crate) plugin: String,
    /// The kind of backend; the plugin's only or first one where it is not named.
    pub(crate) kind: Option<String>,
    /// The plugin's library.
    pub(crate) library: PathBuf,
    /// The SHA-256 that the library has to have, where it is known.
    pub(crate) expected: Option<[u8; 32]>,
    /// What the user has set.
    pub(crate) config: Value,
}

/// Empty until it has been opened; what failed is tried again.
type Opened = Arc<OnceCell<Arc<dyn Backend>>>;
type Loaded = Arc<Mutex<Option<Library>>>;

/// Opens each library and each backend once.
pub(crate) struct Loader {
    cache: PathBuf,
    log: LogSink,
    signer: Arc<dyn Signer>,
    libraries: Mutex<HashMap<PathBuf, Loaded>>,
    backends: Mutex<HashMap<String, Opened>>,
}

impl Loader {
    pub(crate) fn new(cache: PathBuf, log: LogSink, signer: Arc<dyn Signer>) -> Self {
        Self { cache, log, signer, libraries: Mutex::default(), backends: Mutex::default() }
    }

    /// An opened backend; the same one each time.
    pub(crate) async fn backend(self: &Arc<Self>, request: Request) -> Result<Arc<dyn Backend>> {
        let cell = {
            let mut backends = self.backends.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(backends.entry(request.backend.clone()).or_default())
        };
        let loader = Arc::clone(self);
        cell.get_or_try_init(|| async move { loader.open(&request).await }).await.cloned()
    }

    /// All backends that have been opened so far.
    pub(crate) fn opened(&self) -> Vec<Arc<dyn Backend>> {
        let backends = self.backends.lock().unwrap_or_else(PoisonError::into_inner);
        backends.values().filter_map(|cell| cell.get().cloned()).collect()
    }

    async fn open(self: &Arc<Self>, request: &Request) -> Result<Arc<dyn Backend>> {
        let opened = self.create(request).await?;
        backend::open(&*opened, &request.config).await.map_err(|error| {
            let error = Error::of_backend(&request.backend, error);
            let fix = format!(
                "see what it takes: bitboot backend info {0}; change it: bitboot backend set {0} KEY=VALUE",
                request.backend
            );
            if error.kind == Kind::Config && error.fix.is_none() { error.fix(fix) } else { error }
        })?;
        Ok(opened)
    }

    /// A backend that has not been opened with its configuration: enough to be described.
    pub(crate) async fn create(self: &Arc<Self>, request: &Request) -> Result<Arc<dyn Backend>> {
        let (loader, request) = (Arc::clone(self), request.clone());
        // The system's loader reads the file and runs its constructors: not on the thread that prints peers.
        let created = tokio::task::spawn_blocking(move || loader.create_now(&request)).await;
        created.unwrap_or_else(|_| Err(Error::new(Kind::Plugin, "the plugin's library could not be opened")))
    }

    fn create_now(&self, request: &Request) -> Result<Arc<dyn Backend>> {
        is_expected(request)?;
        let library = self.library(&request.plugin, &request.library)?;
        let (kind, asks) = kind_of(request)?;
        let (plugin, backend) = (request.plugin.clone(), request.backend.clone());
        let asker = Asker { plugin, backend, kinds: asks.keys };
        let desk = Arc::new(Desk::new(asker, &self.cache, Arc::clone(&self.log), Arc::clone(&self.signer)));
        let foreign =
            Foreign::new(library, &kind, desk).map_err(|error| Error::of_backend(&request.backend, error))?;
        Ok(Arc::new(foreign))
    }

    fn library(&self, plugin: &str, path: &Path) -> Result<Library> {
        let loaded = {
            let mut libraries = self.libraries.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(libraries.entry(path.to_owned()).or_default())
        };
        // Held while this library is opened: two backends of one plugin open it once, and wait for no other plugin.
        let mut loaded = loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = *loaded {
            return Ok(library);
        }
        let library = Library::open(path).map_err(|refusal| {
            self.tell_detail(plugin, &refusal);
            refused(plugin, path, &refusal)
        })?;
        *loaded = Some(library);
        Ok(library)
    }

    /// A comparison of layouts has hundreds of lines: only for those who ask for everything.
    fn tell_detail(&self, plugin: &str, refusal: &Refusal) {
        if let Some(text) = refusal.detail.clone() {
            (self.log)(PluginLog { backend: plugin.to_owned(), line: LogLine { level: Level::Debug, text } });
        }
    }
}

/// Holds a library against the hash that it had when it was verified.
fn is_expected(Request { plugin, library, expected, .. }: &Request) -> Result<()> {
    let Some(expected) = expected else { return Ok(()) };
    let hash = File::open(library).and_then(hash);
    if hash.map_err(|error| Error { kind: Kind::Plugin, ..Error::file("read", library, &error) })?
        == *expected
    {
        return Ok(());
    }
    Err(Error::new(
        Kind::Integrity,
        format!("the library of plugin \"{plugin}\" was changed after it was installed"),
    )
    .at("library-hash")
    .because(format!("{} has not the hash that bitboot.lock has", library.display()))
    .fix(format!(
        "install it again: bitboot plugin install {plugin} --locked; see: bitboot plugin verify {plugin}"
    )))
}

fn hash(mut file: File) -> std::io::Result<[u8; 32]> {
    let (mut hasher, mut piece) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hasher.finalize().into()),
            size => hasher.update(&piece[..size]),
        }
    }
}

/// The kind that is asked for, if the plugin's manifest has it; else its first one. And what the manifest asks for.
fn kind_of(Request { plugin, library, kind, .. }: &Request) -> Result<(String, Asks)> {
    let manifest = manifest_of(library).map_err(|refusal| refused(plugin, library, &refusal))?;
    let mut kinds = manifest.backends.iter().map(|backend| backend.kind.as_str());
    let Some(kind) = kind else {
        let none = || Error::new(Kind::Plugin, format!("plugin \"{plugin}\" offers no kind of backend"));
        return kinds.next().map(|kind| (kind.into(), manifest.asks.clone())).ok_or_else(none);
    };
    if kinds.clone().any(|known| known == kind) {
        return Ok((kind.clone(), manifest.asks.clone()));
    }
    let error = Error::new(Kind::Config, format!("plugin \"{plugin}\" has no kind of backend \"{kind}\""));
    Err(match nearest(kind, kinds.clone()) {
        Some(near) => error.fix(format!("did you mean \"{near}\"?")),
        None => error.fix(format!("it has: {}", kinds.collect::<Vec<_>>().join(", "))),
    })
}

/// A library that is not opened, told to the user.
pub(crate) fn refused(plugin: &str, library: &Path, refusal: &Refusal) -> Error {
    Error::new(Kind::Plugin, format!("plugin \"{plugin}\" cannot be loaded: {}", refusal.what))
        .because(format!("the library is {}", library.display()))
        .fix(format!("install a good one: bitboot plugin install LIBRARY; or do without: bitboot plugin disable {plugin}"))
}
