use std::fs::File;
use std::io::{self, Seek};
use std::path::PathBuf;
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files;
use crate::worker::Death;

/// Plugins that died and are put aside, until somebody tries them again or their library is another one.
#[derive(Debug, Clone)]
pub(crate) struct Quarantine {
    folder: PathBuf,
}

/// Why a plugin is put aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PutAside {
    /// What happened, in a few words that follow "its process".
    pub(crate) cause: String,
    /// When, RFC 3339.
    pub(crate) time: String,
    /// SHA-256 of the library that it was, hexadecimal.
    pub(crate) library: String,
    /// The last lines that it wrote to standard error.
    #[serde(default)]
    pub(crate) last_lines: Vec<String>,
}

impl Quarantine {
    pub(crate) fn new(state: &std::path::Path) -> Self {
        Self { folder: state.join("quarantine") }
    }

    /// Why a plugin is put aside, if it is; whatever its library is by now.
    pub(crate) fn of(&self, plugin: &str) -> Option<PutAside> {
        // One that cannot be read keeps nobody from trying again.
        let text = files::read(&self.path(plugin)).ok().flatten()?;
        serde_json::from_str(&text).ok()
    }

    /// The same of the library that is about to be opened: another one is given a chance.
    pub(super) fn of_library(&self, plugin: &str, library: &File) -> Option<PutAside> {
        let aside = self.of(plugin)?;
        if hash(library).is_ok_and(|hash| HEXLOWER.encode(&hash) == aside.library) {
            return Some(aside);
        }
        let _ = self.clear(plugin);
        None
    }

    pub(super) fn put(&self, plugin: &str, library: &File, death: &Death) -> Result<()> {
        let aside = PutAside {
            cause: death.cause.clone(),
            time: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            library: hash(library).map(|hash| HEXLOWER.encode(&hash)).unwrap_or_default(),
            last_lines: death.last_lines.clone(),
        };
        files::replace(&self.path(plugin), &serde_json::to_vec_pretty(&aside).unwrap_or_default())
    }

    /// Lets a plugin be tried again; whether it was put aside.
    pub(crate) fn clear(&self, plugin: &str) -> Result<bool> {
        let path = self.path(plugin);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::file("delete", &path, &error)),
        }
    }

    fn path(&self, plugin: &str) -> PathBuf {
        self.folder.join(format!("{plugin}.json"))
    }
}

/// SHA-256 of an open file, from its first byte on.
pub(super) fn hash(mut file: &File) -> io::Result<[u8; 32]> {
    file.rewind()?;
    files::sha256(file)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn another_library_is_given_a_chance() {
        let home = tempfile::tempdir().unwrap();
        let (quarantine, mut library) = (Quarantine::new(home.path()), tempfile::tempfile().unwrap());
        library.write_all(b"abc").unwrap();
        assert_eq!(quarantine.of("x"), None);
        let death = Death::of_test("died");
        quarantine.put("x", &library, &death).unwrap();
        let aside = quarantine.of_library("x", &library).unwrap();
        assert_eq!((aside.cause.as_str(), aside.last_lines), ("died", death.last_lines));
        // FIPS 180-2, B.1.
        assert_eq!(aside.library, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        library.write_all(b"d").unwrap();
        assert_eq!(quarantine.of_library("x", &library), None);
        assert_eq!(quarantine.of("x"), None);
    }

    #[test]
    fn it_can_be_tried_again() {
        let home = tempfile::tempdir().unwrap();
        let (quarantine, library) = (Quarantine::new(home.path()), tempfile::tempfile().unwrap());
        quarantine.put("x", &library, &Death::of_test("died")).unwrap();
        assert!(quarantine.clear("x").unwrap() && !quarantine.clear("x").unwrap());
        assert_eq!(quarantine.of_library("x", &library), None);
    }
}
