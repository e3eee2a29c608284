//! The lines of `plugin test`.

use schemars::JsonSchema;
use serde::Serialize;

use super::cells::Cells;

/// What became of a clause of the contract.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ClauseLine {
    pub(crate) plugin: String,
    /// The kind of backend.
    pub(crate) kind: String,
    /// The clause, a statement in lower case.
    pub(crate) clause: String,
    /// `kept`, `not-applicable`, `excepted` or `broken`.
    pub(crate) verdict: &'static str,
    /// How it is broken, or why it is not judged; null where it is kept.
    pub(crate) why: Option<String>,
    /// Milliseconds.
    pub(crate) took_ms: u64,
}

/// What became of a kind of backend.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TestedLine {
    pub(crate) plugin: String,
    /// The kind of backend.
    pub(crate) kind: String,
    /// How many clauses it keeps.
    pub(crate) kept: usize,
    /// How many say nothing about it, or were excepted.
    pub(crate) not_judged: usize,
    /// How many it breaks.
    pub(crate) broken: usize,
    /// What `--reproduce` takes to draw the same again.
    pub(crate) seed: u64,
    /// Milliseconds.
    pub(crate) took_ms: u64,
}

impl Cells for ClauseLine {
    const COLUMNS: &'static [&'static str] = &["clause", "verdict", "kind", "took", "why"];

    fn cells(&self) -> Vec<String> {
        let (took, why) = (format!("{} ms", self.took_ms), self.why.clone().unwrap_or_default());
        vec![self.clause.clone(), self.verdict.to_owned(), self.kind.clone(), took, why]
    }

    /// The clauses that are broken, for a script.
    fn plain(&self) -> &str {
        if self.verdict == "broken" { &self.clause } else { "" }
    }
}
