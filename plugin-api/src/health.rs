use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Whether a backend's medium can be used right now, and what it knows of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Health {
    /// The medium answered.
    pub reachable: bool,
    /// One sentence: what is well, or the likely cause when it is not.
    pub summary: String,
    /// Facts by name, such as `nodes` or `public address`; names in lower case.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
}

impl Health {
    /// A finding in one sentence.
    #[must_use]
    pub fn new(reachable: bool, summary: impl Into<String>) -> Self {
        Self { reachable, summary: summary.into(), facts: BTreeMap::new() }
    }

    /// With one more fact.
    #[must_use]
    pub fn with_fact(mut self, name: &str, value: &dyn ToString) -> Self {
        self.facts.insert(name.to_owned(), value.to_string());
        self
    }
}
