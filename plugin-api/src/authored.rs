use std::fmt;

use serde::{Deserialize, Serialize};

/// A value together with who wrote it, where the medium itself proves that.
///
/// On a medium with [`Caps::authored`](crate::Caps::authored) every write is signed by the writer's key of that medium, such as the key
/// that pays for a transaction. The backend reports an author only after it has verified that signature over the value; so values that are
/// too short for a signature need none of their own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Authored {
    /// The bytes as they were written.
    #[serde(with = "serde_bytes")]
    pub value: Vec<u8>,
    /// Who wrote them; the same as [`Backend::author`](crate::Backend::author) told the writer before.
    pub author: Author,
}

/// The public key under which a medium shows what somebody writes: 1 to [`Author::MAX`] bytes as the medium has them, shown in hexadecimal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "serde_bytes::ByteBuf", into = "serde_bytes::ByteBuf")]
pub struct Author(Vec<u8>);

impl Authored {
    /// A value of an author.
    #[must_use]
    pub fn new(value: impl Into<Vec<u8>>, author: Author) -> Self {
        Self { value: value.into(), author }
    }
}

impl Author {
    /// The most bytes that an author may have.
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
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Author({self})")
    }
}

impl TryFrom<serde_bytes::ByteBuf> for Author {
    type Error = &'static str;

    fn try_from(bytes: serde_bytes::ByteBuf) -> Result<Self, Self::Error> {
        Self::new(&bytes).ok_or("an author has 1 to 64 bytes")
    }
}

impl From<Author> for serde_bytes::ByteBuf {
    fn from(author: Author) -> Self {
        Self::from(author.0)
    }
}
