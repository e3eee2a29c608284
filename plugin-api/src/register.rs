use serde::{Deserialize, Serialize};

use crate::Locator;

/// What a register is asked to hold from now on.
///
/// A register is a place of a medium that holds one value under a slot, such as a mutable item of the BitTorrent DHT
/// ([BEP 44](https://www.bittorrent.org/beps/bep_0044.html)). Whoever knows the slot may write, so writers take turns: each reads, merges
/// what it has to say into what it read, and writes with the revision that it saw. A slot is [`Write::SLOT`] bytes and as good as a key:
/// the backend derives from it what its medium wants (there the ed25519 key pair of the item), tells it nobody and keeps it nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Write {
    /// The slot, [`Write::SLOT`] bytes; any other length is refused.
    pub slot: Locator,
    /// Sealed bytes, at most [`Caps::register`](crate::Caps::register) of them; more are refused.
    #[serde(with = "serde_bytes")]
    pub value: Vec<u8>,
    /// The highest revision that the writer has seen under the slot; `None` when it saw nothing. The write must fail, with
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict), rather than replace a higher one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// A value that some place of a medium holds under a slot.
///
/// A medium of many places may hold several at once, also at one revision, when writers raced: the reader gets all of them and merges.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Held {
    /// The bytes as they were written.
    #[serde(with = "serde_bytes")]
    pub value: Vec<u8>,
    /// Its revision, which rises with each write: `seq` in BEP 44.
    pub revision: u64,
}

impl Write {
    /// How many bytes a slot has.
    pub const SLOT: usize = 32;

    /// A write to a slot in which nothing was seen.
    #[must_use]
    pub fn new(slot: Locator, value: impl Into<Vec<u8>>) -> Self {
        Self { slot, value: value.into(), after: None }
    }

    /// With the highest revision that was seen.
    #[must_use]
    pub fn with_after(mut self, revision: u64) -> Self {
        self.after = Some(revision);
        self
    }
}

impl Held {
    /// A value at a revision.
    #[must_use]
    pub fn new(value: impl Into<Vec<u8>>, revision: u64) -> Self {
        Self { value: value.into(), revision }
    }
}
