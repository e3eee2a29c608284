//! Versions that nobody uses or goes back to make room.

use std::fs::{self, File};

use super::{Claim, Store};
use crate::error::{Error, Result};
use crate::files;

impl Store {
    /// Deletes the versions of a plugin on this machine but those to keep, and those that a running bitboot has open or that cannot be deleted:
    /// they go another time. Tells which are gone, and why others are not.
    pub(crate) fn delete_others(
        &self,
        _claim: &Claim,
        name: &str,
        keep: &[String],
    ) -> Result<(Vec<String>, Vec<Error>)> {
        let old: Vec<_> = self.versions(name).into_iter().filter(|version| !keep.contains(version)).collect();
        let (mut gone, mut stay) = (Vec::new(), Vec::new());
        if old.is_empty() {
            return Ok((gone, stay));
        }
        // Out of its place in one step, so that a process that is killed leaves no half of a version there.
        let stage = self.stage()?;
        for version in old {
            let (folder, all_machines) =
                (self.folder(name, &version), self.plugins.join(name).join(&version));
            if folder.exists() {
                if self.is_open(name, &version) {
                    continue;
                }
                let away = stage.beside(&version);
                if let Err(error) = fs::rename(&folder, away) {
                    stay.push(Error::file("delete", &folder, &error));
                    continue;
                }
            }
            // A folder that several machines share has theirs beside it.
            if fs::remove_dir(&all_machines).is_ok() {
                gone.push(version);
            }
        }
        files::sync_folder(&self.plugins.join(name));
        Ok((gone, stay))
    }

    fn versions(&self, name: &str) -> Vec<String> {
        let there = fs::read_dir(self.plugins.join(name)).into_iter().flatten().flatten();
        let mut versions: Vec<_> = there.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        versions.retain(|version| super::names::version(version).is_ok());
        versions.sort();
        versions
    }

    /// Whether a bitboot holds the library, as its loader does. One that cannot be asked about is believed to be held.
    fn is_open(&self, name: &str, version: &str) -> bool {
        let Ok(library) = File::open(self.library(name, version)) else { return false };
        cfg!(unix) && library.try_lock().is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::Paths;

    #[test]
    fn what_is_kept_or_open_stays() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::inside(home.path());
        let store = Store::new(&paths);
        for version in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
            fs::create_dir_all(store.folder("demo", version)).unwrap();
            fs::write(store.library("demo", version), "x").unwrap();
        }
        // Another machine's, in the same home.
        fs::create_dir(store.folder("demo", "1.1.0").with_file_name("pdp11-unix")).unwrap();
        let open = File::open(store.library("demo", "1.0.0")).unwrap();
        open.lock_shared().unwrap();
        let claim = store.claim("demo").unwrap();
        let keep = ["1.3.0".to_owned(), "1.2.0".to_owned()];
        let gone = store.delete_others(&claim, "demo", &keep).unwrap().0;
        assert_eq!(gone, if cfg!(unix) { vec![] } else { vec!["1.0.0".to_owned()] });
        assert!(!store.folder("demo", "1.1.0").exists());
        assert_eq!(store.versions("demo").len(), 4);
        drop(open);
        assert_eq!(store.delete_others(&claim, "demo", &keep).unwrap().0, ["1.0.0"]);
        assert_eq!(store.versions("demo"), ["1.1.0", "1.2.0", "1.3.0"]);
        assert_eq!(fs::read_dir(paths.plugins().join(".stage")).unwrap().count(), 0);
    }
}
