use serde::{Deserialize, Serialize};

use crate::Endpoint;

/// A peer as a medium tells it: an endpoint that somebody claims.
///
/// Nothing about it is proven; the host checks, merges and ranks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Peer {
    /// Where it says that it can be reached.
    pub endpoint: Endpoint,
    /// Seconds until the medium forgets it, where the medium tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u32>,
}

impl Peer {
    /// A peer of which only the endpoint is known.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, expires_in_s: None }
    }

    /// With the seconds until the medium forgets it.
    #[must_use]
    pub fn with_expiry(mut self, seconds: u32) -> Self {
        self.expires_in_s = Some(seconds);
        self
    }
}
