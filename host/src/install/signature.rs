//! Signatures of publishers: minisign, in its pre-hashed form only.

use std::fmt;
use std::str::FromStr;

use minisign_verify::{PublicKey, Signature};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};

/// A publisher's public key, as minisign writes it: 56 characters of base64 that begin with `RW`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct PublisherKey(String);

impl PublisherKey {
    /// Checks a signature over bytes by this key. Only the pre-hashed form is taken.
    pub(crate) fn verify(&self, what: &str, bytes: &[u8], signature: &str) -> Result<()> {
        let refuse = |why: &dyn fmt::Display| {
            Error::new(Kind::Integrity, format!("the signature of {what} is not good"))
                .at("signature")
                .because(format!("{why}; the key is {self}"))
                .fix("get the files again, from the publisher; somebody may have changed them")
        };
        // What may be read of a stranger's file is known: four short lines.
        if signature.len() > 2048 {
            return Err(refuse(&"it is no minisign signature"));
        }
        let signature = Signature::decode(signature).map_err(|error| refuse(&error))?;
        let key = PublicKey::from_base64(&self.0).map_err(|error| refuse(&error))?;
        key.verify(bytes, &signature, false).map_err(|error| refuse(&error))
    }
}

impl FromStr for PublisherKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // As in a minisign.pub: the last line is the key.
        let key = text.trim().lines().last().unwrap_or_default().trim();
        if key.len() != 56 || !key.starts_with("RW") || PublicKey::from_base64(key).is_err() {
            return Err("a publisher's key is 56 characters of base64 that begin with RW".into());
        }
        Ok(Self(key.to_owned()))
    }
}

impl TryFrom<String> for PublisherKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PublisherKey> for String {
    fn from(key: PublisherKey) -> Self {
        key.0
    }
}

impl fmt::Display for PublisherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
