use std::sync::Arc;
use std::time::{Duration, Instant};

use bitboot_plugin_api::{Endpoint, Quote, Receipt};

use super::Candidate;
use super::teller::Teller;
use crate::error::{Error, Kind, Result};
use crate::network::{Identity, Metadata, Network};

/// What one backend answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) backend: String,
    pub(crate) outcome: Result<Receipt>,
    /// It was to be taken back and is not: that costs money, and nobody has agreed to it.
    pub(crate) stays: bool,
    /// It was paid for, and may be out though it failed.
    pub(crate) unknown: bool,
    pub(crate) took: Duration,
}

impl Told {
    /// Of a backend that could not be told at all.
    pub(crate) fn not_at_all(backend: String, error: Error) -> Self {
        Self { backend, outcome: Err(error), stays: false, unknown: false, took: Duration::ZERO }
    }

    /// Whether the medium did not answer in time.
    pub(crate) fn is_late(&self) -> bool {
        self.outcome.as_ref().is_err_and(|error| error.kind == Kind::Unreachable)
    }
}

/// What a backend is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Announce,
    Withdraw,
}

/// What a node says in a network.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) network: Network,
    pub(crate) identity: Arc<Identity>,
    /// What this announcement is about.
    pub(crate) port: Option<u16>,
    pub(crate) endpoints: Vec<Endpoint>,
    /// What else the node announces there: a node has one record in a network.
    pub(crate) other_ports: Vec<u16>,
    pub(crate) other_endpoints: Vec<Endpoint>,
    pub(crate) other_metadata: Metadata,
    pub(crate) metadata: Metadata,
    pub(crate) ttl: Duration,
    /// Somebody has agreed to what this backend costs.
    pub(crate) agreed: bool,
}

/// What telling one backend would cost; `None` where it is free.
pub(crate) async fn quote(
    candidate: Candidate,
    deed: Deed,
    what: &Statement,
    timeout: Duration,
) -> Result<Option<Quote>> {
    Teller::open(candidate, what, timeout).await?.quote(deed).await
}

/// Tells one backend; it never fails as a whole.
pub(crate) async fn tell(candidate: Candidate, deed: Deed, what: &Statement, timeout: Duration) -> Told {
    let (backend, started) = (candidate.backend.clone(), Instant::now());
    let mut stays = false;
    let outcome = async {
        let teller = Teller::open(candidate, what, timeout).await?;
        match deed {
            Deed::Announce => teller.announce().await,
            Deed::Withdraw => {
                stays = !teller.may_spend();
                teller.withdraw().await
            }
        }
    };
    let outcome = outcome.await;
    Told { backend, outcome, stays, unknown: false, took: started.elapsed() }
}
