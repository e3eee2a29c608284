//! `bitboot.lock`: what was verified when it was installed, for every machine. Written by bitboot, sorted, one file for all plugins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Digest, PublisherKey, names, this_target};
use crate::error::{Error, Kind, Result};
use crate::files::{self, Locked as FileLock};
use crate::paths::Paths;

const FORM: u32 = 1;

/// The whole file.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lock {
    /// The form of the file.
    #[serde(default)]
    lock: u32,
    /// By name, then by version.
    #[serde(default, rename = "plugin")]
    pub(crate) plugins: BTreeMap<String, BTreeMap<String, Locked>>,
}

/// One version of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Locked {
    /// Where it came from.
    pub(crate) source: String,
    /// Who signed it; absent where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) publisher: Option<PublisherKey>,
    /// The API major version that it is built for.
    pub(crate) api: u32,
    /// By machine.
    pub(crate) targets: BTreeMap<String, Hashes>,
}

/// What was verified for one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hashes {
    /// Of the package.
    pub(crate) archive: Digest,
    /// Of the library in it.
    pub(crate) library: Digest,
    /// Of all else in it, by the files' names; known of machines on which it was unpacked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) files: BTreeMap<String, Digest>,
}

impl Hashes {
    pub(crate) fn new(archive: Digest, library: Digest) -> Self {
        Self { archive, library, files: BTreeMap::new() }
    }

    /// Whether both can be of the same package.
    fn fits(&self, other: &Self) -> bool {
        let unknown = self.files.is_empty() || other.files.is_empty();
        (self.archive, self.library) == (other.archive, other.library)
            && (unknown || self.files == other.files)
    }
}

impl Lock {
    pub(crate) fn read(paths: &Paths) -> Result<Self> {
        let path = path(paths);
        Self::parse(&files::read(&path)?.unwrap_or_default(), &path.display().to_string())
    }

    pub(crate) fn parse(text: &str, file: &str) -> Result<Self> {
        let refuse = |why: String| {
            Error::new(Kind::Integrity, format!("{file} cannot be read"))
                .at("lock")
                .because(why)
                .fix("put back the file that was there; or move it away and install the plugins again")
        };
        let lock: Self = toml::from_str(text).map_err(|error| refuse(error.message().into()))?;
        if lock.lock > FORM {
            return Err(refuse(format!("it has form {}, this bitboot reads form {FORM}", lock.lock)));
        }
        for (name, versions) in &lock.plugins {
            names::name(name).map_err(refuse)?;
            versions.keys().try_for_each(|version| names::version(version).map(drop)).map_err(refuse)?;
            let mut targets = versions.values().flat_map(|locked| locked.targets.keys());
            targets.try_for_each(|target| names::target(target)).map_err(refuse)?;
            let hashes = versions.values().flat_map(|locked| locked.targets.values());
            let mut files = hashes.flat_map(|hashes| hashes.files.keys());
            files.try_for_each(|file| names::file(file)).map_err(refuse)?;
        }
        Ok(lock)
    }

    /// Changes the file, with nobody else changing it meanwhile.
    pub(crate) fn change<T>(paths: &Paths, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let path = path(paths);
        let file = FileLock::new(path.clone())?;
        let before = Self::parse(&file.read()?.unwrap_or_default(), &path.display().to_string())?;
        let mut lock = Self { lock: FORM, ..before.clone() };
        let result = change(&mut lock)?;
        if lock != before {
            let text = toml::to_string(&lock)
                .map_err(|error| Error::new(Kind::Other, "bitboot.lock cannot be written").because(error))?;
            let head = "# What was verified when it was installed. Written by bitboot: a hash that is changed here is refused later.\n\n";
            file.replace(format!("{head}{text}").as_bytes())?;
        }
        Ok(result)
    }

    pub(crate) fn get(&self, name: &str, version: &str) -> Option<&Locked> {
        self.plugins.get(name)?.get(version)
    }

    /// What was verified of a version on this machine.
    pub(crate) fn vouched(&self, name: &str, version: &str) -> Result<(&Locked, &Hashes)> {
        let known =
            self.get(name, version).and_then(|locked| Some((locked, locked.targets.get(&this_target())?)));
        known.ok_or_else(|| {
            let what = format!("bitboot.lock knows nothing of {name} {version} on this machine");
            Error::new(Kind::Integrity, what)
                .at("lock")
                .because("only what was verified when it was installed is opened")
                .fix(format!("install it: bitboot plugin install {name}@{version}"))
        })
    }

    /// Holds a version against what was verified before. `None` is in order: it was never here.
    pub(crate) fn compare(&self, name: &str, version: &str, now: &Locked) -> Result<()> {
        let Some(before) = self.get(name, version) else { return Ok(()) };
        let refuse = |gate, what: String| {
            Err(Error::new(Kind::Integrity, format!("{name} {version} is not what it was: {what}"))
                .at(gate)
                .because("bitboot.lock tells what was verified before, and a version never changes")
                .fix(format!(
                    "ask its publisher; if it is in order, forget the old one: bitboot plugin remove {name}"
                )))
        };
        if before.publisher != now.publisher {
            return refuse("lock", "somebody else has signed it, or nobody has".into());
        }
        for (target, hashes) in &now.targets {
            if before.targets.get(target).is_some_and(|known| !known.fits(hashes)) {
                return refuse("lock", format!("the package for {target} is another one"));
            }
        }
        Ok(())
    }

    /// Adds what was verified, for machines that were not known before too.
    pub(crate) fn add(&mut self, name: &str, version: &str, mut now: Locked) {
        let versions = self.plugins.entry(name.to_owned()).or_default();
        for (target, known) in versions.remove(version).into_iter().flat_map(|before| before.targets) {
            let hashes = now.targets.entry(target).or_insert_with(|| known.clone());
            if hashes.files.is_empty() {
                hashes.files = known.files;
            }
        }
        versions.insert(version.to_owned(), now);
    }
}

fn path(paths: &Paths) -> std::path::PathBuf {
    paths.config.join("bitboot.lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(library: &[u8], target: &str) -> Locked {
        let hashes = Hashes::new(Digest::of(b"a"), Digest::of(library));
        Locked {
            source: "index:main".into(),
            publisher: None,
            api: 1,
            targets: [(target.into(), hashes)].into(),
        }
    }

    #[test]
    fn a_version_never_changes() {
        let mut lock = Lock::default();
        lock.add("demo", "1.0.0", locked(b"x", "x86_64-linux"));
        lock.compare("demo", "1.0.0", &locked(b"x", "x86_64-linux")).unwrap();
        lock.compare("demo", "1.0.1", &locked(b"y", "x86_64-linux")).unwrap();
        lock.compare("demo", "1.0.0", &locked(b"y", "aarch64-linux")).unwrap();
        let error = lock.compare("demo", "1.0.0", &locked(b"y", "x86_64-linux")).unwrap_err();
        assert_eq!((error.kind, error.gate), (Kind::Integrity, Some("lock")));
    }

    #[test]
    fn all_machines_are_kept_sorted() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::inside(home.path());
        for (name, target) in [("b", "x86_64-linux"), ("a", "x86_64-linux"), ("b", "aarch64-macos")] {
            Lock::change(&paths, |lock| {
                lock.add(name, "1.0.0", locked(b"x", target));
                Ok(())
            })
            .unwrap();
        }
        let lock = Lock::read(&paths).unwrap();
        assert_eq!(lock.plugins["b"]["1.0.0"].targets.len(), 2);
        let text = std::fs::read_to_string(path(&paths)).unwrap();
        assert!(text.find("[plugin.a").unwrap() < text.find("[plugin.b").unwrap(), "{text}");
        assert!(text.find("aarch64").unwrap() < text.rfind("x86_64").unwrap(), "{text}");
    }

    #[test]
    fn what_leads_elsewhere_is_no_lock() {
        for text in [
            "lock = 9",
            "[plugin.\"../x\".\"1.0.0\"]\nsource=\"\"\napi=1\ntargets={}",
            "[plugin.a.\"../..\"]\nsource=\"\"\napi=1\ntargets={}",
            &format!(
                "[plugin.a.\"1.0.0\"]\nsource=\"\"\napi=1\n[plugin.a.\"1.0.0\".targets.x86_64-linux]\narchive=\"{0}\"\nlibrary=\"{0}\"\nfiles={{\"../x\"=\"{0}\"}}",
                Digest::of(b"x")
            ),
        ] {
            assert_eq!(Lock::parse(text, "bitboot.lock").unwrap_err().gate, Some("lock"), "{text}");
        }
    }
}
