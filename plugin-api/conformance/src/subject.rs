use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::Keys;

/// What is put to the test: a kind of backend, on a medium that the test has set up.
#[derive(Clone)]
pub struct Subject {
    pub(crate) kind: String,
    pub(crate) config: Value,
    pub(crate) second: Value,
    pub(crate) patience: Duration,
    pub(crate) without: BTreeMap<String, String>,
    pub(crate) keys: Option<Arc<dyn Keys>>,
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
            keys: None,
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

    /// With what signs for the backends, where the medium wants that.
    #[must_use]
    pub fn with_keys(mut self, keys: Arc<dyn Keys>) -> Self {
        self.keys = Some(keys);
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

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("kind", &self.kind)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
