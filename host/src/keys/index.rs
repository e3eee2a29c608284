use std::collections::BTreeMap;
use std::path::PathBuf;

use bitboot_plugin_api::Scheme;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::item::{NODE, Place};
use super::stores::StoreName;
use super::{Grant, KeyKind, Material};
use crate::error::{Error, Kind, Result};
use crate::files::{self, Locked};
use crate::paths::Paths;

const HEAD: &str = "# Written by `bitboot key`: public halves and limits. The private halves are in the stores that are named here.\n\n";

/// What is known of the user's keys without opening a store: `keys.toml` in the folder of the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Index {
    /// The program of the store `helper`, with its words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) helper: Vec<String>,
    /// Where the node's key lies, if it was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) node: Option<Place>,
    /// Where the secrets of networks lie that were moved.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) networks: BTreeMap<String, Place>,
    #[serde(default)]
    pub(crate) keys: BTreeMap<String, Entry>,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) kind: KeyKind,
    pub(crate) store: StoreName,
    /// It was moved from there, and may not be deleted there yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) leaving: Option<StoreName>,
    /// The public half, hexadecimal.
    pub(crate) public: String,
    /// Used where a backend names no key of its own.
    #[serde(default)]
    pub(crate) default: bool,
    /// By the name of the backend that may use it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) grants: BTreeMap<String, Grant>,
}

impl Index {
    pub(crate) fn read(paths: &Paths) -> Result<Self> {
        parse(files::read(&path(paths))?, paths)
    }

    /// Changes it under its lock; nothing is written when the change fails.
    pub(crate) fn change<T>(paths: &Paths, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let lock = IndexLock::new(paths)?;
        let mut index = lock.read()?;
        let done = change(&mut index)?;
        lock.write(&index)?;
        Ok(done)
    }

    pub(crate) fn entry(&self, name: &str) -> Result<&Entry> {
        self.keys.get(name).ok_or_else(|| {
            Error::new(Kind::Key, format!("there is no key \"{name}\""))
                .fix("see which there are: bitboot key list; make one: bitboot key new NAME --kind KIND")
        })
    }

    /// The key that is used where none is named.
    pub(crate) fn default_of(&self, kind: KeyKind) -> Option<&str> {
        self.keys.iter().find(|(_, key)| key.kind == kind && key.default).map(|(name, _)| name.as_str())
    }

    pub(super) fn add(&mut self, name: &str, store: StoreName, material: &Material) -> Result<()> {
        self.is_free(name)?;
        // The first of its kind.
        let default = self.default_of(material.kind()).is_none();
        let public = hex(material);
        let entry =
            Entry { kind: material.kind(), store, leaving: None, public, default, grants: BTreeMap::new() };
        self.keys.insert(name.to_owned(), entry);
        Ok(())
    }

    pub(crate) fn is_free(&self, name: &str) -> Result<()> {
        if name == NODE {
            return Err(Error::new(Kind::Usage, "\"node\" is the name of the node's own key")
                .fix("take another name; a node that has none yet can be given one: bitboot key import node FILE --kind ed25519"));
        }
        if self.keys.contains_key(name) {
            let error = Error::new(Kind::Usage, format!("there is a key \"{name}\" already"));
            return Err(error.fix(format!("take another name, or remove it: bitboot key remove {name}")));
        }
        Ok(())
    }
}

/// The sole right to change `keys.toml`, and what it names, until it is dropped.
pub(super) struct IndexLock<'a> {
    file: Locked,
    paths: &'a Paths,
}

impl<'a> IndexLock<'a> {
    pub(super) fn new(paths: &'a Paths) -> Result<Self> {
        Ok(Self { file: Locked::new(path(paths))?, paths })
    }

    pub(super) fn read(&self) -> Result<Index> {
        parse(self.file.read()?, self.paths)
    }

    pub(super) fn write(&self, index: &Index) -> Result<()> {
        let text = toml::to_string(index)
            .map_err(|error| Error::new(Kind::Other, "cannot write keys.toml").because(error))?;
        self.file.replace(format!("{HEAD}{text}").as_bytes())
    }
}

impl Entry {
    /// The public half in the form that a scheme has.
    pub(crate) fn public_for(&self, scheme: Scheme) -> Vec<u8> {
        Material::public_for(&HEXLOWER.decode(self.public.as_bytes()).unwrap_or_default(), scheme)
    }
}

/// The public half as it stands in the file.
pub(super) fn hex(material: &Material) -> String {
    HEXLOWER.encode(&material.public())
}

fn path(paths: &Paths) -> PathBuf {
    paths.config.join("keys.toml")
}

fn parse(text: Option<String>, paths: &Paths) -> Result<Index> {
    toml::from_str(&text.unwrap_or_default()).map_err(|error| {
        Error::new(Kind::Config, format!("{} cannot be read", path(paths).display()))
            .because(error.message())
            .fix("mend it in an editor; the keys themselves are in their stores")
    })
}
