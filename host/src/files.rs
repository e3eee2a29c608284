//! Files that survive: written whole or not at all, by one process at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Kind, Result};

/// The largest file of ours that is read back: 4 MiB.
pub(crate) const MAX_READ: u64 = 4 << 20;

/// Sole right to change a file, held until it is dropped. The lock lies beside the file, so that the file itself can be replaced.
#[derive(Debug)]
pub(crate) struct Locked {
    path: PathBuf,
    _lock: File,
}

impl Locked {
    /// Waits for the right to change `path`; makes its folder where there is none.
    pub(crate) fn new(path: PathBuf) -> Result<Self> {
        let (beside, lock) = lock_of(&path)?;
        lock.lock().map_err(|error| Error::file("lock", &beside, &error))?;
        Ok(Self { path, _lock: lock })
    }

    /// The same without waiting: `None` while somebody else has it.
    pub(crate) fn attempt(path: PathBuf) -> Result<Option<Self>> {
        let (beside, lock) = lock_of(&path)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { path, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::file("lock", &beside, &error)),
        }
    }

    /// What is in the file; `None` where there is none.
    pub(crate) fn read(&self) -> Result<Option<String>> {
        read(&self.path)
    }

    /// Replaces the file: readers see the old one or the new one, also when the power fails in between.
    pub(crate) fn replace(&self, content: &[u8]) -> Result<()> {
        replace(&self.path, content)
    }
}

/// The file whose lock is the right to change another one, and where it is.
fn lock_of(path: &Path) -> Result<(PathBuf, File)> {
    make_folder(folder_of(path))?;
    let beside = path.with_added_extension("lock");
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&beside);
    let lock = lock.map_err(|error| Error::file("open the lock", &beside, &error))?;
    Ok((beside, lock))
}

/// What is in a text file of ours; `None` where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<String>> {
    match fs::metadata(path) {
        Ok(about) if about.len() > MAX_READ => {
            Err(Error::new(Kind::Config, format!("{} is larger than 4 MiB", path.display()))
                .fix("is it the file that you meant?"))
        }
        Ok(_) => fs::read_to_string(path).map(Some).map_err(|error| Error::file("read", path, &error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", path, &error)),
    }
}

/// The text on standard input, which may be as long as a file.
pub(crate) fn read_stdin() -> Result<String> {
    let mut text = String::new();
    let read = io::Read::take(io::stdin().lock(), MAX_READ + 1).read_to_string(&mut text);
    match read {
        Ok(length) if length as u64 > MAX_READ => {
            Err(Error::new(Kind::Usage, "there is more than 4 MiB on the standard input"))
        }
        Ok(_) => Ok(text),
        Err(error) => Err(Error::file("read", Path::new("the standard input"), &error)),
    }
}

/// Writes a file whole or not at all; nobody but the user can read it.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    write(path, content, &tempfile::Builder::new())
}

/// Writes a file that others are to read, whole or not at all.
pub(crate) fn publish(path: &Path, content: &[u8]) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The user's umask has the last word.
        write(path, content, tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o666)))
    }
    #[cfg(not(unix))]
    replace(path, content)
}

fn write(path: &Path, content: &[u8], how: &tempfile::Builder<'_, '_>) -> Result<()> {
    let folder = folder_of(path);
    make_folder(folder)?;
    let failed = |error: io::Error| Error::file("write", path, &error);
    let mut unfinished = how.tempfile_in(folder).map_err(failed)?;
    unfinished.write_all(content).map_err(failed)?;
    unfinished.as_file().sync_all().map_err(failed)?;
    unfinished.persist(path).map_err(|error| failed(error.error))?;
    sync_folder(folder);
    Ok(())
}

/// Deletes a file; whether there was one.
pub(crate) fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => {
            sync_folder(folder_of(path));
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::file("delete", path, &error)),
    }
}

/// Adds a line to a file that only the user can read, and sees it on the disk. Lines of several processes do not mix.
pub(crate) fn append(path: &Path, line: &str) -> Result<()> {
    make_folder(folder_of(path))?;
    let failed = |error: io::Error| Error::file("write", path, &error);
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_data()).map_err(failed)
}

/// A folder that only the user can look into.
pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| Error::file("make the folder", folder, &error))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The rename itself has to reach the disk too. Not every file system can, and then there is nothing better to do.
pub(crate) fn sync_folder(folder: &Path) {
    #[cfg(unix)]
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    #[cfg(not(unix))]
    let _ = folder;
}
/// SHA-256 of all that can be read, without holding it in memory.
pub(crate) fn sha256(mut from: impl io::Read) -> io::Result<[u8; 32]> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(size) => hash.update(&piece[..size]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
