use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bitboot_plugin_api::ffi::outside::{Library, Services};
use tokio::sync::OnceCell;

use super::foreign::Foreign;
use super::given::configure;
use super::grants::spends;
use super::kept::Kept;
use super::manifest::Manifest;
use super::quarantine::Quarantine;
use super::request::{Request, refused};
use super::services::{Asker, Desk, LogSink, Signer};
use super::workers::{Seen, Workers, blocking, look};
use crate::backend::Backend;
use crate::error::{Error, Kind, Result};
use crate::paths::Paths;
use crate::registry::Isolation;
use crate::worker::{InForce, Remote};

/// Empty until it has been opened; what failed is tried again.
type Opened = Arc<OnceCell<Arc<dyn Backend>>>;
type Loaded = Arc<Mutex<Option<Library>>>;

/// Opens each library and each backend once.
pub(crate) struct Loader {
    cache: PathBuf,
    log: LogSink,
    signer: Arc<dyn Signer>,
    workers: Workers,
    /// Of installed plugins, locked for as long as this lives: nobody deletes a version that a worker may have to be started of again.
    held: Mutex<HashMap<PathBuf, File>>,
    /// Those of this process.
    libraries: Mutex<HashMap<PathBuf, Loaded>>,
    backends: Mutex<HashMap<String, Opened>>,
}

impl Loader {
    pub(crate) fn new(paths: &Paths, log: LogSink, signer: Arc<dyn Signer>) -> Self {
        let workers = Workers::new(Quarantine::new(&paths.state), Arc::clone(&log));
        let (held, libraries, backends) = Default::default();
        Self { cache: paths.cache.clone(), log, signer, workers, held, libraries, backends }
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
        match request.isolation {
            Isolation::Process => {
                let remote = self.open_remote(request, false).await?;
                Ok(Arc::new(Kept::new(self, request, remote)))
            }
            Isolation::InProcess => {
                let foreign = self.create_here(request).await?;
                configure(&foreign, request).await?;
                Ok(Arc::new(foreign))
            }
        }
    }

    /// A backend that has not been opened with its configuration: enough to be described.
    pub(crate) async fn create(self: &Arc<Self>, request: &Request) -> Result<Arc<dyn Backend>> {
        Ok(match request.isolation {
            Isolation::Process => Arc::new(self.create_remote(request, false).await?),
            Isolation::InProcess => Arc::new(self.create_here(request).await?),
        })
    }

    /// Opens a plugin without making a backend: its manifest, and what confines its process, if it has one of its own.
    pub(crate) async fn try_out(self: &Arc<Self>, request: &Request) -> Result<(Manifest, Option<InForce>)> {
        let seen = self.look(request).await?;
        let manifest = seen.manifest.clone();
        if request.isolation == Isolation::InProcess {
            self.create_here(request).await?;
            return Ok((manifest, None));
        }
        let worker = self.workers.of(request, seen, false).await?;
        Ok((manifest, Some(worker.in_force().clone())))
    }

    /// An opened backend in a worker; `again` after the worker has died.
    pub(super) async fn open_remote(&self, request: &Request, again: bool) -> Result<Remote> {
        let remote = self.create_remote(request, again).await?;
        configure(&remote, request).await?;
        Ok(remote)
    }

    async fn create_remote(&self, request: &Request, again: bool) -> Result<Remote> {
        let seen = self.look(request).await?;
        let kind = request.kind_in(&seen.manifest)?;
        let desk = self.desk(request, &seen.manifest);
        let worker = self.workers.of(request, seen, again).await?;
        worker.create(&kind, desk).await.map_err(|error| Error::of_backend(&request.backend, error))
    }

    async fn look(&self, request: &Request) -> Result<Seen> {
        let asked = request.clone();
        let seen = blocking(move || look(&asked)).await?;
        let seen = seen.map_err(|refusal| refused(&request.plugin, &request.library, &refusal))?;
        if request.expected.is_some() {
            self.hold(&request.library, &seen.file);
        }
        Ok(seen)
    }

    /// A file that cannot be locked is used all the same: what is at stake is only that it is deleted.
    fn hold(&self, library: &Path, file: &File) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if cfg!(unix)
            && !held.contains_key(library)
            && let Ok(file) = file.try_clone()
            && file.try_lock_shared().is_ok()
        {
            held.insert(library.to_owned(), file);
        }
    }

    async fn create_here(self: &Arc<Self>, request: &Request) -> Result<Foreign> {
        let (loader, request) = (Arc::clone(self), request.clone());
        // The system's loader reads the file and runs its constructors: not on the thread that prints peers.
        let created = tokio::task::spawn_blocking(move || loader.create_here_now(&request)).await;
        created.unwrap_or_else(|_| Err(Error::new(Kind::Plugin, "the plugin's library could not be opened")))
    }

    fn create_here_now(&self, request: &Request) -> Result<Foreign> {
        let seen = look(request).map_err(|refusal| refused(&request.plugin, &request.library, &refusal))?;
        if request.expected.is_some() {
            self.hold(&request.library, &seen.file);
        }
        let library = self.library(request, &seen)?;
        let kind = request.kind_in(&seen.manifest)?;
        let desk = self.desk(request, &seen.manifest);
        Foreign::new(library, &kind, desk).map_err(|error| Error::of_backend(&request.backend, error))
    }

    fn desk(&self, request: &Request, manifest: &Manifest) -> Arc<dyn Services> {
        let asker = Asker {
            plugin: request.plugin.clone(),
            backend: request.backend.clone(),
            kinds: request.keys(&manifest.asks),
            spends: spends(&manifest.asks, &request.grants),
        };
        let reads = request.reads(&manifest.asks);
        Arc::new(Desk::new(asker, &self.cache, reads, Arc::clone(&self.log), Arc::clone(&self.signer)))
    }

    fn library(&self, request: &Request, seen: &Seen) -> Result<Library> {
        let path = request.library.as_path();
        let loaded = {
            let mut libraries = self.libraries.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(libraries.entry(path.to_owned()).or_default())
        };
        // Held while this library is opened: two backends of one plugin open it once, and wait for no other plugin.
        let mut loaded = loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = *loaded {
            return Ok(library);
        }
        let library = Library::load(&seen.path(request), &seen.text).map_err(|refusal| {
            self.workers.tell_detail(&request.plugin, &refusal);
            refused(&request.plugin, path, &refusal)
        })?;
        *loaded = Some(library);
        Ok(library)
    }
}
