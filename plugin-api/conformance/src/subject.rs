use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// What is put to the test: a kind of backend, on a medium that the test has set up.
#[derive(Debug, Clone)]
pub struct Subject {
    pub(crate) kind: String,
    pub(crate) config: Value,
    pub(crate) second: Value,
    pub(crate) patience: Duration,
    pub(crate) without: BTreeMap<String, String>,
}

impl Subject {
    /// A kind of backend with a configuration, an object, for the medium of the test.
    #[must_use]
    pub fn new(kind: impl Into<String>, config: Value) -> Self {
        Self {
            kind: kind.into(),
            second: config.clone(),
            config,
            patience: Duration::from_secs(15),
            without: BTreeMap::new(),
        }
    }

    /// With another configuration for a second backend, which has to share the medium; else both have the same.
    #[must_use]
    pub fn with_second(mut self, config: Value) -> Self {
        self.second = config;
        self
    }

    /// With the time within which this medium has to show what was announced, and a backend has to let go of what it held; else 15
    /// seconds, longer than a tokio runtime keeps idle threads.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Without a clause, by its name, that this medium cannot keep, for a reason.
    ///
    /// What the capabilities already say (no values, no IPv6, no withdrawal) needs no exception.
    #[must_use]
    pub fn without(mut self, clause: impl Into<String>, reason: impl Into<String>) -> Self {
        self.without.insert(clause.into(), reason.into());
        self
    }
}
