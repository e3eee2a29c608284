use aes::Aes128;
use ctr::cipher::{KeyIvInit, StreamCipher};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use pbkdf2::pbkdf2_hmac;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;
use sha3::{Digest, Keccak256};
use zeroize::{Zeroize, Zeroizing};

use super::super::{KeyKind, Material};
use super::unknown;
use crate::error::{Error, Kind, Result};

/// The most memory that a keystore may ask for: 1 GiB; what is common asks for 256 MiB.
const MOST_MEMORY: u64 = 1 << 30;
/// The most rounds of PBKDF2 that one may ask for.
const MOST_ROUNDS: u32 = 10_000_000;

/// A V3 keystore, as wallets write it (<https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage>).
#[derive(Deserialize)]
struct Keystore {
    #[serde(alias = "Crypto")]
    crypto: Crypto,
    version: u32,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    ciphertext: String,
    kdf: String,
    kdfparams: KdfParams,
    mac: String,
}

#[derive(Deserialize)]
struct CipherParams {
    iv: String,
}

#[derive(Deserialize)]
struct KdfParams {
    salt: String,
    dklen: u32,
    #[serde(default)]
    n: u64,
    #[serde(default)]
    r: u32,
    #[serde(default)]
    p: u32,
    #[serde(default)]
    c: u32,
    #[serde(default)]
    prf: String,
}

/// A JSON web key of RSA (RFC 7517, RFC 7518 section 6.3). What it tells besides is computed anew. Overwritten when it is dropped.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    n: String,
    e: String,
    #[serde(default)]
    p: String,
    #[serde(default)]
    q: String,
}

impl Drop for Jwk {
    fn drop(&mut self) {
        self.p.zeroize();
        self.q.zeroize();
    }
}

/// A JSON object: a keystore or a web key.
pub(super) fn object(
    given: &str,
    passphrase: impl FnOnce() -> Result<SecretString>,
) -> Result<(Material, &'static str)> {
    if let Ok(keystore) = serde_json::from_str::<Keystore>(given) {
        return Ok((keystore.open(&passphrase()?)?, "V3 keystore"));
    }
    // What the parser says could repeat a part of the key.
    let jwk: Jwk = serde_json::from_str(given)
        .map_err(|_| unknown("the JSON object is neither a V3 keystore nor a JWK with its primes"))?;
    Ok((jwk.open()?, "JWK"))
}

/// A JSON list of 64 numbers: seed and public key of ed25519.
pub(super) fn numbers(given: &str) -> Result<Material> {
    let bytes = serde_json::from_str::<Vec<u8>>(given).map(Zeroizing::new);
    pair(&bytes.map_err(|_| unknown("the JSON list has something else in it than bytes"))?)
}

/// Seed and public key, 32 bytes each.
pub(super) fn pair(bytes: &[u8]) -> Result<Material> {
    let (seed, public) = bytes.split_at_checked(32).ok_or_else(|| unknown("it has too few bytes"))?;
    let material = Material::of_bytes(KeyKind::Ed25519, seed)?;
    if material.public() == public { Ok(material) } else { Err(unknown("its public half is another key's")) }
}

impl Keystore {
    fn open(&self, passphrase: &SecretString) -> Result<Material> {
        let Crypto { cipher, cipherparams, ciphertext, kdf, kdfparams, mac } = &self.crypto;
        if self.version != 3 || cipher != "aes-128-ctr" || kdfparams.dklen != 32 {
            return Err(unknown("the keystore is not of version 3 with aes-128-ctr"));
        }
        let hex = |text: &str| {
            HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| unknown("the keystore is broken"))
        };
        let (mut secret, iv) = (Zeroizing::new(hex(ciphertext)?), hex(&cipherparams.iv)?);
        let key = kdfparams.derive(kdf, passphrase, &hex(&kdfparams.salt)?)?;
        let told = Keccak256::new().chain_update(&key[16..]).chain_update(&*secret).finalize();
        if told[..] != hex(mac)?[..] {
            return Err(Error::new(Kind::Key, "the passphrase does not open this keystore").fix("try again"));
        }
        let mut aes = ctr::Ctr128BE::<Aes128>::new_from_slices(&key[..16], &iv)
            .map_err(|_| unknown("the keystore is broken"))?;
        aes.apply_keystream(&mut secret);
        Material::of_bytes(KeyKind::Secp256k1, &secret)
    }
}

impl KdfParams {
    fn derive(&self, kdf: &str, passphrase: &SecretString, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
        let (passphrase, mut key) = (passphrase.expose_secret().as_bytes(), Zeroizing::new([0; 32]));
        match kdf {
            "scrypt" => {
                // Both of its tables: V of N blocks, and B of p (RFC 7914 section 6).
                let blocks = self.n.saturating_add(self.p.into());
                let memory = 128u64.saturating_mul(blocks).saturating_mul(self.r.into());
                let modest = self.n.is_power_of_two() && memory <= MOST_MEMORY && self.p <= 16;
                let log_n = u8::try_from(self.n.checked_ilog2().unwrap_or(0)).unwrap_or(u8::MAX);
                let params = modest.then(|| scrypt::Params::new(log_n, self.r, self.p).ok()).flatten();
                let params = params.ok_or_else(|| unknown("the keystore asks for too much work"))?;
                scrypt::scrypt(passphrase, salt, &params, &mut *key)
                    .map_err(|_| unknown("the keystore is broken"))?;
            }
            "pbkdf2" if self.prf == "hmac-sha256" && (1..=MOST_ROUNDS).contains(&self.c) => {
                pbkdf2_hmac::<Sha256>(passphrase, salt, self.c, &mut *key);
            }
            _ => return Err(unknown("the keystore's key derivation is another one than scrypt and pbkdf2")),
        }
        Ok(key)
    }
}

impl Jwk {
    fn open(&self) -> Result<Material> {
        let number = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok().map(Zeroizing::new);
        if self.kty != "RSA" || self.e != "AQAB" {
            return Err(unknown("the JWK is not of RSA with the exponent 65537"));
        }
        let primes = number(&self.p).zip(number(&self.q));
        let material = primes.and_then(|(p, q)| Material::of_primes(&p, &q));
        let material =
            material.ok_or_else(|| unknown("the JWK has not both primes of a key of 4096 bits"))?;
        if number(&self.n).is_some_and(|n| *n == material.public()) {
            Ok(material)
        } else {
            Err(unknown("its public half is another key's"))
        }
    }
}
