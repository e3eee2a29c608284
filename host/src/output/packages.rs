//! The lines about packages: what is offered, what changed, whose signatures count.

use schemars::JsonSchema;
use serde::Serialize;

use super::cells::Cells;

/// A release that an index offers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OfferLine {
    pub(crate) plugin: String,
    pub(crate) version: String,
    /// The version that is installed; null where none is.
    pub(crate) installed: Option<String>,
    pub(crate) summary: String,
    /// What its publisher calls itself.
    pub(crate) publisher: String,
    /// The key that signed it.
    pub(crate) key: String,
    pub(crate) index: String,
    /// The machines that it has packages for.
    pub(crate) targets: Vec<String>,
    /// `plugin upgrade` leaves the installed one as it is.
    pub(crate) pinned: bool,
}

/// A plugin that was, or would be, installed or switched to another version.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ChangeLine {
    pub(crate) plugin: String,
    /// The version before; null where there was none.
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    /// Where it came from.
    pub(crate) source: String,
    /// The key that signed it; null where nobody did.
    pub(crate) key: Option<String>,
    /// What it asks for, in words.
    pub(crate) asks: Vec<String>,
    /// The versions that were removed: older ones than that to which `plugin rollback` goes.
    pub(crate) removed: Vec<String>,
    /// False with `--dry-run`.
    pub(crate) done: bool,
}

/// A publisher that somebody decided about.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PublisherLine {
    /// What it calls itself.
    pub(crate) publisher: String,
    /// The minisign key.
    pub(crate) key: String,
    /// `trusted` or `revoked`.
    pub(crate) state: &'static str,
    /// When it was decided, RFC 3339.
    pub(crate) since: String,
    /// The plugins that it alone may sign here.
    pub(crate) plugins: Vec<String>,
}

/// A known index.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct IndexLine {
    pub(crate) index: String,
    /// Where it is.
    pub(crate) url: String,
    /// The key that signs it.
    pub(crate) key: String,
    /// The serial of the last state; null where there is none yet.
    pub(crate) serial: Option<u64>,
    /// When that ends, RFC 3339.
    pub(crate) expires: Option<String>,
    /// How many releases it has.
    pub(crate) releases: usize,
    /// Why it cannot be used; null where it can.
    pub(crate) problem: Option<String>,
}

/// A file that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MadeLine {
    pub(crate) file: String,
    /// Of the file.
    pub(crate) sha256: String,
    /// Bytes.
    pub(crate) size: u64,
}

impl Cells for OfferLine {
    const COLUMNS: &'static [&'static str] =
        &["plugin", "version", "installed", "index", "publisher", "summary", "key", "state"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.plugin.clone(),
            self.version.clone(),
            self.installed.clone().unwrap_or_default(),
            self.index.clone(),
            self.publisher.clone(),
            self.summary.clone(),
            self.key.clone(),
            if self.pinned { "pinned" } else { "" }.to_owned(),
        ]
    }

    fn plain(&self) -> &str {
        &self.plugin
    }
}

impl Cells for ChangeLine {
    const COLUMNS: &'static [&'static str] = &["plugin", "from", "to", "done", "asks for", "key", "source"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.plugin.clone(),
            self.from.clone().unwrap_or_default(),
            self.to.clone(),
            if self.done { "done" } else { "not done" }.to_owned(),
            self.asks.join(", "),
            self.key.clone().unwrap_or_else(|| "unsigned".into()),
            self.source.clone(),
        ]
    }

    fn plain(&self) -> &str {
        &self.plugin
    }
}

impl Cells for PublisherLine {
    const COLUMNS: &'static [&'static str] = &["publisher", "state", "since", "plugins", "key"];

    fn cells(&self) -> Vec<String> {
        let (publisher, plugins) = (self.publisher.clone(), self.plugins.join(","));
        vec![publisher, self.state.to_owned(), self.since.clone(), plugins, self.key.clone()]
    }

    fn plain(&self) -> &str {
        &self.key
    }
}

impl Cells for IndexLine {
    const COLUMNS: &'static [&'static str] =
        &["index", "releases", "serial", "expires", "url", "key", "problem"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.index.clone(),
            self.releases.to_string(),
            self.serial.map(|serial| serial.to_string()).unwrap_or_default(),
            self.expires.clone().unwrap_or_default(),
            self.url.clone(),
            self.key.clone(),
            self.problem.clone().unwrap_or_default(),
        ]
    }

    fn plain(&self) -> &str {
        &self.index
    }
}

impl Cells for MadeLine {
    const COLUMNS: &'static [&'static str] = &["file", "bytes", "sha-256"];

    fn cells(&self) -> Vec<String> {
        vec![self.file.clone(), self.size.to_string(), self.sha256.clone()]
    }

    fn plain(&self) -> &str {
        &self.file
    }
}
