//! The lines of `doctor`: what was looked at, and what is right or wrong with it.

use schemars::JsonSchema;
use serde::Serialize;

use super::cells::Cells;
use super::listed::HealthLine;

/// A finding of `doctor` or `key stores`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FindingLine {
    /// What was looked at.
    pub(crate) about: String,
    /// `ok`, `warning` or `problem`.
    pub(crate) verdict: &'static str,
    /// What was found.
    pub(crate) finding: String,
    /// The command that helps.
    pub(crate) fix: Option<String>,
    /// The check that failed, where there are several, as in errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gate: Option<&'static str>,
    /// How the medium is; with `doctor --online` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) health: Option<Box<HealthLine>>,
}

/// What confines the process of a plugin, as it was tried from inside.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ConfinementLine {
    pub(crate) plugin: String,
    /// What it is about, such as `files` or `programs`.
    pub(crate) what: String,
    /// `refused`, `limited`, `granted`, or `open` where it works though nobody has granted it.
    pub(crate) state: &'static str,
    /// What exactly.
    pub(crate) detail: String,
}

/// A plugin, opened as a command would open it.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct CheckedLine {
    pub(crate) plugin: String,
    pub(crate) version: String,
    /// `opens`, `disabled`, `put aside`, or the gate at which it stops, such as `library-hash`.
    pub(crate) state: String,
    /// The API that it is built for, as MAJOR; null where its manifest cannot be read.
    pub(crate) api: Option<u32>,
    /// What is in force: `confined`, `partly confined`, `in-process`, or nothing where it does not run.
    pub(crate) isolation: String,
    /// The key that signed it, `nobody`, or `bitboot` for what ships with it.
    pub(crate) signed_by: String,
    /// Of its library as it lies there; null where there is none.
    pub(crate) sha256: Option<String>,
}

impl Cells for ConfinementLine {
    const COLUMNS: &'static [&'static str] = &["plugin", "what", "state", "detail"];

    fn cells(&self) -> Vec<String> {
        vec![self.plugin.clone(), self.what.clone(), self.state.to_owned(), self.detail.clone()]
    }

    fn plain(&self) -> &str {
        self.state
    }
}

impl Cells for FindingLine {
    const COLUMNS: &'static [&'static str] = &["about", "verdict", "finding", "fix"];

    fn cells(&self) -> Vec<String> {
        let facts = self.health.as_ref().map(|health| health.told()).filter(|facts| !facts.is_empty());
        let finding =
            [Some(self.finding.clone()), facts].into_iter().flatten().collect::<Vec<_>>().join("; ");
        vec![self.about.clone(), self.verdict.to_owned(), finding, self.fix.clone().unwrap_or_default()]
    }

    fn plain(&self) -> &str {
        self.verdict
    }
}

impl Cells for CheckedLine {
    const COLUMNS: &'static [&'static str] =
        &["plugin", "version", "state", "api", "isolation", "signed by", "sha-256"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.plugin.clone(),
            self.version.clone(),
            self.state.clone(),
            self.api.map(|api| api.to_string()).unwrap_or_default(),
            self.isolation.clone(),
            self.signed_by.clone(),
            self.sha256.clone().unwrap_or_default(),
        ]
    }

    fn plain(&self) -> &str {
        &self.state
    }
}
