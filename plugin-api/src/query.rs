use serde::{Deserialize, Serialize};

use crate::Locator;

/// What a backend is asked to find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Query {
    /// Where to look.
    pub locator: Locator,
    /// The asker needs no more peers than this. A backend may stop there; the host cuts off what comes after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

impl Query {
    /// A query for all that the medium has.
    #[must_use]
    pub fn new(locator: Locator) -> Self {
        Self { locator, limit: None }
    }

    /// With the number of peers that are enough.
    #[must_use]
    pub fn with_limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}
