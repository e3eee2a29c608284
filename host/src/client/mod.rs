//! The library's face: what the command line and other programs use. It connects the rooms.

mod announce;
mod library;
mod lookup;
mod options;
mod others;
mod quoted;
mod signer;
mod variables;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use bitboot_plugin_api::Level;
use serde_json::Value;

use crate::amount::Amount;
use crate::backend;
use crate::discovery::{Candidate, Statement};
use crate::error::{Error, Kind, Result};
use crate::keys::{KeyKind, KeyRing, ask_never};
use crate::loader::{self, Loader, PluginLog, Request};
use crate::network::{Metadata, Network};
use crate::paths::Paths;
use crate::registry::{BackendEntry, Choice, PluginEntry, Registry, Selection};
use crate::state::{Journal, Key};

pub use announce::{Announcing, Answer, Withdrawing};
pub(crate) use announce::{agreement, note_withdrawal};
pub(crate) use library::{Provenance, Vouched, library, provenance, vouched};
pub use lookup::{Found, Lookup};
pub use options::{AnnounceOptions, LookupOptions};
pub use quoted::{Purpose, Quoted, Spend};
pub(crate) use signer::{Agreed, HostSigner};
use variables::{Settings, settings};
pub use watch::Watch;

/// A user's registry and the plugins in it. Cheap to clone; each library and each backend is opened once, when it is first used.
#[derive(Clone)]
pub struct Bitboot {
    paths: Paths,
    registry: Arc<Registry>,
    loader: Arc<Loader>,
    signer: Arc<HostSigner>,
}

impl Bitboot {
    /// With the user's own folders.
    ///
    /// # Errors
    /// When there is no home folder, or the registry is no TOML.
    pub fn new() -> Result<Self> {
        Self::with(Paths::of_user()?, |_, _, _| {})
    }

    /// With other folders, and an ear for what plugins log: the backend, how much it matters, and the text, which comes from the plugin
    /// and may hold control characters.
    ///
    /// # Errors
    /// When the registry is no TOML.
    pub fn with(paths: Paths, log: impl Fn(&str, Level, &str) + Send + Sync + 'static) -> Result<Self> {
        let passphrases = std::env::var_os("BITBOOT_PASSPHRASE_FILE").filter(|file| !file.is_empty());
        let ring = KeyRing::new(&paths, ask_never(passphrases.as_ref().map(std::path::Path::new)), false);
        Self::with_keys(paths, ring, log)
    }

    pub(crate) fn with_keys(
        paths: Paths,
        ring: KeyRing,
        log: impl Fn(&str, Level, &str) + Send + Sync + 'static,
    ) -> Result<Self> {
        let registry = Arc::new(Registry::read(&paths)?);
        let log = Arc::new(move |said: PluginLog| log(&said.backend, said.line.level, &said.line.text));
        let signer = Arc::new(HostSigner::new(&paths, Arc::clone(&registry), Arc::new(ring)));
        let loader = Arc::new(Loader::new(&paths, log, signer.clone()));
        Ok(Self { paths, registry, loader, signer })
    }

    /// Looks a network up: every backend at once, peers in the order in which they are found.
    ///
    /// # Errors
    /// When nobody can be asked: a backend that is not registered, or no backend at all.
    pub fn lookup(&self, network: &Network, options: &LookupOptions) -> Result<Lookup> {
        let selection = self.registry.select(network.name(), &options.via)?;
        Ok(Lookup::start(self.candidates(selection), self.resolve(network)?, options))
    }

    /// Looks a network up again and again, and tells who came and who is gone.
    ///
    /// # Errors
    /// As [`Bitboot::lookup`].
    pub fn watch(&self, network: &Network, options: LookupOptions, every: Duration) -> Result<Watch> {
        Watch::start(self.clone(), network.clone(), options, every)
    }

    /// Announces this machine, or what the options name, on every backend at once.
    ///
    /// # Errors
    /// As [`Bitboot::lookup`]; and when there is nothing to announce.
    pub fn announce(&self, network: &Network, options: AnnounceOptions) -> Result<Announcing> {
        let selection = self.registry.select(network.name(), &options.via)?;
        Announcing::start(self.clone(), self.resolve(network)?, options, &selection)
    }

    /// Lets the backends that were used keep what makes them quick the next time. Worth a second at the end of a program.
    pub async fn close(&self) {
        const PATIENCE: Duration = Duration::from_secs(1);
        let mut saving = tokio::task::JoinSet::new();
        for opened in self.loader.opened() {
            saving.spawn(async move { backend::save(&*opened, PATIENCE).await });
        }
        // What cannot be kept is made anew the next time.
        saving.join_all().await;
    }

    pub(crate) fn paths(&self) -> &Paths {
        &self.paths
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn loader(&self) -> &Arc<Loader> {
        &self.loader
    }

    /// The network with its secret, if it is registered as a secret one.
    pub(crate) fn resolve(&self, network: &Network) -> Result<Network> {
        let is_secret = match self.registry.networks.get(network.name()) {
            Some(entry) => entry.value.clone()?.secret,
            None => false,
        };
        // A program may bring a secret of its own.
        if is_secret && network.secret().is_none() {
            self.keys().with_secret(network)
        } else {
            Ok(network.clone())
        }
    }

    pub(crate) fn keys(&self) -> &KeyRing {
        self.signer.ring()
    }

    pub(crate) fn signer(&self) -> &Arc<HostSigner> {
        &self.signer
    }

    /// Takes the keys that a backend may use out of their stores.
    pub(crate) fn unlock(&self, backend: &str) -> Result<()> {
        let kinds = kinds_of(&self.paths, &self.registry.choice(backend.to_owned())?);
        self.signer.unlock(backend, &kinds)
    }

    /// What the policies of its keys let a backend spend at once.
    pub(crate) fn limits(&self, backend: &str) -> Result<Vec<Amount>> {
        let kinds = kinds_of(&self.paths, &self.registry.choice(backend.to_owned())?);
        let keys = kinds.into_iter().filter_map(|kind| self.signer.key(backend, kind).ok());
        Ok(keys.filter_map(|(_, entry)| entry.grants.get(backend)?.per_transaction.clone()).collect())
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::new(&self.paths)
    }

    /// What it takes to open a registered backend.
    pub(crate) fn request(
        &self,
        backend: &str,
        entry: &BackendEntry,
        plugin: &PluginEntry,
    ) -> Result<Request> {
        let Vouched { path, expected } = vouched(&self.paths, &entry.plugin, plugin)?;
        let all = self.registry.backends.iter();
        let entries = all.filter_map(|(name, entry)| Some((name, entry.value.as_ref().ok()?)));
        let siblings = entries.filter(|(_, sibling)| sibling.plugin == entry.plugin);
        let Settings { config, variables } = settings(backend, entry)?;
        Ok(Request {
            backend: backend.to_owned(),
            others: self.registry.plugins.keys().filter(|name| **name != entry.plugin).cloned().collect(),
            is_trial: false,
            kind: entry.kind.clone(),
            expected,
            config,
            variables,
            siblings: siblings.filter_map(|(name, entry)| Some(settings(name, entry).ok()?.config)).collect(),
            isolation: plugin.isolation,
            grants: plugin.grants.clone(),
            memory_mib: plugin.memory_mib,
            ..Request::new(&entry.plugin, path)
        })
    }

    pub(crate) fn candidates(&self, selection: Selection) -> Vec<Candidate> {
        selection.choices.into_iter().map(|choice| self.candidate(choice)).collect()
    }

    pub(crate) fn candidate(&self, choice: Choice) -> Candidate {
        let loader = Arc::clone(&self.loader);
        let request = choice.entries.and_then(|(entry, plugin)| {
            let medium = entry.medium.clone().unwrap_or_else(|| choice.backend.clone());
            Ok((self.request(&choice.backend, &entry, &plugin)?, medium))
        });
        let medium = request.as_ref().map_or_else(|_| choice.backend.clone(), |(_, medium)| medium.clone());
        Candidate::new(choice.backend, medium, async move { loader.backend(request?.0).await })
    }
}

/// What this node says in a network about one announcement. Makes the node's identity when there is none yet.
pub(crate) fn statement(
    bitboot: &Bitboot,
    network: Network,
    key: &Key,
    metadata: Metadata,
    ttl: Duration,
) -> Result<Statement> {
    Ok(Statement {
        network,
        identity: Arc::new(bitboot.keys().identity()?),
        port: key.port,
        endpoints: key.endpoints.clone(),
        other_ports: Vec::new(),
        other_endpoints: Vec::new(),
        other_metadata: Metadata::new(),
        metadata,
        ttl,
        agreed: false,
    })
}

/// The kinds of key that a backend's plugin asks for in its manifest: without any it cannot spend. Reads the library, and runs nothing of it.
fn kinds_of(paths: &Paths, choice: &Choice) -> Vec<KeyKind> {
    let Ok((entry, plugin)) = &choice.entries else { return Vec::new() };
    let manifest =
        library(paths, &entry.plugin, plugin).ok().and_then(|library| loader::manifest_of(&library).ok());
    manifest
        .iter()
        .flat_map(|manifest| &manifest.asks.keys)
        .filter_map(|word| KeyKind::of_word(word))
        .collect()
}

/// What the user has set, as the plugin takes it.
fn config_of(backend: &str, entry: &BackendEntry) -> Result<Value> {
    serde_json::to_value(&entry.config).map_err(|error| {
        Error::new(Kind::Config, format!("the config of backend \"{backend}\" is invalid")).because(error)
    })
}
