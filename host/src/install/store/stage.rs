use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::files::{Locked, make_folder};

/// A folder for what is not in its place yet. It goes when it is dropped; what a killed process left goes when the next one is made.
pub(crate) struct Stage {
    content: PathBuf,
    folder: TempDir,
    /// Held as long as somebody works in it.
    _alive: File,
}

impl Stage {
    pub(super) fn new(plugins: &Path, locks: &Path) -> Result<Self> {
        let stages = plugins.join(".stage");
        make_folder(&stages)?;
        // Held while a stage is made, so that nobody sweeps one away that is not locked yet.
        let _making = Locked::new(locks.join(".stage"))?;
        sweep(&stages);
        let failed = |error: std::io::Error| Error::file("write in", &stages, &error);
        let folder = TempDir::new_in(&stages).map_err(failed)?;
        let alive = File::create(alive_in(folder.path())).map_err(failed)?;
        alive.lock().map_err(failed)?;
        let content = folder.path().join("content");
        make_folder(&content)?;
        Ok(Self { content, folder, _alive: alive })
    }

    /// What becomes the plugin's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.content
    }

    /// A file beside it, for what is only on its way.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where something broken is put, to be deleted with the stage.
    pub(super) fn aside(&self) -> PathBuf {
        self.beside("aside")
    }
}

/// Deletes the stages of processes that are gone: the system lets go of their locks.
fn sweep(stages: &Path) {
    for stage in fs::read_dir(stages).into_iter().flatten().flatten() {
        let alive = OpenOptions::new().write(true).open(alive_in(&stage.path()));
        let is_used = alive.is_ok_and(|alive| matches!(alive.try_lock(), Err(TryLockError::WouldBlock)));
        if !is_used {
            // What cannot be deleted now is tried again by the next one.
            let _ = fs::remove_dir_all(stage.path());
        }
    }
}

fn alive_in(stage: &Path) -> PathBuf {
    stage.join("alive")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_swept_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let (plugins, locks) = (home.path().join("plugins"), home.path().join("locks"));
        let used = Stage::new(&plugins, &locks).unwrap();
        fs::write(used.folder().join("x"), "x").unwrap();
        let left = plugins.join(".stage/left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("alive"), "").unwrap();
        fs::write(left.join("half"), "x").unwrap();
        let other = Stage::new(&plugins, &locks).unwrap();
        assert!(!left.exists() && used.folder().join("x").exists());
        drop((used, other));
        assert_eq!(fs::read_dir(plugins.join(".stage")).unwrap().count(), 0);
    }
}
