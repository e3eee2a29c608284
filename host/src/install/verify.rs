//! Whether an installed version still is what was verified when it was installed. Nothing of it is run.

use std::fs::File;
use std::io;
use std::path::Path;

use super::lock::{Hashes, Locked};
use super::proof::Proof;
use super::store::{Store, guard_file};
use super::{Digest, PublisherKey, Trust, names};
use crate::error::{Error, Kind, Result};
use crate::paths::Paths;

/// What became of holding a version against `bitboot.lock` and its release.
pub(crate) struct Verified {
    /// How many files were held against their hashes.
    pub(crate) files: usize,
    /// Who signed it; `None` where nobody did.
    pub(crate) publisher: Option<PublisherKey>,
    /// All that differs.
    pub(crate) wrong: Vec<Error>,
}

/// Holds a version on this machine against all that is known of it: each file, who could change it, the signature of its release, and whether
/// its publisher is trusted.
///
/// # Errors
/// When the lock cannot be read, or knows nothing of it.
pub(crate) fn verify(paths: &Paths, name: &str, version: &str) -> Result<Verified> {
    let lock = super::Lock::read(paths)?;
    let (locked, hashes) = lock.vouched(name, version)?;
    let installed = Installed { store: Store::new(paths), name, version };
    let mut wrong = Vec::new();
    wrong.extend(locked.publisher.as_ref().and_then(|key| trusted(paths, name, key).err()));
    // What lies where others can change it, or is not there, is not looked into.
    match installed.store.guard_folder(name, version) {
        Err(error) => wrong.push(error),
        Ok(()) => wrong.extend(installed.differences(hashes, locked)),
    }
    let files = hashes.files.len() + 1;
    let publisher = locked.publisher.clone();
    let wrong = wrong.into_iter().map(|error| with_way_out(error, name, version)).collect();
    Ok(Verified { files, publisher, wrong })
}

/// Somebody decided that the key counts, and did not take that back.
fn trusted(paths: &Paths, name: &str, key: &PublisherKey) -> Result<()> {
    let trust = Trust::read(paths)?;
    trust.not_revoked(name, key)?;
    if trust.publishers.contains_key(key) {
        return Ok(());
    }
    Err(Error::new(Kind::Integrity, format!("the publisher of \"{name}\" is not trusted any more"))
        .at("untrusted")
        .because(format!("trust.toml does not have the key {key}"))
        .fix(format!("trust it again: bitboot trust add {key} --plugin {name}")))
}

fn with_way_out(error: Error, name: &str, version: &str) -> Error {
    let again = format!("install it again: bitboot plugin install {name}@{version} --locked");
    if error.fix.is_some() { error } else { error.fix(again) }
}

struct Installed<'a> {
    store: Store,
    name: &'a str,
    version: &'a str,
}

impl Installed<'_> {
    fn differences(&self, hashes: &Hashes, locked: &Locked) -> Vec<Error> {
        let folder = self.store.folder(self.name, self.version);
        let library = names::library(self.name, &names::this_target());
        let mut wrong = Vec::new();
        if hashes.files.is_empty() {
            wrong.push(differs("lock", "bitboot.lock says nothing of the files beside the library"));
        }
        wrong.extend(self.file(&folder.join(&library), hashes.library, "library-hash").err());
        for (file, digest) in &hashes.files {
            wrong.extend(self.file(&folder.join(file), *digest, "file-hash").err());
        }
        let proof = locked.publisher.as_ref().map(|_| Proof::files(self.name, self.version));
        let is_known = |file: &str| {
            file == library
                || hashes.files.contains_key(file)
                || proof.iter().flatten().any(|known| known == file)
        };
        match self.store.files(self.name, self.version) {
            Err(error) => wrong.push(error),
            Ok(there) => {
                let strays = there.iter().filter(|path| !is_known(&file_name(path)));
                wrong.extend(strays.map(|path| stray(path)));
            }
        }
        wrong.extend(locked.publisher.as_ref().and_then(|key| self.signed(&folder, key, hashes).err()));
        wrong
    }

    /// One file, which nobody else could have changed and which has the hash that it had.
    fn file(&self, path: &Path, wanted: Digest, gate: &'static str) -> Result<()> {
        if path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            let what = format!("{} is missing, which came with plugin \"{}\"", path.display(), self.name);
            return Err(differs("missing", &what));
        }
        guard_file(self.name, path)?;
        let digest = File::open(path).and_then(Digest::of_reader);
        let digest = digest.map_err(|error| Error::file("read", path, &error))?;
        if digest == wanted {
            return Ok(());
        }
        let what = format!("{} was changed after it was installed", path.display());
        Err(differs(gate, &what).because(format!("it has the hash {digest}, and had {wanted}")))
    }

    /// The publisher's own word, as it was signed: the lock could have been changed together with the files.
    fn signed(&self, folder: &Path, key: &PublisherKey, hashes: &Hashes) -> Result<()> {
        let [file, _] = Proof::files(self.name, self.version);
        let release = Proof::read(folder, self.name, self.version)?
            .of(key, &file)
            .map_err(|error| Error { fix: None, ..error })?;
        let archive = release.archive(&names::this_target())?;
        let said = (release.name.as_str(), release.version.as_str(), archive.package, archive.library);
        if said == (self.name, self.version, hashes.archive, hashes.library) {
            return Ok(());
        }
        Err(differs("release", "bitboot.lock says something else than the publisher has signed"))
    }
}

fn differs(gate: &'static str, what: &str) -> Error {
    Error::new(Kind::Integrity, what).at(gate)
}

fn stray(path: &Path) -> Error {
    let what = format!("{} did not come with the plugin", path.display());
    differs("stray", &what).fix(format!("see what it is, and delete it: {}", path.display()))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
