use bitboot_plugin_api::Scheme;
use serde::{Deserialize, Serialize};

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeyKind {
    Secp256k1,
    Ed25519,
    Rsa4096,
}

impl KeyKind {
    /// Its word in commands, files and manifests.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Secp256k1 => "secp256k1",
            Self::Ed25519 => "ed25519",
            Self::Rsa4096 => "rsa4096",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        [Self::Secp256k1, Self::Ed25519, Self::Rsa4096].into_iter().find(|kind| kind.word() == word)
    }

    /// The kind that signs by a scheme; `None` for a scheme of a newer contract.
    pub(crate) fn of_scheme(scheme: Scheme) -> Option<Self> {
        match scheme {
            Scheme::EcdsaDer | Scheme::EcdsaRecoverable | Scheme::Bip340 => Some(Self::Secp256k1),
            Scheme::Ed25519 => Some(Self::Ed25519),
            Scheme::RsaPssSha256 => Some(Self::Rsa4096),
            _ => None,
        }
    }
}
