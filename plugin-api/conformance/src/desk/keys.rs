//! Keys that everybody knows: never send anything of worth to them.

use bitboot_plugin_api::{Error, ErrorKind, Result, Scheme, SignRequest};
use ed25519_dalek::Signer;
use k256::ecdsa;
use k256::schnorr::{self, signature::hazmat::RandomizedPrehashSigner};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, PrivateKey, sha2::Sha256};

/// The private key of both curves.
const SECRET: &[u8; 32] = b"bitboot: throwaway, worth nothin";
/// Two primes of 2048 bits, hexadecimal, a line each.
const PRIMES: &str = include_str!("rsa4096.txt");

pub(super) fn sign(asked: &SignRequest) -> Result<Vec<u8>> {
    let payload = asked.payload.as_slice();
    match asked.scheme {
        Scheme::EcdsaDer => {
            Ok(ecdsa()?.sign_prehash_recoverable(digest(payload)?).0.to_der().as_bytes().to_vec())
        }
        Scheme::EcdsaRecoverable => {
            let (signature, id) = ecdsa()?.sign_prehash_recoverable(digest(payload)?);
            Ok([signature.to_vec(), vec![id.into()]].concat())
        }
        Scheme::Bip340 => schnorr()?
            .sign_prehash_with_rng(&mut getrandom::SysRng, digest(payload)?)
            .map(|signature| signature.to_bytes().to_vec())
            .map_err(failed),
        Scheme::Ed25519 => Ok(ed25519().sign(payload).to_bytes().to_vec()),
        Scheme::RsaPssSha256 => {
            rsa()?.pss_sign_with_rng::<Sha256, _>(&mut getrandom::SysRng, payload).map_err(failed)
        }
        _ => Err(Error::unsupported("this host knows no such scheme")),
    }
}

pub(super) fn public(scheme: Scheme) -> Result<Vec<u8>> {
    match scheme {
        Scheme::EcdsaDer | Scheme::EcdsaRecoverable => {
            Ok(ecdsa()?.verifying_key().to_sec1_point(true).as_bytes().to_vec())
        }
        Scheme::Bip340 => Ok(schnorr()?.verifying_key().to_bytes().to_vec()),
        Scheme::Ed25519 => Ok(ed25519().verifying_key().to_bytes().to_vec()),
        Scheme::RsaPssSha256 => Ok(rsa()?.n_bytes().to_vec()),
        _ => Err(Error::unsupported("this host knows no such scheme")),
    }
}

fn ecdsa() -> Result<ecdsa::SigningKey> {
    ecdsa::SigningKey::from_slice(SECRET).map_err(failed)
}

fn schnorr() -> Result<schnorr::SigningKey> {
    schnorr::SigningKey::from_slice(SECRET).map_err(failed)
}

fn ed25519() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(SECRET)
}

fn rsa() -> Result<PrivateKey> {
    let mut primes = PRIMES.lines().map(|prime| BoxedUint::from_str_radix_vartime(prime, 16));
    match (primes.next(), primes.next()) {
        (Some(Ok(p)), Some(Ok(q))) => PrivateKey::from_p_q(p, q, 65537_u64.into()).map_err(failed),
        _ => Err(Error::new(ErrorKind::Key, "the throwaway key is broken")),
    }
}

fn digest(payload: &[u8]) -> Result<&[u8]> {
    if payload.len() == 32 {
        return Ok(payload);
    }
    Err(Error::new(
        ErrorKind::Refused,
        format!("this scheme signs a digest of 32 bytes, not {}", payload.len()),
    ))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Key, "the throwaway key cannot sign").because(error.to_string())
}
