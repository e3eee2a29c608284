use serde::{Deserialize, Serialize};

/// How the host signs: which kind of key, over what, and the form of the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scheme {
    /// ECDSA over secp256k1 (SEC 1, nonce by RFC 6979) of a digest of 32 bytes; DER, with `s` in the lower half of the group's order.
    EcdsaDer,
    /// The same as 65 bytes: `r` and `s`, big-endian, 32 bytes each, then the recovery id, 0 or 1.
    EcdsaRecoverable,
    /// Schnorr over secp256k1 (BIP-340) of a digest of 32 bytes: 64 bytes.
    Bip340,
    /// Ed25519 (RFC 8032) of a message: 64 bytes.
    Ed25519,
    /// RSASSA-PSS (RFC 8017) of a message with SHA-256, MGF1 of SHA-256 and a salt of 32 bytes, by a key of 4096 bits: 512 bytes.
    RsaPssSha256,
    /// Something that this version of the contract does not know.
    #[serde(other)]
    Other,
}

/// What a backend asks the host to sign. It never sees a private key, nor does it choose one: the user does, for each backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SignRequest {
    /// How.
    pub scheme: Scheme,
    /// The digest or the message, as the scheme takes it.
    #[serde(with = "serde_bytes")]
    pub payload: Vec<u8>,
    /// What the signature is for, in a few words; it stands in the user's audit log.
    pub purpose: String,
    /// The most that the signed thing spends, amount and unit as in `0.00001 BTC`; `0 BTC` where it spends nothing, as with the second
    /// input of one transaction. Where it is missing the host counts all that was agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<String>,
}

impl SignRequest {
    /// A request that does not tell what it spends.
    #[must_use]
    pub fn new(scheme: Scheme, payload: impl Into<Vec<u8>>, purpose: impl Into<String>) -> Self {
        Self { scheme, payload: payload.into(), purpose: purpose.into(), fee: None }
    }

    /// With what it spends.
    #[must_use]
    pub fn with_fee(mut self, fee: impl Into<String>) -> Self {
        self.fee = Some(fee.into());
        self
    }
}

/// What the services `sign` and `public_key` answer: bytes, as the scheme has them.
///
/// Public keys are 33 bytes (compressed, SEC 1) for ECDSA, 32 (the x coordinate) for BIP-340, 32 for Ed25519, and for RSA the modulus, 512
/// bytes big-endian, of a key whose exponent is 65537.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The signature, or the public key.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}
