//! The columns of each type of line. They are stable: a column may come at the end, none moves or goes.

use super::line::{PeerLine, ReceiptLine};
use super::listed::{AnnouncedLine, BackendLine, HealthLine, KeyLine, NetworkLine, PluginLine, QuoteLine};

pub(super) trait Cells {
    const COLUMNS: &'static [&'static str];
    fn cells(&self) -> Vec<String>;
    /// The one word that stands for the line.
    fn plain(&self) -> &str;
}

impl Cells for PeerLine {
    const COLUMNS: &'static [&'static str] = &["peer", "backends", "signed by", "seen", "expires", "network"];

    fn cells(&self) -> Vec<String> {
        let backends = self.backends.join(",");
        let (signed_by, expires) = (some(self.signed_by.as_ref()), some(self.expires.as_ref()));
        vec![self.peer.clone(), backends, signed_by, self.seen.clone(), expires, self.network.clone()]
    }

    fn plain(&self) -> &str {
        &self.peer
    }
}

/// A peer that came or went.
pub(super) struct Change<'a>(pub(super) &'static str, pub(super) &'a PeerLine);

impl Cells for Change<'_> {
    const COLUMNS: &'static [&'static str] = &["change", "peer", "backends", "network"];

    fn cells(&self) -> Vec<String> {
        let Self(change, line) = self;
        vec![(*change).to_owned(), line.peer.clone(), line.backends.join(","), line.network.clone()]
    }

    fn plain(&self) -> &str {
        // Whoever reads one word a line wants peers to connect to.
        if self.0 == "added" { &self.1.peer } else { "" }
    }
}

impl Cells for ReceiptLine {
    const COLUMNS: &'static [&'static str] =
        &["network", "backend", "done", "stored", "expires", "fee", "notes"];

    fn cells(&self) -> Vec<String> {
        let stored = format!("{}/{}", self.stored, self.asked);
        let (expires, fee) = (some(self.expires.as_ref()), some(self.fee.as_ref()));
        vec![
            self.network.clone(),
            self.backend.clone(),
            self.op.to_owned(),
            stored,
            expires,
            fee,
            self.notes.join("; "),
        ]
    }

    fn plain(&self) -> &str {
        &self.backend
    }
}

impl Cells for AnnouncedLine {
    const COLUMNS: &'static [&'static str] =
        &["network", "announced", "backend", "stored", "expires", "kept by", "last error"];

    fn cells(&self) -> Vec<String> {
        let kept_by = self.kept_by.map(|pid| pid.to_string()).unwrap_or_default();
        let (expires, error) = (some(self.expires.as_ref()), some(self.error.as_ref()));
        let (what, stored) = (self.what.join(","), self.stored.to_string());
        vec![self.network.clone(), what, self.backend.clone(), stored, expires, kept_by, error]
    }

    fn plain(&self) -> &str {
        &self.network
    }
}

impl Cells for NetworkLine {
    const COLUMNS: &'static [&'static str] = &["network", "backends", "locator", "problem", "kind"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.network.clone(),
            self.backends.join(","),
            some(self.locator.as_ref()),
            some(self.invalid.as_ref()),
            if self.secret { "secret" } else { "open" }.to_owned(),
        ]
    }

    fn plain(&self) -> &str {
        &self.network
    }
}

impl Cells for BackendLine {
    const COLUMNS: &'static [&'static str] = &["backend", "plugin", "state", "default", "entry", "summary"];

    fn cells(&self) -> Vec<String> {
        let default = if self.default { "default" } else { "" }.to_owned();
        vec![
            self.backend.clone(),
            self.plugin.clone(),
            self.state.clone(),
            default,
            self.origin.clone(),
            self.summary.clone(),
        ]
    }

    fn plain(&self) -> &str {
        &self.backend
    }
}

impl Cells for HealthLine {
    const COLUMNS: &'static [&'static str] = &["backend", "medium", "took", "summary", "facts"];

    fn cells(&self) -> Vec<String> {
        let medium = if self.reachable { "reachable" } else { "unreachable" }.to_owned();
        vec![self.backend.clone(), medium, format!("{} ms", self.took_ms), self.summary.clone(), self.told()]
    }

    fn plain(&self) -> &str {
        &self.backend
    }
}

impl Cells for PluginLine {
    const COLUMNS: &'static [&'static str] = &[
        "plugin",
        "version",
        "state",
        "kinds",
        "summary",
        "library",
        "problem",
        "origin",
        "pinned",
        "isolation",
    ];

    fn cells(&self) -> Vec<String> {
        let (library, problem) = (some(self.library.as_ref()), some(self.problem.as_ref()));
        let (version, state, kinds) = (self.version.clone(), self.state.clone(), self.kinds.join(","));
        let pinned = if self.pinned { "pinned" } else { "" }.to_owned();
        let (plugin, summary, origin) = (self.plugin.clone(), self.summary.clone(), self.origin.clone());
        vec![plugin, version, state, kinds, summary, library, problem, origin, pinned, self.isolation.clone()]
    }

    fn plain(&self) -> &str {
        &self.plugin
    }
}

impl Cells for QuoteLine {
    const COLUMNS: &'static [&'static str] =
        &["what", "backend", "fee", "writes", "final in s", "lasts s", "readers", "money"];

    fn cells(&self) -> Vec<String> {
        let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
        vec![
            self.what().to_owned(),
            self.backend.clone(),
            some(self.fee.as_ref()),
            self.writes.clone(),
            number(self.final_in_s),
            number(self.lasts_s),
            self.readers.clone(),
            if self.test_network { "test" } else { "real" }.to_owned(),
        ]
    }

    fn plain(&self) -> &str {
        &self.backend
    }
}

impl Cells for KeyLine {
    const COLUMNS: &'static [&'static str] = &["key", "kind", "store", "default", "public key", "grants"];

    fn cells(&self) -> Vec<String> {
        let default = if self.default { "default" } else { "" }.to_owned();
        let spent =
            self.spent_today.iter().map(|spent| format!("{} spent on {} today", spent.spent, spent.backend));
        let grants: Vec<_> = self.grants.iter().cloned().chain(spent).collect();
        let (public_key, grants) = (self.public_key.clone(), grants.join("; "));
        vec![self.key.clone(), self.kind.clone(), self.store.clone(), default, public_key, grants]
    }

    fn plain(&self) -> &str {
        &self.key
    }
}

fn some(text: Option<&String>) -> String {
    text.cloned().unwrap_or_default()
}
