use bitboot_plugin_api::Scheme;
use ed25519_dalek::Signer;
use k256::ecdsa;
use k256::schnorr;
use k256::schnorr::signature::hazmat::RandomizedPrehashSigner;
use rsa::rand_core::TryCryptoRng;
use rsa::sha2::Sha256;

use super::Material;
use crate::error::{Error, Kind, Result};

/// The bytes of a digest.
const DIGEST: usize = 32;

impl Material {
    /// A signature in the form that the scheme has.
    pub(crate) fn sign(&self, scheme: Scheme, payload: &[u8]) -> Result<Vec<u8>> {
        self.sign_with(&mut getrandom::SysRng, scheme, payload)
    }

    /// The same with other random numbers: the auxiliary ones of BIP-340, the salt of PSS.
    fn sign_with(&self, random: &mut impl TryCryptoRng, scheme: Scheme, payload: &[u8]) -> Result<Vec<u8>> {
        match (self, scheme) {
            (Self::Secp256k1(key), Scheme::EcdsaDer) => {
                let (signature, _) = ecdsa::SigningKey::from(key).sign_prehash_recoverable(digest(payload)?);
                Ok(signature.to_der().as_bytes().to_vec())
            }
            (Self::Secp256k1(key), Scheme::EcdsaRecoverable) => {
                let (signature, id) = ecdsa::SigningKey::from(key).sign_prehash_recoverable(digest(payload)?);
                Ok([signature.to_vec(), vec![id.into()]].concat())
            }
            (Self::Secp256k1(key), Scheme::Bip340) => schnorr::SigningKey::from(key)
                .sign_prehash_with_rng(random, digest(payload)?)
                .map(|signature| signature.to_bytes().to_vec())
                .map_err(|error| failed(&error)),
            (Self::Ed25519(key), Scheme::Ed25519) => Ok(key.sign(payload).to_bytes().to_vec()),
            (Self::Rsa4096(key), Scheme::RsaPssSha256) => {
                key.pss_sign_with_rng::<Sha256, _>(random, payload).map_err(|error| failed(&error))
            }
            _ => {
                let what = format!("a {} key does not sign by this scheme", self.kind().word());
                Err(Error::new(Kind::Key, what))
            }
        }
    }

    /// The public half in the form that the scheme has.
    pub(crate) fn public_for(public: &[u8], scheme: Scheme) -> Vec<u8> {
        match scheme {
            // The x coordinate alone (BIP-340): what follows the first byte of the compressed form.
            Scheme::Bip340 => public.get(1..).unwrap_or_default().to_vec(),
            _ => public.to_vec(),
        }
    }
}

fn digest(payload: &[u8]) -> Result<&[u8]> {
    if payload.len() == DIGEST {
        return Ok(payload);
    }
    Err(Error::new(Kind::Usage, format!("this scheme signs a digest of 32 bytes, not {}", payload.len())))
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::Key, "the key cannot sign").because(error)
}

#[cfg(test)]
#[path = "tests/sign.rs"]
mod tests;
