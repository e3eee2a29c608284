//! What confines a worker: asked for by the host, put in force by the worker before it opens the library, and then measured by it.

#[cfg(target_os = "linux")]
mod linux;
mod measure;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a plugin may do in its process, besides computing and talking to the host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Confine {
    /// It may send and receive over the network.
    pub network: bool,
    /// It may wait for connections of others (TCP).
    pub listen: bool,
    /// Folders in which it may read and write.
    pub files: Vec<PathBuf>,
    /// The most memory for its data, in bytes.
    pub memory: u64,
    /// The most files and sockets that it may have open.
    pub descriptors: u64,
}

impl Default for Confine {
    /// Nothing of the network or of files; 1 GiB, and 16384 descriptors.
    fn default() -> Self {
        Self { network: false, listen: false, files: Vec::new(), memory: 1 << 30, descriptors: 16_384 }
    }
}

impl Confine {
    /// With the network.
    #[must_use]
    pub fn with_network(mut self) -> Self {
        self.network = true;
        self
    }

    /// With one more folder, which has to be there.
    #[must_use]
    pub fn with_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.files.push(folder.into());
        self
    }
}

/// What confines a worker on this system, each thing as it was tried from inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InForce {
    /// By what it is about.
    pub rules: Vec<Rule>,
}

/// One thing that a worker may or may not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rule {
    /// What it is about, such as `files` or `programs`.
    pub what: String,
    /// What came of trying it.
    pub state: State,
    /// One sentence: what exactly, and by what.
    pub detail: String,
}

/// What came of trying something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// The system refused it.
    Refused,
    /// It works within a limit.
    Limited,
    /// It works, and is granted.
    Granted,
    /// It works, though nobody has granted it: this system cannot refuse it.
    #[serde(other)]
    Open,
}

impl State {
    /// Its name, one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Limited => "limited",
            Self::Granted => "granted",
            Self::Open => "open",
        }
    }
}

/// Confines this process, which has one thread, as far as this system can; tells what came of it.
pub(super) fn confine(confine: &Confine, library: &Path) -> io::Result<InForce> {
    #[cfg(target_os = "linux")]
    linux::confine(confine, library)?;
    #[cfg(not(target_os = "linux"))]
    let _ = library;
    Ok(measure::measure(confine))
}
