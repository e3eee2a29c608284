//! Whether somebody else could have changed a file. Told before the file is opened.

use std::fs;
use std::path::Path;

use crate::error::{Error, Kind, Result};

/// A folder that is the user's own, no link, and that nobody else can write into.
pub(super) fn folder(plugin: &str, path: &Path) -> Result<()> {
    let about = look(plugin, path)?;
    if !about.is_dir() {
        return Err(refuse(plugin, path, "is no folder, but should be one"));
    }
    ours(plugin, path, &about)
}

/// A file that is the user's own, no link, and that nobody else can write.
pub(in crate::install) fn file(plugin: &str, path: &Path) -> Result<()> {
    let about = look(plugin, path)?;
    if !about.is_file() {
        return Err(refuse(plugin, path, "is no plain file, but should be one"));
    }
    ours(plugin, path, &about)
}

fn look(plugin: &str, path: &Path) -> Result<fs::Metadata> {
    fs::symlink_metadata(path).map_err(|error| {
        Error::new(Kind::Plugin, format!("plugin \"{plugin}\" is not installed on this machine"))
            .at("missing")
            .because(format!("{}: {error}", path.display()))
            .fix(format!("install it again: bitboot plugin install {plugin} --locked"))
    })
}

#[cfg(unix)]
fn ours(plugin: &str, path: &Path, about: &fs::Metadata) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid().as_raw();
    if about.uid() != user {
        return Err(refuse(plugin, path, &format!("belongs to the user {}, not to {user}", about.uid())));
    }
    if about.mode() & 0o022 != 0 {
        return Err(refuse(
            plugin,
            path,
            &format!("can be written by others (mode {:o})", about.mode() & 0o777),
        ));
    }
    Ok(())
}

/// There the folder of the user is what keeps others out.
#[cfg(not(unix))]
fn ours(_plugin: &str, _path: &Path, _about: &fs::Metadata) -> Result<()> {
    Ok(())
}

fn refuse(plugin: &str, path: &Path, why: &str) -> Error {
    Error::new(Kind::Integrity, format!("plugin \"{plugin}\" does not lie safely"))
        .at("store")
        .because(format!("{} {why}", path.display()))
        .fix(format!("install it again: bitboot plugin remove {plugin}, then bitboot plugin install"))
}
