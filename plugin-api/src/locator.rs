use std::fmt;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// The bytes under which a backend stores and finds: derived from a network by the host, 1 to [`Locator::MAX`] bytes.
///
/// For an open network these are the 20 bytes of `SHA-1(name)`, the info hash that every BitTorrent client would compute (BEP 5).
/// A backend cannot get back from a locator to the network's name, and must not treat it as text.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "serde_bytes::ByteBuf", into = "serde_bytes::ByteBuf")]
pub struct Locator(Vec<u8>);

impl Locator {
    /// The most bytes that a locator may have.
    pub const MAX: usize = 64;

    /// Takes 1 to 64 bytes; `None` for any other number.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (1..=Self::MAX).contains(&bytes.len()).then(|| Self(bytes.to_vec()))
    }

    /// The bytes themselves.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Two lower-case hexadecimal digits a byte.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.iter().fold(String::with_capacity(self.0.len() * 2), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locator({})", self.to_hex())
    }
}

impl TryFrom<serde_bytes::ByteBuf> for Locator {
    type Error = &'static str;

    fn try_from(bytes: serde_bytes::ByteBuf) -> Result<Self, Self::Error> {
        Self::new(&bytes).ok_or("a locator has 1 to 64 bytes")
    }
}

impl From<Locator> for serde_bytes::ByteBuf {
    fn from(locator: Locator) -> Self {
        Self::from(locator.0)
    }
}
