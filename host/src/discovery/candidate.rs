use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::Backend;
use crate::error::{Error, Kind, Result};

/// A backend that is to be used, and the way to open it.
pub(crate) struct Candidate {
    pub(crate) backend: String,
    /// What all peers call its medium: part of where a secret network's records lie.
    pub(crate) medium: String,
    opening: Opening,
}

type Opening = Pin<Box<dyn Future<Output = Result<Arc<dyn Backend>>> + Send>>;

impl Candidate {
    pub(crate) fn new(
        backend: String,
        medium: String,
        opening: impl Future<Output = Result<Arc<dyn Backend>>> + Send + 'static,
    ) -> Self {
        Self { backend, medium, opening: Box::pin(opening) }
    }

    /// The opened backend, within a time.
    pub(crate) async fn open(self, within: Duration) -> Result<Arc<dyn Backend>> {
        let late = |_| {
            Err(Error::new(Kind::Unreachable, format!("backend \"{}\" was not opened in time", self.backend))
                .fix(format!(
                    "give it more time with --timeout, or see: bitboot -vv backend ping {}",
                    self.backend
                )))
        };
        tokio::time::timeout(within, self.opening).await.unwrap_or_else(late)
    }
}
