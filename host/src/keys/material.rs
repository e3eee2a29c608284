use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::SigningKey;
use k256::SecretKey;
use k256::elliptic_curve::Generate;
use rsa::BoxedUint;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::KeyKind;
use super::rsa_steps::Steps;
use crate::error::{Error, Kind, Result};

/// The exponent of every RSA key here.
const EXPONENT: u64 = 65537;
/// Bytes of each of the two primes of an RSA key.
const PRIME: usize = 256;
/// Bits of the modulus, the product of both.
const MODULUS_BITS: u32 = 4096;

/// A private key. Never shown by `Debug`, overwritten when it is dropped.
pub(crate) enum Material {
    Secp256k1(SecretKey),
    Ed25519(SigningKey),
    Rsa4096(Box<rsa::PrivateKey>),
}

impl Material {
    /// A new key. One of RSA takes seconds to minutes; `step` is told how far it is: so many of three steps are done.
    pub(crate) fn generate(kind: KeyKind, step: impl FnMut(u64)) -> Result<Self> {
        let no_random = |error: &dyn fmt::Display| {
            Error::new(Kind::Key, "the system gives no random bytes").because(error)
        };
        match kind {
            KeyKind::Secp256k1 => SecretKey::try_generate_from_rng(&mut getrandom::SysRng)
                .map(Self::Secp256k1)
                .map_err(|error| no_random(&error)),
            KeyKind::Ed25519 => Ok(Self::Ed25519(SigningKey::from_bytes(&*super::random()?))),
            KeyKind::Rsa4096 => rsa::PrivateKey::new(&mut Steps::new(step), 8 * 2 * PRIME)
                .map(|key| Self::Rsa4096(Box::new(key)))
                .map_err(|error| no_random(&error)),
        }
    }

    /// The key of its bytes: 32 of them, or for RSA its two primes, 256 bytes each, big-endian. Errors never repeat the bytes.
    pub(crate) fn of_bytes(kind: KeyKind, bytes: &[u8]) -> Result<Self> {
        let made = match kind {
            KeyKind::Secp256k1 => {
                (bytes.len() == 32).then(|| SecretKey::from_slice(bytes).ok()).flatten().map(Self::Secp256k1)
            }
            KeyKind::Ed25519 => bytes.try_into().ok().map(|seed| Self::Ed25519(SigningKey::from_bytes(seed))),
            KeyKind::Rsa4096 => bytes.split_at_checked(PRIME).and_then(|(p, q)| Self::of_primes(p, q)),
        };
        made.ok_or_else(|| Error::new(Kind::Key, format!("these bytes are no {} key", kind.word())))
    }

    /// The RSA key of two primes; `None` unless they make a modulus of 4096 bits.
    pub(super) fn of_primes(p: &[u8], q: &[u8]) -> Option<Self> {
        let number = |bytes| BoxedUint::from_be_slice(bytes, MODULUS_BITS / 2).ok();
        let key = rsa::PrivateKey::from_p_q(number(p)?, number(q)?, EXPONENT.into()).ok()?;
        (key.n().bit_width() == MODULUS_BITS).then(|| Self::Rsa4096(Box::new(key)))
    }

    pub(crate) fn kind(&self) -> KeyKind {
        match self {
            Self::Secp256k1(_) => KeyKind::Secp256k1,
            Self::Ed25519(_) => KeyKind::Ed25519,
            Self::Rsa4096(_) => KeyKind::Rsa4096,
        }
    }

    /// What [`Material::of_bytes`] takes.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Secp256k1(key) => key.to_bytes().to_vec(),
            Self::Ed25519(key) => key.to_bytes().to_vec(),
            Self::Rsa4096(key) => key.primes().iter().flat_map(|prime| padded(prime)).collect(),
        })
    }

    /// The public half: 33 bytes (compressed, SEC 1), 32 bytes, or a modulus of 512 bytes.
    pub(crate) fn public(&self) -> Vec<u8> {
        match self {
            Self::Secp256k1(key) => key.public_key().to_sec1_bytes().to_vec(),
            Self::Ed25519(key) => key.verifying_key().to_bytes().to_vec(),
            Self::Rsa4096(key) => key.n_bytes().to_vec(),
        }
    }

    /// As stores keep it: `KIND:BYTES` in base64url, in letters that every store can hold.
    pub(super) fn to_text(&self) -> SecretString {
        let mut text = Zeroizing::new(String::with_capacity(1024));
        text.push_str(self.kind().word());
        text.push(':');
        BASE64URL_NOPAD.encode_append(&self.to_bytes(), &mut text);
        SecretString::from(text.as_str())
    }

    /// What a store kept.
    pub(super) fn of_text(text: &SecretString) -> Result<Self> {
        let parts = text.expose_secret().split_once(':');
        let parts = parts.and_then(|(kind, bytes)| {
            let bytes = BASE64URL_NOPAD.decode(bytes.as_bytes()).ok().map(Zeroizing::new);
            Some((KeyKind::of_word(kind)?, bytes?))
        });
        let (kind, bytes) =
            parts.ok_or_else(|| Error::new(Kind::Key, "what the store has is no key of bitboot"))?;
        Self::of_bytes(kind, &bytes)
    }
}

fn padded(prime: &BoxedUint) -> Vec<u8> {
    let bytes = Zeroizing::new(prime.to_be_bytes().to_vec());
    bytes[bytes.len() - PRIME..].to_vec()
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Material({}, ..)", self.kind().word())
    }
}
