use std::time::{Duration, SystemTime};

use semver::Version;
use serde::{Deserialize, Serialize};

use super::{FILE, MAX_INDEX};
use crate::error::{Error, Kind, Result};
use crate::install::release::bounded;
use crate::install::{Digest, Fetcher, Place, Publisher, PublisherKey, SIGNATURE, names};
use crate::registry::is_entry_name;

const FORM: u32 = 1;
/// The longest that an index is believed: a year and a day.
pub(super) const MAX_AGE: Duration = Duration::from_secs(367 * 86_400);

/// An index. Unknown fields are a newer bitboot's and are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Index {
    /// The form of the file.
    #[serde(rename = "index")]
    form: u32,
    /// Rises with each change.
    pub(crate) serial: u64,
    /// When it ends, RFC 3339.
    pub(crate) expires: String,
    pub(crate) publisher: Publisher,
    #[serde(default, rename = "release")]
    pub(crate) releases: Vec<Listed>,
}

/// One release in an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) api: u32,
    #[serde(default)]
    pub(crate) summary: String,
    #[serde(default)]
    pub(crate) license: String,
    /// The machines that it has packages for.
    #[serde(default)]
    pub(crate) targets: Vec<String>,
    /// Who signed the release, which need not be who signed the index.
    pub(crate) publisher: Publisher,
    /// Of the release file.
    pub(crate) release: Digest,
    /// The folder in the index' own one in which the files lie; none for the same one.
    #[serde(default)]
    pub(crate) folder: String,
}

/// An index with the bytes that were signed.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) index: Index,
    pub(super) text: Vec<u8>,
    pub(super) signature: String,
}

impl Index {
    pub(super) fn new(serial: u64, expires: SystemTime, publisher: Publisher, releases: Vec<Listed>) -> Self {
        let expires = humantime::format_rfc3339_seconds(expires).to_string();
        Self { form: FORM, serial, expires, publisher, releases }
    }

    /// Reads an index, and believes only what is within bounds.
    pub(crate) fn parse(text: &[u8]) -> Result<Self> {
        let refuse = |why: String| {
            Error::new(Kind::Integrity, "the index cannot be read")
                .at("index")
                .because(why)
                .fix("tell whoever keeps the index")
        };
        let index: Self = bounded(text, MAX_INDEX, "3 MiB").map_err(refuse)?;
        index.check().map_err(refuse)?;
        Ok(index)
    }

    fn check(&self) -> Result<(), String> {
        if self.form != FORM {
            return Err(format!("it has form {}, this bitboot reads form {FORM}", self.form));
        }
        self.ends().ok_or("the day on which it ends is no date")?;
        Publisher::is_name(&self.publisher.name)?;
        for listed in &self.releases {
            Publisher::is_name(&listed.publisher.name)?;
            names::name(&listed.name)?;
            names::version(&listed.version)?;
            listed.targets.iter().try_for_each(|target| names::target(target))?;
            if !listed.folder.is_empty() && !is_entry_name(&listed.folder) {
                return Err("a folder in it is no plain name".into());
            }
        }
        let mut versions: Vec<_> =
            self.releases.iter().map(|listed| (&listed.name, &listed.version)).collect();
        versions.sort_unstable();
        let twice = versions.windows(2).any(|pair| pair[0] == pair[1]);
        if twice { Err("it has a version twice".into()) } else { Ok(()) }
    }

    fn ends(&self) -> Option<SystemTime> {
        humantime::parse_rfc3339(&self.expires).ok()
    }

    /// An old index may hide what was found out since.
    pub(crate) fn not_expired(&self, name: &str, now: SystemTime) -> Result<()> {
        let ends = self.ends().unwrap_or(SystemTime::UNIX_EPOCH);
        if ends > now && ends.duration_since(now).is_ok_and(|left| left <= MAX_AGE) {
            return Ok(());
        }
        let what = if ends > now { "is to last longer than a year" } else { "has expired" };
        Err(Error::new(Kind::Integrity, format!("the index \"{name}\" {what}"))
            .at("expired")
            .because(format!("it ends at {}", self.expires))
            .fix(format!("get the newest: bitboot index update {name}; is the clock of this machine right?")))
    }

    /// The versions of a plugin, newest first, that this bitboot can use on this machine.
    pub(crate) fn usable(&self, name: &str) -> Vec<&Listed> {
        let target = names::this_target();
        let fits = |listed: &&Listed| {
            listed.name == name
                && listed.api == bitboot_plugin_api::ffi::API_MAJOR
                && listed.targets.contains(&target)
        };
        let mut fitting: Vec<_> = self.releases.iter().filter(fits).collect();
        fitting.sort_by_key(|listed| std::cmp::Reverse(listed.semver()));
        fitting
    }

    /// The version to take when none is named: the newest that is no trial, else the newest.
    pub(crate) fn newest(&self, name: &str) -> Option<&Listed> {
        let usable = self.usable(name);
        let finished =
            usable.iter().find(|listed| listed.semver().is_some_and(|version| version.pre.is_empty()));
        finished.or(usable.first()).copied()
    }
}

impl Listed {
    pub(crate) fn semver(&self) -> Option<Version> {
        names::version(&self.version).ok()
    }

    /// The release's file, seen from the index' own folder.
    pub(crate) fn place(&self, index: &Place) -> Place {
        let folder = if self.folder.is_empty() { index.clone() } else { index.join(&self.folder) };
        folder.join(&names::release(&self.name, &self.version))
    }
}

impl Signed {
    /// Fetches an index from its folder and checks that who it names has signed it.
    pub(crate) fn fetch(fetcher: &Fetcher, place: &Place) -> Result<Self> {
        let file = place.join(FILE);
        let text = fetcher.need(&file, MAX_INDEX)?;
        let signature = fetcher.need(&place.join(&format!("{FILE}.{SIGNATURE}")), 4096)?;
        Self::check(text, String::from_utf8_lossy(&signature).into_owned(), None, &file.to_string())
    }

    /// Believes an index that is signed by who it names, and by `key` if one is expected.
    pub(crate) fn check(
        text: Vec<u8>,
        signature: String,
        key: Option<&PublisherKey>,
        what: &str,
    ) -> Result<Self> {
        if let Some(key) = key {
            key.verify(what, &text, &signature)?;
        }
        let index = Index::parse(&text)?;
        index.publisher.key.verify(what, &text, &signature)?;
        Ok(Self { index, text, signature })
    }
}
