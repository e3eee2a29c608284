use std::fmt;

use bitboot_plugin_api::Author;

use super::identity::PublicKey;

/// Who stands for an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Signer {
    /// A node, by its signature in a record.
    Node(PublicKey),
    /// The owner of a key of the medium, by the medium's own signature: such as the key that paid for it.
    Author(Author),
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(key) => key.fmt(f),
            Self::Author(author) => author.fmt(f),
        }
    }
}
