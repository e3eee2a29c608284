use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::found::Ear;
use crate::Result;
use crate::ffi::Kind;

/// What surrounds one call: its deadline, and a way to tell how far it has come.
#[derive(Clone)]
pub struct Cx {
    ear: Ear,
    deadline: Instant,
}

/// How far a call has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done, in a few words.
    pub what: String,
    /// Steps done.
    pub done: u64,
    /// Steps in all; 0 where nobody knows.
    pub total: u64,
}

impl Cx {
    pub(super) fn new(ear: Ear, deadline: Instant) -> Self {
        Self { ear, deadline }
    }

    /// When the call ends whatever it has reached. The SDK sees to it; a backend needs it only to divide its time.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The time that is left.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Tells how far the call has come. Cheap enough to be called at each step.
    ///
    /// # Errors
    /// When nobody listens any more: return it with `?`.
    pub async fn progress(&self, what: &str, done: u64, total: u64) -> Result<()> {
        self.ear.tell(Kind::Progress, &Progress { what: what.into(), done, total }).await
    }
}
