//! From a plugin's entry in the registry to the library that may be opened.

use std::path::PathBuf;

use crate::error::{Error, Kind, Result};
use crate::install::{Lock, Store, Trust};
use crate::loader;
use crate::paths::Paths;
use crate::registry::PluginEntry;

/// Where a library comes from, which decides what is known about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provenance {
    /// It came with bitboot.
    Shipped,
    /// A path of an author, taken as it is.
    Dev,
    /// It was installed from a package, and has its line in `bitboot.lock`.
    Installed,
}

/// A library and the SHA-256 that it has to have when it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vouched {
    pub(crate) path: PathBuf,
    /// `None` for what came with bitboot and for what an author is working on.
    pub(crate) expected: Option<[u8; 32]>,
}

pub(crate) fn provenance(plugin: &PluginEntry) -> Option<Provenance> {
    let PluginEntry { path, library, version, .. } = plugin;
    match (path, library, version) {
        (Some(_), ..) => Some(Provenance::Dev),
        (None, Some(_), _) => Some(Provenance::Shipped),
        (None, None, Some(_)) => Some(Provenance::Installed),
        (None, None, None) => None,
    }
}

/// Where the library of a registered plugin lies. Nothing of it is checked.
pub(crate) fn library(paths: &Paths, name: &str, plugin: &PluginEntry) -> Result<PathBuf> {
    match (&plugin.path, &plugin.library, &plugin.version) {
        (Some(path), ..) => Ok(path.clone()),
        (_, Some(library), _) => shipped(name, library),
        (_, _, Some(version)) => {
            crate::install::version(version).map_err(|why| {
                Error::new(Kind::Config, format!("plugin \"{name}\" has no proper version in the registry"))
                    .because(why)
                    .fix(format!("install it again: bitboot plugin install {name}"))
            })?;
            Ok(Store::new(paths).library(name, version))
        }
        _ => {
            let what = format!("plugin \"{name}\" names neither a path nor a library");
            Err(Error::new(Kind::Config, what).fix("install it: bitboot plugin install LIBRARY"))
        }
    }
}

/// The library of a registered plugin, if it may be opened: it lies safely, its hash is known, and its publisher is not revoked.
pub(crate) fn vouched(paths: &Paths, name: &str, plugin: &PluginEntry) -> Result<Vouched> {
    let path = library(paths, name, plugin)?;
    let (Some(Provenance::Installed), Some(version)) = (provenance(plugin), &plugin.version) else {
        return Ok(Vouched { path, expected: None });
    };
    let lock = Lock::read(paths)?;
    let (locked, hashes) = lock.vouched(name, version)?;
    if let Some(publisher) = &locked.publisher {
        Trust::read(paths)?.not_revoked(name, publisher)?;
    }
    Store::new(paths).guard(name, version)?;
    Ok(Vouched { path, expected: Some(hashes.library.bytes()) })
}

fn shipped(name: &str, library: &str) -> Result<PathBuf> {
    loader::find(library).ok_or_else(|| {
        let places = loader::candidates(library);
        let folders = places.iter().filter_map(|path| path.parent()).map(|folder| folder.display().to_string()).collect::<Vec<_>>();
        Error::new(Kind::Plugin, format!("the library {} of plugin \"{name}\" is not there", loader::file_name(library)))
            .because(format!("it was looked for in {}", folders.join(", ")))
            .fix("install bitboot whole (cargo xtask install), or the plugin by hand: bitboot plugin install LIBRARY")
    })
}
