use std::time::{Duration, Instant};

use bitboot_plugin_api::{Announcement, Receipt};

use super::Candidate;
use crate::backend;
use crate::error::{Error, Result};

/// What one backend answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) backend: String,
    pub(crate) outcome: Result<Receipt>,
    pub(crate) took: Duration,
}

/// What a backend is told to do with an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Announce,
    Withdraw,
}

/// Tells one backend; it never fails as a whole.
pub(crate) async fn tell(candidate: Candidate, deed: Deed, what: &Announcement, timeout: Duration) -> Told {
    let (backend, started) = (candidate.backend.clone(), Instant::now());
    let outcome = async {
        let opened = candidate.open(timeout).await?;
        let left = timeout.saturating_sub(started.elapsed());
        let answer = match deed {
            Deed::Announce => backend::announce(&*opened, what, left).await,
            Deed::Withdraw => backend::withdraw(&*opened, what, left).await,
        };
        answer.map_err(|error| Error::of_backend(&backend, error))
    };
    let outcome = outcome.await;
    Told { backend, outcome, took: started.elapsed() }
}
