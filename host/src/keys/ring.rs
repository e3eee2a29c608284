use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::home::Seed;
use super::import::parse;
use super::item::Item;
use super::stores::{AskPassphrase, Means, Store, StoreName, hints, variable};
use super::{Entry, Index, KeyKind, Material};
use crate::error::{Error, Kind, Result};
use crate::paths::Paths;

/// How long a store may take where nobody is there to unlock it.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long where a person may be asked for a password by their desktop.
const PATIENCE_WITH_A_PERSON: Duration = Duration::from_secs(60);

/// The user's keys. Nothing is opened before a private key is needed.
pub(crate) struct KeyRing {
    pub(super) paths: Paths,
    /// For files of ours.
    ask: AskPassphrase,
    /// For keystores of other programs, which have passphrases of their own.
    ask_anew: AskPassphrase,
    patience: Duration,
    /// Keys that were taken out of their stores by this process.
    unlocked: Mutex<HashMap<String, Arc<Material>>>,
    /// The same for the node and networks.
    seeds: Mutex<HashMap<String, Seed>>,
}

impl KeyRing {
    pub(crate) fn new(paths: &Paths, ask: AskPassphrase, person: bool) -> Self {
        let patience = if person { PATIENCE_WITH_A_PERSON } else { PATIENCE };
        Self {
            paths: paths.clone(),
            ask: once(Arc::clone(&ask)),
            ask_anew: ask,
            patience,
            unlocked: Mutex::default(),
            seeds: Mutex::default(),
        }
    }

    pub(crate) fn index(&self) -> Result<Index> {
        Index::read(&self.paths)
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Index) -> Result<T>) -> Result<T> {
        Index::change(&self.paths, change)
    }

    /// Whether a store can be used now, in one sentence.
    pub(crate) fn status(&self, store: StoreName) -> Result<String> {
        self.store(store)?.status()
    }

    /// Keeps a new key in a store, and reads it back before anything is said of it.
    pub(crate) fn keep(&self, name: &str, store: StoreName, material: &Material) -> Result<()> {
        self.index()?.is_free(name)?;
        self.ask_before(&Item::Key(name.into()), store, true)?;
        self.change(|index| {
            index.is_free(name)?;
            let place = self.store(store)?;
            if store == StoreName::Home {
                return Err(unencrypted());
            }
            if store == StoreName::Env || place.get(name)?.is_some() {
                let what = format!("the store \"{store}\" holds a key \"{name}\" already, or is read only");
                return Err(Error::new(Kind::Key, what)
                    .fix(format!("take that one up: bitboot key import {name} --store {store} --existing")));
            }
            self.put(&Item::Key(name.into()), store, &material.to_text())?;
            index.add(name, store, material)
        })
    }

    /// Takes up a key that a store holds already.
    pub(crate) fn take_up(&self, name: &str, store: StoreName, kind: Option<KeyKind>) -> Result<()> {
        self.index()?.is_free(name)?;
        self.ask_before(&Item::Key(name.into()), store, false)?;
        self.change(|index| {
            index.is_free(name)?;
            if store == StoreName::Home {
                return Err(unencrypted());
            }
            let material = self.read(name, store, kind)?;
            index.add(name, store, &material)
        })
    }

    /// A private key, out of its store once a process.
    pub(crate) fn unlock(&self, name: &str, entry: &Entry) -> Result<Arc<Material>> {
        let mut unlocked = self.unlocked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(material) = unlocked.get(name) {
            return Ok(Arc::clone(material));
        }
        let material = Arc::new(self.read(name, entry.store, Some(entry.kind))?);
        if super::index::hex(&material) != entry.public {
            return Err(another(&Item::Key(name.into()), entry.store));
        }
        unlocked.insert(name.to_owned(), Arc::clone(&material));
        Ok(material)
    }

    /// A private key in the form of another program; with the file of its passphrase, if it has one.
    pub(crate) fn parse(
        &self,
        text: &SecretString,
        kind: Option<KeyKind>,
        passphrase: Option<&Path>,
    ) -> Result<(Material, &'static str)> {
        let ask = passphrase.map_or_else(|| Arc::clone(&self.ask_anew), |file| ask_never(Some(file)));
        parse(text, kind, || ask("the passphrase of the keystore", false))
    }

    /// Variables of the Python program that came before, each with the name of a key that it would be.
    pub(crate) fn hints() -> Vec<(String, String)> {
        hints()
    }

    /// A secret as stores keep it.
    pub(super) fn text(&self, item: &Item, store: StoreName) -> Result<SecretString> {
        if let Item::Key(name) = item {
            return Ok(self.read(name, store, Some(self.index()?.entry(name)?.kind))?.to_text());
        }
        let kept = self.store(store)?.get(&item.id())?;
        kept.ok_or_else(|| match item {
            Item::Node if store == StoreName::Home => super::home::no_node(),
            _ => missing(item, store),
        })
    }

    fn read(&self, name: &str, store: StoreName, kind: Option<KeyKind>) -> Result<Material> {
        let text = self.store(store)?.get(name)?.ok_or_else(|| missing(&Item::Key(name.into()), store))?;
        if store == StoreName::Env { Ok(self.parse(&text, kind, None)?.0) } else { Material::of_text(&text) }
    }

    /// Has a person type what a store wants, before the index is locked: that may take long, and nobody else could use a key meanwhile.
    pub(super) fn ask_before(&self, item: &Item, store: StoreName, keeps: bool) -> Result<()> {
        self.store(store)?.ask_before(&item.id(), keeps)
    }

    pub(super) fn store(&self, name: StoreName) -> Result<Box<dyn Store>> {
        let helper = if name == StoreName::Helper { self.index()?.helper } else { Vec::new() };
        let (paths, ask) = (self.paths.clone(), Arc::clone(&self.ask));
        Ok(Means { paths, ask, patience: self.patience, helper }.open(name))
    }

    pub(super) fn seeds(&self) -> MutexGuard<'_, HashMap<String, Seed>> {
        self.seeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer where a store does not have what it should.
pub(super) fn missing(item: &Item, store: StoreName) -> Error {
    let error = Error::new(Kind::Key, format!("the store \"{store}\" does not have {item}"));
    match (store, item) {
        (StoreName::Keyring, _) => error
            .because("the keyring is locked, which it answers in the same way, or it was deleted there")
            .fix("unlock it (log in at the desktop, or: gnome-keyring-daemon --unlock), then try again"),
        (StoreName::Env, Item::Key(name)) => {
            let wanted = variable(name)
                .unwrap_or_else(|| format!("BITBOOT_KEY_{}", name.to_uppercase().replace('-', "_")));
            error.fix(format!("set the variable {wanted}"))
        }
        (_, Item::Network(network)) => error
            .fix(format!("put it back, or forget the network: bitboot network remove {network} --forget")),
        _ => error.fix(format!("put it back, or forget it: bitboot key remove {} --forget", item.words())),
    }
}

/// The answer where a store has something else than what was put there.
pub(super) fn another(item: &Item, store: StoreName) -> Error {
    Error::new(Kind::Key, format!("what the store \"{store}\" holds is not {item} any more"))
        .fix("put back what was there")
}

/// The answer to who would keep a key that can spend in the clear.
pub(super) fn unencrypted() -> Error {
    Error::new(
        Kind::Usage,
        "the store \"home\" is not encrypted, and takes the node's key and networks' secrets only",
    )
    .fix("take another store: bitboot key stores")
}

/// Asks once, also where several files want the same passphrase.
fn once(ask: AskPassphrase) -> AskPassphrase {
    let kept = Mutex::new(None::<SecretString>);
    Arc::new(move |what, new| {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(passphrase) = &*kept {
            return Ok(passphrase.clone());
        }
        let passphrase = ask(what, new)?;
        *kept = Some(passphrase.clone());
        Ok(passphrase)
    })
}

/// The passphrase of a file, or a word about how to give one: for programs, and where nobody may be asked.
pub(crate) fn ask_never(file: Option<&Path>) -> AskPassphrase {
    let file = file.map(Path::to_owned);
    Arc::new(move |what, _| {
        let Some(file) = &file else {
            return Err(Error::new(Kind::Key, format!("{what} is needed, and nobody may be asked for it"))
                .fix("hand it over in a file: --passphrase-file FILE or BITBOOT_PASSPHRASE_FILE=FILE"));
        };
        let text = std::fs::read_to_string(file).map(Zeroizing::new);
        let text = text.map_err(|error| Error { kind: Kind::Key, ..Error::file("read", file, &error) })?;
        let passphrase = SecretString::from(text.trim_end_matches(['\r', '\n']));
        if passphrase.expose_secret().is_empty() {
            return Err(Error::new(Kind::Key, format!("{} holds no passphrase", file.display())));
        }
        Ok(passphrase)
    })
}
