//! Where installed libraries lie: `<data>/plugins/NAME/VERSION/TARGET/`, versions side by side.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::files::make_folder;
use crate::loader::{Manifest, TARGET, file_name};
use crate::paths::Paths;

/// A library that is copied but not yet in use. Dropping it deletes the copy.
pub(crate) struct Staged {
    _folder: TempDir,
    library: PathBuf,
    /// The version's own folder.
    to: PathBuf,
}

/// Copies a library into the file system in which it is to lie.
pub(crate) fn stage(paths: &Paths, manifest: &Manifest, given: &Path) -> Result<Staged> {
    let (arch, os) = TARGET;
    let to = paths.plugins().join(&manifest.name).join(&manifest.version).join(format!("{arch}-{os}"));
    let beside = paths.plugins();
    make_folder(&beside)?;
    let folder = TempDir::new_in(&beside).map_err(|error| Error::file("write in", &beside, &error))?;
    let library = folder.path().join(file_name(&manifest.name));
    fs::copy(given, &library).map_err(|error| Error::file("copy", given, &error))?;
    protect(&library)?;
    Ok(Staged { _folder: folder, library, to })
}

impl Staged {
    pub(crate) fn library(&self) -> &Path {
        &self.library
    }

    /// Puts it in its place, in one step. A process that runs the old library of the same version keeps it: its file is replaced, not changed.
    pub(crate) fn keep(self) -> Result<PathBuf> {
        make_folder(&self.to)?;
        let library = self.to.join(self.library.file_name().unwrap_or_default());
        fs::rename(&self.library, &library).map_err(|error| Error::file("write", &library, &error))?;
        Ok(library)
    }
}

/// Deletes all versions of a plugin.
pub(crate) fn delete(paths: &Paths, name: &str) -> Result<()> {
    let folder = paths.plugins().join(name);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("delete", &folder, &error))
        }
        _ => Ok(()),
    }
}

/// Nobody else reads it and nobody writes it, not even its owner by mistake.
fn protect(library: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::Permissions::from_mode(0o400);
        fs::set_permissions(library, mode).map_err(|error| Error::file("protect", library, &error))?;
    }
    #[cfg(not(unix))]
    let _ = library;
    Ok(())
}
