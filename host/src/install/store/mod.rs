//! Where installed plugins lie: `<data>/plugins/NAME/VERSION/TARGET/`, versions side by side. Which one is used says the registry.

mod guard;
mod old;
mod stage;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

pub(super) use guard::file as guard_file;
pub(crate) use stage::Stage;

use super::{Digest, names};
use crate::error::{Error, Result};
use crate::files::{self, Locked};
use crate::paths::Paths;

/// The folder of installed plugins.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    plugins: PathBuf,
    /// Locks lie elsewhere, so that a plugin's folder holds nothing but the plugin.
    locks: PathBuf,
}

/// Sole right to install, switch or remove one plugin, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    _lock: Locked,
}

impl Store {
    pub(crate) fn new(paths: &Paths) -> Self {
        Self { plugins: paths.plugins(), locks: paths.state.join("plugins") }
    }

    /// Waits for the sole right to change a plugin.
    pub(crate) fn claim(&self, name: &str) -> Result<Claim> {
        Locked::new(self.locks.join(name)).map(|lock| Claim { _lock: lock })
    }

    /// Whether anything of a plugin is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.plugins.join(name).symlink_metadata().is_ok()
    }

    /// An empty folder in the same file system, for what is not in its place yet.
    pub(crate) fn stage(&self) -> Result<Stage> {
        Stage::new(&self.plugins, &self.locks)
    }

    /// The folder of one version on this machine.
    pub(crate) fn folder(&self, name: &str, version: &str) -> PathBuf {
        self.plugins.join(name).join(version).join(names::this_target())
    }

    /// The library of one version on this machine.
    pub(crate) fn library(&self, name: &str, version: &str) -> PathBuf {
        self.folder(name, version).join(names::library(name, &names::this_target()))
    }

    /// Refuses what somebody else could have changed: every folder on the way and the library itself.
    pub(crate) fn guard(&self, name: &str, version: &str) -> Result<()> {
        self.guard_folder(name, version)?;
        guard::file(name, &self.library(name, version))
    }

    /// The same of the folders alone.
    pub(super) fn guard_folder(&self, name: &str, version: &str) -> Result<()> {
        guard::folder(name, &self.plugins)?;
        let folder = self.folder(name, version);
        let below = folder.strip_prefix(&self.plugins).unwrap_or(&folder);
        let mut path = self.plugins.clone();
        for part in below.components() {
            path.push(part);
            guard::folder(name, &path)?;
        }
        Ok(())
    }

    /// All that lies in the folder of a version.
    pub(super) fn files(&self, name: &str, version: &str) -> Result<Vec<PathBuf>> {
        entries(&self.folder(name, version))
    }

    /// Puts a staged folder in its place. What lies there already and is whole stays, so that nobody who runs it sees a change.
    pub(crate) fn place(&self, _claim: &Claim, stage: &Stage, name: &str, version: &str) -> Result<PathBuf> {
        let to = self.folder(name, version);
        protect(stage.folder())?;
        if same(stage.folder(), &to) && self.guard(name, version).is_ok() {
            return Ok(self.library(name, version));
        }
        let above = to.parent().unwrap_or(&self.plugins);
        files::make_folder(above)?;
        let failed = |error: std::io::Error| Error::file("write", &to, &error);
        if to.symlink_metadata().is_ok() {
            // Broken, or left behind by an installation that was killed before it counted.
            fs::rename(&to, stage.aside()).map_err(failed)?;
        }
        fs::rename(stage.folder(), &to).map_err(failed)?;
        for folder in [above, above.parent().unwrap_or(above), &self.plugins] {
            files::sync_folder(folder);
        }
        Ok(self.library(name, version))
    }
}

/// Deletes all versions of a plugin.
pub(crate) fn delete_all(store: &Store, _claim: &Claim, name: &str) -> Result<()> {
    let folder = store.plugins.join(name);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("delete", &folder, &error))
        }
        _ => Ok(()),
    }
}

/// Nobody else reads the files and nobody writes them, not even their owner by mistake.
fn protect(folder: &Path) -> Result<()> {
    for file in entries(folder)? {
        set_mode(&file, 0o400)?;
    }
    set_mode(folder, 0o700)?;
    files::sync_folder(folder);
    Ok(())
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(path, mode).map_err(|error| Error::file("protect", path, &error))?;
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

/// Whether two folders hold the same files.
fn same(one: &Path, other: &Path) -> bool {
    let digests = |folder: &Path| -> Option<BTreeMap<OsString, Digest>> {
        let digest = |path: &PathBuf| {
            Some((path.file_name()?.into(), Digest::of_reader(File::open(path).ok()?).ok()?))
        };
        entries(folder).ok()?.iter().map(digest).collect()
    };
    digests(one).is_some_and(|files| digests(other) == Some(files))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = |folder| {
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<_>>()
    };
    read(folder).map_err(|error| Error::file("read", folder, &error))
}
