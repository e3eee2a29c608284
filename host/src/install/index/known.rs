use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Index, Signed};
use crate::error::{Error, Kind, Result};
use crate::files::{self, Locked};
use crate::install::{Fetcher, Place, PublisherKey, Trust};
use crate::paths::Paths;
use crate::registry::{is_entry_name, unknown};

/// The indexes that a user has: `indexes.toml` in the configuration folder. Their last state lies in the data folder.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Indexes {
    #[serde(default, rename = "index")]
    pub(crate) entries: BTreeMap<String, IndexEntry>,
}

/// Where an index is and who signs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexEntry {
    /// `https:`, `file:` or a whole path.
    pub(crate) url: String,
    pub(crate) key: PublisherKey,
}

impl Indexes {
    pub(crate) fn read(paths: &Paths) -> Result<Self> {
        Self::parse(&files::read(&path(paths))?.unwrap_or_default())
    }

    fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str| {
            Error::new(Kind::Config, "indexes.toml cannot be read").because(why).fix("mend it in an editor")
        };
        let indexes: Self = toml::from_str(text).map_err(|error| refuse(error.message()))?;
        let plain = indexes.entries.keys().all(|name| is_entry_name(name));
        if plain { Ok(indexes) } else { Err(refuse("a name in it is none")) }
    }

    /// Changes which indexes there are, with nobody else changing them meanwhile.
    pub(crate) fn change<T>(paths: &Paths, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let file = Locked::new(path(paths))?;
        let mut indexes = Self::parse(&file.read()?.unwrap_or_default())?;
        let result = change(&mut indexes)?;
        let text = toml::to_string(&indexes)
            .map_err(|error| Error::new(Kind::Other, "indexes.toml cannot be written").because(error))?;
        file.replace(text.as_bytes())?;
        Ok(result)
    }

    pub(crate) fn get(&self, name: &str) -> Result<&IndexEntry> {
        self.entries.get(name).ok_or_else(|| unknown("index", name, self.entries.keys().map(String::as_str)))
    }

    /// The last state of an index that was fetched, signed still; `None` where none was.
    pub(crate) fn cached(&self, paths: &Paths, name: &str) -> Result<Option<Index>> {
        let entry = self.get(name)?;
        entry.not_revoked(paths, name)?;
        let Some(text) = files::read(&cache(paths, name))? else { return Ok(None) };
        open(&text, name, entry).map(|signed| Some(signed.index))
    }
}

impl IndexEntry {
    pub(crate) fn place(&self) -> Result<Place> {
        Place::parse(&self.url)
    }

    /// Fetches an index and keeps it, if it is signed by its key, not older than what is kept, and not expired.
    pub(crate) fn update(&self, paths: &Paths, fetcher: &Fetcher, name: &str) -> Result<Index> {
        let signed = Signed::fetch(fetcher, &self.place()?)?;
        self.keep(paths, name, signed)
    }

    fn not_revoked(&self, paths: &Paths, name: &str) -> Result<()> {
        Trust::read(paths)?.not_revoked(name, &self.key).map_err(|error| {
            let what = format!("whoever signs the index \"{name}\" is revoked");
            Error { what, ..error }.fix(format!("remove it: bitboot index remove {name}"))
        })
    }

    /// Keeps what was fetched.
    pub(crate) fn keep(&self, paths: &Paths, name: &str, signed: Signed) -> Result<Index> {
        if signed.index.publisher.key != self.key {
            return Err(Error::new(
                Kind::Integrity,
                format!("the index \"{name}\" is signed by another key than before"),
            )
            .at("changed-key")
            .because(format!("before: {}; now: {}", self.key, signed.index.publisher.key))
            .fix(format!(
                "ask its keeper; if the key is new: bitboot index remove {name}, and add it again"
            )));
        }
        self.not_revoked(paths, name)?;
        signed.index.not_expired(name, SystemTime::now())?;
        let file = Locked::new(cache(paths, name))?;
        if let Some(before) = file.read()? {
            // What is broken here is replaced; what another key signed is no state of this index.
            if let Ok(before) = open(&before, name, self) {
                not_rolled_back(name, &before, &signed)?;
            }
        }
        // One file for both, so that they are never torn apart.
        file.replace(&[signed.signature.trim_end().as_bytes(), b"\n\n", &signed.text].concat())?;
        Ok(signed.index)
    }
}

/// Forgets the last state of an index.
pub(crate) fn forget(paths: &Paths, name: &str) -> Result<()> {
    let path = cache(paths, name);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("delete", &path, &error))
        }
        _ => Ok(()),
    }
}

fn open(text: &str, name: &str, entry: &IndexEntry) -> Result<Signed> {
    let broken = || {
        Error::new(Kind::Integrity, format!("what is kept of the index \"{name}\" is broken"))
            .at("index")
            .fix(format!("get it again: bitboot index update {name}"))
    };
    let (signature, text) = text.split_once("\n\n").ok_or_else(broken)?;
    Signed::check(text.as_bytes().to_vec(), signature.to_owned(), Some(&entry.key), name)
        .map_err(|error| error.fix(format!("get it again: bitboot index update {name}")))
}

fn not_rolled_back(name: &str, before: &Signed, now: &Signed) -> Result<()> {
    let (old, new) = (before.index.serial, now.index.serial);
    if new > old || (new == old && before.text == now.text) {
        return Ok(());
    }
    let how =
        if new < old { "is older than the one that is known" } else { "has changed without a new serial" };
    Err(Error::new(Kind::Integrity, format!("the index \"{name}\" {how}"))
        .at("rollback")
        .because(format!("the serial was {old}, and is {new} now"))
        .fix("somebody may hold new versions back from you; ask its keeper, or try from another place"))
}

fn path(paths: &Paths) -> PathBuf {
    paths.config.join("indexes.toml")
}

fn cache(paths: &Paths, name: &str) -> PathBuf {
    paths.data.join("indexes").join(format!("{name}.index"))
}
