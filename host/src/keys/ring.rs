use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::import::parse;
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
    paths: Paths,
    ask: AskPassphrase,
    patience: Duration,
    /// Keys that were taken out of their stores by this process.
    unlocked: Mutex<HashMap<String, Arc<Material>>>,
}

impl KeyRing {
    pub(crate) fn new(paths: &Paths, ask: AskPassphrase, person: bool) -> Self {
        let patience = if person { PATIENCE_WITH_A_PERSON } else { PATIENCE };
        Self { paths: paths.clone(), ask: once(ask), patience, unlocked: Mutex::default() }
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
        self.change(|index| {
            index.is_free(name)?;
            let place = self.store(store)?;
            if store == StoreName::Env || place.get(name)?.is_some() {
                let what = format!("the store \"{store}\" holds a key \"{name}\" already, or is read only");
                return Err(Error::new(Kind::Key, what)
                    .fix(format!("take that one up: bitboot key import {name} --store {store} --existing")));
            }
            place.put(name, &material.to_text())?;
            let kept = place.get(name)?.as_ref().map(Material::of_text).transpose()?;
            if kept.is_none_or(|kept| kept.public() != material.public()) {
                return Err(Error::new(Kind::Key, format!("the store \"{store}\" did not keep the key")));
            }
            index.add(name, store, material)
        })
    }

    /// Takes up a key that a store holds already.
    pub(crate) fn take_up(&self, name: &str, store: StoreName, kind: Option<KeyKind>) -> Result<()> {
        self.change(|index| {
            index.is_free(name)?;
            let material = self.read(name, store, kind)?;
            index.add(name, store, &material)
        })
    }

    /// Deletes a key from its store; nobody can bring it back.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        self.change(|index| {
            self.store(index.entry(name)?.store)?.delete(name)?;
            index.keys.remove(name);
            Ok(())
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
            let what = format!("the store \"{}\" holds another key under \"{name}\"", entry.store);
            return Err(Error::new(Kind::Key, what).fix("put back the one that was there"));
        }
        unlocked.insert(name.to_owned(), Arc::clone(&material));
        Ok(material)
    }

    /// A private key in the form of another program.
    pub(crate) fn parse(
        &self,
        text: &SecretString,
        kind: Option<KeyKind>,
    ) -> Result<(Material, &'static str)> {
        parse(text, kind, || (self.ask)("the passphrase of the keystore", false))
    }

    /// Variables of the Python program that came before, each with the name of a key that it would be.
    pub(crate) fn hints() -> Vec<(String, String)> {
        hints()
    }

    fn read(&self, name: &str, store: StoreName, kind: Option<KeyKind>) -> Result<Material> {
        let text = self.store(store)?.get(name)?.ok_or_else(|| missing(name, store))?;
        if store == StoreName::Env { Ok(self.parse(&text, kind)?.0) } else { Material::of_text(&text) }
    }

    fn store(&self, name: StoreName) -> Result<Box<dyn Store>> {
        let helper = if name == StoreName::Helper { self.index()?.helper } else { Vec::new() };
        let (home, files) = (self.paths.config.clone(), self.paths.data.join("keys"));
        Ok(Means { home, files, ask: Arc::clone(&self.ask), patience: self.patience, helper }.open(name))
    }
}

fn missing(name: &str, store: StoreName) -> Error {
    let error = Error::new(Kind::Key, format!("the store \"{store}\" has no key \"{name}\""));
    match store {
        StoreName::Keyring => error
            .because("the keyring is locked, which it answers in the same way, or the key was deleted there")
            .fix("unlock it (log in at the desktop, or: gnome-keyring-daemon --unlock), then try again; or use another store: --store file"),
        StoreName::Env => {
            let wanted = variable(name).unwrap_or_else(|| format!("BITBOOT_KEY_{}", name.to_uppercase().replace('-', "_")));
            error.fix(format!("set the variable {wanted}"))
        }
        _ => error.fix(format!("put it back, or forget the key: bitboot key remove {name}")),
    }
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
