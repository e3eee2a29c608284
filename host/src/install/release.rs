//! A release: what a publisher says of one version of a plugin, for every machine, under one signature.

use std::collections::BTreeSet;

use semver::Version;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Digest, PublisherKey, names};
use crate::error::{Error, Kind, Result};
use crate::loader::Asks;

/// The largest release file that is read: 64 KiB.
pub(crate) const MAX_RELEASE: usize = 64 << 10;
/// More machines than there are.
const MAX_ARCHIVES: usize = 64;
const FORM: u32 = 1;

/// What is signed. Unknown fields are a newer bitboot's and are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    /// The form of the file.
    #[serde(rename = "release")]
    form: u32,
    pub(crate) name: String,
    pub(crate) version: String,
    /// The API major version that it is built for.
    pub(crate) api: u32,
    #[serde(default)]
    pub(crate) summary: String,
    #[serde(default)]
    pub(crate) license: String,
    pub(crate) publisher: Publisher,
    #[serde(default)]
    pub(crate) asks: Asks,
    #[serde(rename = "archive")]
    pub(crate) archives: Vec<Archive>,
}

/// Who signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Publisher {
    /// What the publisher calls itself; nobody has checked it.
    pub(crate) name: String,
    pub(crate) key: PublisherKey,
}

/// One machine's package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Archive {
    /// Such as `x86_64-linux`.
    pub(crate) target: String,
    /// Bytes.
    pub(crate) size: u64,
    /// Of the package.
    #[serde(rename = "archive")]
    pub(crate) package: Digest,
    /// Of the library in it.
    pub(crate) library: Digest,
}

/// Reads TOML of a stranger, of at most so many bytes.
pub(super) fn bounded<T: DeserializeOwned>(text: &[u8], most: usize, in_words: &str) -> Result<T, String> {
    if text.len() > most {
        return Err(format!("it is larger than {in_words}"));
    }
    let text = std::str::from_utf8(text).map_err(|_| "it is no text")?;
    toml::from_str(text).map_err(|error| error.message().into())
}

impl Publisher {
    /// A publisher's name is shown in sentences and tables: it is short and plain.
    pub(crate) fn is_name(text: &str) -> Result<(), String> {
        let plain = |c: char| !c.is_control() && !"\"'`$\\".contains(c);
        if (1..=64).contains(&text.chars().count()) && text.chars().all(plain) {
            return Ok(());
        }
        Err("a publisher's name is 1 to 64 characters, without quotes, $ and \\".into())
    }
}

impl Release {
    pub(crate) fn new(
        about: &crate::loader::Manifest,
        publisher: Publisher,
        mut archives: Vec<Archive>,
    ) -> Self {
        archives.sort_by(|a, b| a.target.cmp(&b.target));
        Self {
            form: FORM,
            name: about.name.clone(),
            version: about.version.clone(),
            api: about.api,
            summary: about.summary.clone(),
            license: about.license.clone(),
            publisher,
            asks: about.asks.clone(),
            archives,
        }
    }

    /// Reads a release, and believes only what is within bounds.
    pub(crate) fn parse(text: &[u8]) -> Result<Self> {
        let refuse = |why: String| {
            Error::new(Kind::Integrity, "the release cannot be read")
                .at("release")
                .because(why)
                .fix("get it again, from the publisher")
        };
        let release: Self = bounded(text, MAX_RELEASE, "64 KiB").map_err(refuse)?;
        release.check().map_err(refuse)?;
        Ok(release)
    }

    fn check(&self) -> Result<(), String> {
        if self.form != FORM {
            return Err(format!("it has form {}, this bitboot reads form {FORM}", self.form));
        }
        names::name(&self.name)?;
        Publisher::is_name(&self.publisher.name)?;
        self.semver()?;
        let targets: BTreeSet<_> = self.archives.iter().map(|archive| archive.target.as_str()).collect();
        if self.archives.is_empty()
            || self.archives.len() > MAX_ARCHIVES
            || targets.len() != self.archives.len()
        {
            return Err("it names no package, or several for one machine".into());
        }
        targets.into_iter().try_for_each(names::target)?;
        let too_large = self.archives.iter().any(|archive| archive.size > super::package::MAX_ARCHIVE);
        if too_large { Err("a package of it is larger than any may be".into()) } else { Ok(()) }
    }

    fn semver(&self) -> Result<Version, String> {
        names::version(&self.version)
    }

    pub(crate) fn to_text(&self) -> Result<String> {
        toml::to_string(self)
            .map_err(|error| Error::new(Kind::Other, "the release cannot be written").because(error))
    }

    /// The package for a machine.
    pub(crate) fn archive(&self, target: &str) -> Result<&Archive> {
        self.archives.iter().find(|archive| archive.target == target).ok_or_else(|| {
            let has: Vec<_> = self.archives.iter().map(|archive| archive.target.as_str()).collect();
            Error::new(Kind::Integrity, format!("{} {} has no package for {target}", self.name, self.version))
                .at("target")
                .because(format!("it has packages for {}", has.join(", ")))
                .fix("ask its publisher for one, or build it from its source")
        })
    }

    /// The name of the file with this release, such as `foo-1.0.0.release`.
    pub(crate) fn file_name(&self) -> String {
        names::release(&self.name, &self.version)
    }
}
