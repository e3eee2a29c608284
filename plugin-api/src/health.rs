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
    /// Facts by name, such as `nodes` or `public address`; names in lower case. For people: their words may change.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
    /// Whole numbers by name, such as `nodes_ipv6`; names of lower-case letters, digits and `_`. For programs: a name keeps its meaning.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, u64>,
    /// The likely cause in a word for programs, such as `dns-failed`, when the medium did not answer and the backend can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What the user can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Health {
    /// A finding in one sentence.
    #[must_use]
    pub fn new(reachable: bool, summary: impl Into<String>) -> Self {
        Self { reachable, summary: summary.into(), ..Self::default() }
    }

    /// With one more fact.
    #[must_use]
    pub fn with_fact(mut self, name: &str, value: &dyn ToString) -> Self {
        self.facts.insert(name.to_owned(), value.to_string());
        self
    }

    /// With one more number.
    #[must_use]
    pub fn with_figure(mut self, name: &str, value: u64) -> Self {
        self.figures.insert(name.to_owned(), value);
        self
    }

    /// With the likely cause in a word.
    #[must_use]
    pub fn with_cause(mut self, cause: &str) -> Self {
        self.cause = Some(cause.to_owned());
        self
    }

    /// With what the user can do.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message;

    #[test]
    fn what_an_older_plugin_says_is_read_and_what_a_newer_one_says_too() {
        #[derive(Serialize, Deserialize)]
        struct Older {
            reachable: bool,
            summary: String,
            facts: BTreeMap<String, String>,
        }
        let old = Older { reachable: true, summary: "it is".into(), facts: BTreeMap::new() };
        let read: Health = message::decode(&message::encode(&old)).unwrap();
        assert_eq!(read, Health::new(true, "it is"));
        let new = Health::new(false, "it is not").with_figure("nodes", 7).with_cause("dns-failed");
        let read: Older = message::decode(&message::encode(&new)).unwrap();
        assert_eq!((read.reachable, read.summary), (false, new.summary));
    }
}
