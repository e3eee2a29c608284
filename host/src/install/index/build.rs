use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::list::MAX_AGE;
use super::{FILE, Index, Listed, MAX_INDEX};
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::install::{Digest, MAX_RELEASE, Publisher, Release, SIGNATURE, SigningKey, names};
use crate::registry::is_entry_name;

/// Makes or renews the index of a folder: every signed release in it, and in its folders, is listed. Gives back the index.
pub(crate) fn build(folder: &Path, publisher: &str, key: &SigningKey, lasts: Duration) -> Result<Index> {
    if lasts >= MAX_AGE {
        return Err(
            Error::new(Kind::Usage, "an index lasts a year at most").fix("build it again from time to time")
        );
    }
    let file = folder.join(FILE);
    let before = files::read(&file)?.map(|text| Index::parse(text.as_bytes())).transpose()?;
    let serial = before.map_or(0, |before| before.serial) + 1;
    let mut releases = Vec::new();
    for path in release_files(folder)? {
        releases.push(listed(folder, &path)?);
    }
    releases.sort_by(|a, b| (&a.name, a.semver()).cmp(&(&b.name, b.semver())));
    let publisher = Publisher { name: publisher.into(), key: key.public().clone() };
    let index = Index::new(serial, SystemTime::now() + lasts, publisher, releases);
    let text = toml::to_string(&index)
        .map_err(|error| Error::new(Kind::Other, "the index cannot be written").because(error))?;
    if text.len() > MAX_INDEX {
        return Err(Error::new(Kind::Usage, "the index would be larger than 3 MiB").fix("make several"));
    }
    // Whoever would not believe it is told here, and not at the users'.
    Index::parse(text.as_bytes())?;
    let signature = key.sign(FILE, text.as_bytes())?;
    files::publish(&folder.join(format!("{FILE}.{SIGNATURE}")), signature.as_bytes())?;
    files::publish(&file, text.as_bytes())?;
    Ok(index)
}

/// The releases in a folder and in the folders in it that have plain names.
fn release_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = |folder: &Path| -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(folder).map_err(|error| Error::file("read", folder, &error))?;
        Ok(entries.flatten().map(|entry| entry.path()).collect())
    };
    let is_release = |path: &PathBuf| path.extension().is_some_and(|end| end == "release") && path.is_file();
    let mut found = Vec::new();
    for path in read(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && is_entry_name(&name) {
            found.extend(read(&path)?.into_iter().filter(is_release));
        } else if is_release(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn listed(folder: &Path, path: &Path) -> Result<Listed> {
    let shown = path.display().to_string();
    let text = files::read(path)?.unwrap_or_default();
    if text.len() > MAX_RELEASE {
        return Err(
            Error::new(Kind::Integrity, format!("{shown} is too large to be a release")).at("release")
        );
    }
    let release = Release::parse(text.as_bytes())
        .map_err(|error| Error { what: format!("{shown}: {}", error.what), ..error })?;
    let signature = files::read(&path.with_added_extension(SIGNATURE))?.unwrap_or_default();
    release.publisher.key.verify(&shown, text.as_bytes(), &signature)?;
    let wanted = release.file_name();
    if path.file_name().is_none_or(|name| name != wanted.as_str()) {
        return Err(Error::new(Kind::Usage, format!("{shown} has another name than its content"))
            .fix(format!("call it {wanted}")));
    }
    for archive in &release.archives {
        let package = path.with_file_name(names::package(&release.name, &release.version, &archive.target));
        let digest = fs::File::open(&package).and_then(Digest::of_reader);
        let digest = digest.map_err(|error| {
            Error::file("read", &package, &error).fix("put the packages beside the release")
        })?;
        if digest != archive.package {
            return Err(Error::new(
                Kind::Integrity,
                format!("{} is not what its release says", package.display()),
            )
            .at("archive")
            .fix("sign again, with the packages as they are: bitboot plugin sign"));
        }
    }
    let within = path.parent().filter(|parent| *parent != folder).and_then(Path::file_name);
    Ok(Listed {
        name: release.name,
        version: release.version,
        api: release.api,
        summary: release.summary,
        license: release.license,
        targets: release.archives.into_iter().map(|archive| archive.target).collect(),
        publisher: release.publisher,
        release: Digest::of(text.as_bytes()),
        folder: within.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    })
}
