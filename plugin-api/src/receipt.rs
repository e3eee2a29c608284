use serde::{Deserialize, Serialize};

/// What became of an announcement or a withdrawal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// How many places (nodes, files, transactions) acknowledged it.
    pub stored: u32,
    /// How many places were asked.
    pub asked: u32,
    /// Seconds until the medium forgets it; `None` where it never does or does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u32>,
    /// What it cost, amount and unit as in `0.00001 BTC`; `None` where it is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<String>,
    /// Sentences for the user, such as what the medium could not carry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Receipt {
    /// A receipt of `stored` acknowledgements out of `asked`.
    #[must_use]
    pub fn new(stored: u32, asked: u32) -> Self {
        Self { stored, asked, ..Self::default() }
    }

    /// With the seconds until the medium forgets it.
    #[must_use]
    pub fn with_expiry(mut self, seconds: u32) -> Self {
        self.expires_in_s = Some(seconds);
        self
    }

    /// With what it cost.
    #[must_use]
    pub fn with_fee(mut self, fee: impl Into<String>) -> Self {
        self.fee = Some(fee.into());
        self
    }

    /// With one more sentence for the user.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// What an announcement would cost and do, told before anything is spent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Quote {
    /// What is written where, in a few words.
    #[serde(default)]
    pub writes: String,
    /// The most that it will cost, amount and unit as in `0.00001 BTC`; `None` where it is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<String>,
    /// How many times the host will be asked to sign, such as once for each input of a transaction; `None` for once. It signs no more often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures: Option<u32>,
    /// Seconds until it is final, where the medium knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_in_s: Option<u32>,
    /// Seconds that it lasts; `None` for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts_s: Option<u32>,
    /// Who can read it, in one sentence.
    #[serde(default)]
    pub readers: String,
    /// What is spent is worth nothing: the medium is a test network, and the backend has made sure of it (by its chain's id, its first block).
    /// Anything else is taken for real money.
    #[serde(default)]
    pub test_network: bool,
}

impl Quote {
    /// A quote for a medium that asks nothing.
    #[must_use]
    pub fn free() -> Self {
        Self::default()
    }

    /// A quote of the most that it will cost, amount and unit as in `0.00001 BTC`.
    #[must_use]
    pub fn of(fee: impl Into<String>) -> Self {
        Self { fee: Some(fee.into()), ..Self::default() }
    }

    /// With the number of signatures that it takes, where that is not one.
    #[must_use]
    pub fn with_signatures(mut self, signatures: u32) -> Self {
        self.signatures = Some(signatures);
        self
    }
}
