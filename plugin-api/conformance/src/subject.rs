use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::{Noise, Outside};

/// The environment variable with the seed of a run that is to be repeated.
pub(crate) const SEED: &str = "BITBOOT_SEED";

/// What is put to the test: a kind of backend, on a medium that the test has set up.
#[derive(Debug, Clone)]
pub struct Subject {
    pub(crate) kind: String,
    pub(crate) config: Value,
    pub(crate) second: Value,
    pub(crate) patience: Duration,
    pub(crate) without: BTreeMap<String, String>,
    pub(crate) noise: Option<Noise>,
    pub(crate) outside: Option<Arc<dyn Outside>>,
    pub(crate) seed: u64,
}

impl Subject {
    /// A kind of backend with a configuration, an object, for the medium of the test.
    #[must_use]
    pub fn new(kind: impl Into<String>, config: Value) -> Self {
        let asked = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
        Self {
            kind: kind.into(),
            second: config.clone(),
            config,
            patience: Duration::from_secs(15),
            without: BTreeMap::new(),
            noise: None,
            outside: None,
            // Short enough to be typed again.
            seed: asked.unwrap_or_else(|| RandomState::new().hash_one(SEED) >> 32),
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

    /// With a way to put bytes of a stranger on the medium, which the backend has to pass over.
    #[must_use]
    pub fn with_noise(mut self, noise: Noise) -> Self {
        self.noise = Some(noise);
        self
    }

    /// With somebody else who reads for the plugin and puts the noise, for a process that may not.
    #[must_use]
    pub fn with_outside(mut self, outside: Arc<dyn Outside>) -> Self {
        self.outside = Some(outside);
        self
    }

    /// With the seed of what is drawn by chance: locators, odd values, moments. Else it is another one each time, or that of the
    /// environment variable `BITBOOT_SEED`. A seed repeats a run on a medium that is as empty as it was then.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The configurations of both backends.
    #[must_use]
    pub fn configs(&self) -> [&Value; 2] {
        [&self.config, &self.second]
    }

    /// How bytes of a stranger are put on the medium.
    #[must_use]
    pub fn noise(&self) -> Option<&Noise> {
        self.noise.as_ref()
    }

    /// The seed of what is drawn by chance.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }
}
