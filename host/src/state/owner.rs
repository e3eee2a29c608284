use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::files;

/// One who keeps an announcement alive. It runs for as long as the file of its name is locked: the system lets go of a lock with the process
/// that holds it, however that ends, and tells so to every other process, of whatever container, and on every system alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// The process' number, where it runs.
    pub(crate) pid: u32,
    /// 16 hexadecimal digits that no other owner has.
    #[serde(default)]
    lock: String,
}

impl Owner {
    /// Whether it still runs. What cannot be known is believed to run.
    pub(super) fn runs(&self, folder: &Path) -> bool {
        // Written by no bitboot: it must not name a file elsewhere.
        if self.lock.is_empty() || !self.lock.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return false;
        }
        is_held(&folder.join(&self.lock))
    }
}

/// The life of an owner: it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Alive {
    owner: Owner,
    path: PathBuf,
    _lock: File,
}

impl Alive {
    /// A new owner, in this process. Only who has the journal for himself makes one, see [`sweep`].
    pub(super) fn new(folder: &Path) -> Result<Self> {
        files::make_folder(folder)?;
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|error| Error::new(Kind::Other, "the system gives no random bytes").because(error))?;
        let lock = data_encoding::HEXLOWER.encode(&random);
        let path = folder.join(&lock);
        let failed = |error: io::Error| Error::file("lock", &path, &error);
        let file = OpenOptions::new().create_new(true).write(true).open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Self { owner: Owner { pid: std::process::id(), lock }, path, _lock: file })
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        // What cannot be deleted is swept away later.
        let _ = fs::remove_file(&self.path);
    }
}

/// Deletes the files of owners that have died. Only who has the journal for himself does: between its making and its lock a file is in nobody's hands.
pub(super) fn sweep(folder: &Path) {
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !is_held(&file.path()) {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// Shared, so that two that look at once do not take each other for the owner.
fn is_held(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
        },
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_runs_until_its_life_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = [(); 2].map(|()| Alive::new(folder.path()).unwrap());
        let gone = one.owner().clone();
        assert!(gone != *other.owner() && gone.runs(folder.path()) && gone.runs(folder.path()));
        drop(one);
        assert!(!gone.runs(folder.path()) && other.owner().runs(folder.path()));
        for elsewhere in ["", "../x", "/etc/passwd"] {
            assert!(!Owner { pid: 1, lock: elsewhere.into() }.runs(folder.path()));
        }
    }

    #[test]
    fn what_the_dead_left_is_swept_away() {
        let folder = tempfile::tempdir().unwrap();
        let alive = Alive::new(folder.path()).unwrap();
        fs::write(folder.path().join("0123456789abcdef"), "").unwrap();
        sweep(folder.path());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(alive.owner().runs(folder.path()));
    }
}
