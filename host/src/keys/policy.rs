use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::error::{Error, Kind, Result};

/// What a backend may do with a key. Without limits: sign what spends nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// The plugin that served the backend when it was granted: another one that takes over the backend's name gets nothing by it.
    #[serde(default)]
    pub(crate) plugin: String,
    /// The most that one transaction may spend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) per_transaction: Option<Amount>,
    /// The most that is spent in a day (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) per_day: Option<Amount>,
}

impl Grant {
    /// Whether a fee is within the limit of one transaction; the limit of the day is kept by who counts.
    pub(crate) fn allows(&self, key: &str, backend: &str, fee: &Amount) -> Result<()> {
        match (&self.per_transaction, &self.per_day) {
            _ if fee.is_nothing() => Ok(()),
            (Some(limit), Some(_)) if fee.is_within(limit) => Ok(()),
            (Some(limit), Some(_)) => {
                let what = format!(
                    "{fee} is more than backend \"{backend}\" may spend at once with the key \"{key}\""
                );
                Err(Error::new(Kind::NeedsHuman, what)
                    .because(format!("the limit is {limit}"))
                    .fix(how(key, backend)))
            }
            _ => {
                let what = format!("backend \"{backend}\" may not spend with the key \"{key}\"");
                Err(Error::new(Kind::NeedsHuman, what).fix(how(key, backend)))
            }
        }
    }
}

/// The command that grants.
pub(crate) fn how(key: &str, backend: &str) -> String {
    format!("grant it: bitboot key policy {key} --allow {backend} --per-transaction AMOUNT --per-day AMOUNT")
}
