use std::time::Duration;

use bitboot_plugin_api::Endpoint;

use crate::network::Metadata;

/// How a network is looked up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LookupOptions {
    /// The backends to ask; none for the network's own or the default ones.
    pub via: Vec<String>,
    /// End when this many peers are known.
    pub limit: Option<usize>,
    /// End each backend's search after this time.
    pub timeout: Duration,
    /// In a secret network, tell of addresses too that no member has signed for.
    pub unverified: bool,
}

impl Default for LookupOptions {
    fn default() -> Self {
        Self { via: Vec::new(), limit: None, timeout: Duration::from_secs(10), unverified: false }
    }
}

impl LookupOptions {
    /// With one more backend to ask.
    #[must_use]
    pub fn via(mut self, backend: impl Into<String>) -> Self {
        self.via.push(backend.into());
        self
    }

    /// With the number of peers that are enough.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// With another time than ten seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// What is announced, and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AnnounceOptions {
    /// A port of this machine.
    pub port: Option<u16>,
    /// Full endpoints, of this machine or of another.
    pub endpoints: Vec<Endpoint>,
    /// The backends to tell; none for the network's own or the default ones.
    pub via: Vec<String>,
    /// What else the node says about itself: short texts by short names, in its signed record.
    pub metadata: Metadata,
    /// How long the announcement should live when it is not repeated.
    pub ttl: Duration,
    /// Announce once instead of keeping it alive.
    pub once: bool,
    /// End each try after this time.
    pub timeout: Duration,
    /// The fees that were agreed to, see [`Bitboot::quote`](super::Bitboot::quote); what costs more, or is not here, is not announced.
    pub spend: Vec<super::Spend>,
    /// Network, backend and why it did not even tell what it costs.
    pub(crate) refused: Vec<(String, String, crate::Error)>,
}

impl AnnounceOptions {
    /// Announces a port of this machine.
    #[must_use]
    pub fn port(port: u16) -> Self {
        Self { port: (port != 0).then_some(port), ..Self::nothing() }
    }

    /// Announces an endpoint.
    #[must_use]
    pub fn endpoint(endpoint: Endpoint) -> Self {
        Self { endpoints: vec![endpoint], ..Self::nothing() }
    }

    pub(crate) fn nothing() -> Self {
        Self {
            port: None,
            endpoints: Vec::new(),
            via: Vec::new(),
            metadata: Metadata::new(),
            ttl: Duration::from_secs(7200),
            once: false,
            timeout: Duration::from_secs(30),
            spend: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// With one more backend to tell.
    #[must_use]
    pub fn via(mut self, backend: impl Into<String>) -> Self {
        self.via.push(backend.into());
        self
    }

    /// With something that the node says about itself.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// With another lifetime than two hours.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Announced once instead of kept alive.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }
}
