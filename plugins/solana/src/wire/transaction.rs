use std::fmt;

use ed25519_dalek::VerifyingKey;

use super::key::bytes_of_text;
use super::message::{put_length, take, take_length};
use super::{Key, Message};

/// The bytes of an ed25519 signature (RFC 8032). The first one of a transaction is its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Signature(pub(crate) [u8; 64]);

/// A message with the signatures that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transaction {
    signatures: Vec<Signature>,
    pub(crate) message: Message,
}

/// The most bytes of a transaction that nodes pass on: an IPv6 packet of the smallest size that has to arrive, less its heads.
pub(crate) const LARGEST: usize = 1232;

/// The name of a transaction in any form: its first signature.
pub(crate) fn name_of(bytes: &[u8]) -> Option<Signature> {
    let mut rest = bytes;
    let count = take_length(&mut rest)?;
    (count > 0).then(|| take(&mut rest).map(Signature)).flatten()
}

impl Transaction {
    /// `None` where there is not a signature for each key that signs.
    pub(crate) fn new(message: Message, signatures: Vec<Signature>) -> Option<Self> {
        (!signatures.is_empty() && signatures.len() == message.signers())
            .then_some(Self { signatures, message })
    }

    /// By which nodes know it.
    pub(crate) fn id(&self) -> Option<Signature> {
        self.signatures.first().copied()
    }

    /// Who pays for it.
    pub(crate) fn payer(&self) -> Option<Key> {
        self.message.keys.first().copied()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_length(&mut bytes, self.signatures.len());
        self.signatures.iter().for_each(|signature| bytes.extend(signature.0));
        bytes.extend(self.message.to_bytes());
        bytes
    }

    /// `None` for bytes that are no transaction in the first form, or that nodes would not pass on.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = (bytes.len() <= LARGEST).then_some(bytes)?;
        let signatures =
            (0..take_length(&mut rest)?).map(|_| take(&mut rest).map(Signature)).collect::<Option<_>>()?;
        Self::new(Message::of_bytes(rest)?, signatures)
    }

    /// Whether the owner of each key that signs has signed all of the message.
    pub(crate) fn verifies(&self) -> bool {
        let message = self.message.to_bytes();
        self.signatures.iter().zip(&self.message.keys).all(|(signature, key)| {
            let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
            VerifyingKey::from_bytes(&key.0).is_ok_and(|key| key.verify_strict(&message, &signature).is_ok())
        })
    }
}

impl Signature {
    /// Of its text, as nodes write it.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        bytes_of_text(text).map(Self)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bs58::encode(self.0).into_string())
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}
