//! A release as its publisher signed it, kept beside what was installed, so that the one can be held against the other at any time.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{MAX_RELEASE, PublisherKey, Release, SIGNATURE, names};
use crate::error::{Error, Kind, Result};
use crate::files;

/// The longest file with a signature that is read.
pub(crate) const MAX_SIGNATURE: usize = 4096;

/// The bytes of a release and of its signature. What they say is known only when the signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) release: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Proof {
    /// The names of the two files for a version.
    pub(super) fn files(name: &str, version: &str) -> [String; 2] {
        let release = names::release(name, version);
        let signature = format!("{release}.{SIGNATURE}");
        [release, signature]
    }

    /// Writes both into a folder.
    pub(crate) fn keep(&self, folder: &Path, name: &str, version: &str) -> Result<()> {
        let [release, signature] = Self::files(name, version).map(|file| folder.join(file));
        files::replace(&release, &self.release)?;
        files::replace(&signature, &self.signature)
    }

    /// What lies in a folder of both.
    pub(super) fn read(folder: &Path, name: &str, version: &str) -> Result<Self> {
        let [release, signature] = Self::files(name, version).map(|file| folder.join(file));
        Ok(Self { release: read(&release, MAX_RELEASE)?, signature: read(&signature, MAX_SIGNATURE)? })
    }

    /// The release, if the key has signed it.
    pub(super) fn of(&self, key: &PublisherKey, file: &str) -> Result<Release> {
        key.verify(file, &self.release, &String::from_utf8_lossy(&self.signature))?;
        Release::parse(&self.release)
    }
}

fn read(path: &Path, most: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most as u64 + 1).read_to_end(&mut bytes));
    let lost = |why: String| {
        Error::new(Kind::Integrity, format!("{} cannot be read", path.display())).at("release").because(why)
    };
    read.map_err(|error| lost(error.to_string()))?;
    if bytes.len() > most { Err(lost(format!("it is larger than {most} bytes"))) } else { Ok(bytes) }
}
