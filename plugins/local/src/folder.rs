use std::fmt;
use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};

use bitboot_plugin_api::{Error, ErrorKind, Locator, Result};
use tokio::fs;

use crate::entry::Entry;
use crate::sweep::{beside, discard, sweep};

/// The shared folder of entries.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(configured: Option<String>) -> Self {
        Self(configured.map_or_else(default_folder, PathBuf::from))
    }

    /// Makes sure that the folder is there and that nobody else may write in it.
    pub(crate) async fn prepare(&self) -> Result<()> {
        make_private(&self.0).await.map_err(|error| {
            Error::new(ErrorKind::Config, format!("the folder {} cannot be used", self.0.display()))
                .because(error.to_string())
                .fix("set another one: bitboot backend set local folder=/a/folder/of/yours")
        })
    }

    /// Writes an entry whole or not at all: readers see the old file or the new one.
    pub(crate) async fn put(&self, locator: &Locator, entry: &Entry) -> Result<()> {
        self.prepare().await?;
        let folder = self.0.join(locator.to_hex());
        let (path, bytes) = (folder.join(entry.file_name()), entry.to_bytes()?);
        let written = match write(&folder, &path, &bytes).await {
            // Another process swept the folder while it was empty.
            Err(error) if error.kind() == NotFound => write(&folder, &path, &bytes).await,
            written => written,
        };
        sweep(&self.0).await;
        Ok(written?)
    }

    /// Removes an entry; whether there was one.
    pub(crate) async fn remove(&self, locator: &Locator, entry: &Entry) -> Result<bool> {
        match fs::remove_file(self.0.join(locator.to_hex()).join(entry.file_name())).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The entries that have not expired; those that have are removed, and files that are no entries are passed over.
    pub(crate) async fn entries(&self, locator: &Locator) -> Result<Vec<Entry>> {
        self.prepare().await?;
        let mut files = match fs::read_dir(self.0.join(locator.to_hex())).await {
            Ok(files) => files,
            Err(error) if error.kind() == NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut entries = Vec::new();
        while let Some(file) = files.next_entry().await? {
            let path = file.path();
            match read(&path).await {
                Some(entry) if entry.is_expired() => discard(&path).await,
                Some(entry) => entries.push(entry),
                None => {}
            }
        }
        Ok(entries)
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

async fn write(folder: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder).await?;
    let unfinished = beside(path);
    fs::write(&unfinished, bytes).await?;
    fs::rename(&unfinished, path).await
}

pub(crate) async fn read(path: &Path) -> Option<Entry> {
    let about = fs::metadata(path).await.ok()?;
    let is_entry = about.is_file() && path.extension().is_some_and(|extension| extension == "json");
    if !is_entry || about.len() > Entry::MAX_FILE {
        return None;
    }
    Entry::of_bytes(&fs::read(path).await.ok()?)
}

/// One folder for all processes of a user, gone after a restart as the processes are.
fn default_folder() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute()) {
        Some(runtime) => runtime.join("bitboot").join("local"),
        // Elsewhere the temporary folder is the user's own (macOS, Windows) or everybody's (Linux without a session).
        // Directly in it, where the sticky bit keeps others from moving it away.
        None => std::env::temp_dir().join(format!("bitboot-local-{}", user())),
    }
}

#[cfg(unix)]
fn user() -> String {
    // The owner of a process' own entry in /proc or of its home tells the user without a system call of our own.
    use std::os::unix::fs::MetadataExt;
    let home = std::env::var_os("HOME").unwrap_or_default();
    let owner = std::fs::metadata("/proc/self").or_else(|_| std::fs::metadata(home));
    owner.map_or_else(|_| "user".into(), |about| about.uid().to_string())
}

#[cfg(not(unix))]
fn user() -> String {
    std::env::var("USERNAME").unwrap_or_else(|_| "user".into())
}

#[cfg(unix)]
async fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder).await?;
    let about = fs::symlink_metadata(folder).await?;
    let writable_by_others = about.permissions().mode() & 0o022 != 0;
    if writable_by_others || (about.uid() != 0 && user().parse() != Ok(about.uid())) {
        return Err(std::io::Error::other("it belongs to somebody else, or others may write in it"));
    }
    Ok(())
}

#[cfg(not(unix))]
async fn make_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder).await
}
