//! Throwaway keys as wallets write them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use ring::signature::RSA_PSS_SHA256;
use serde_json::Value;

/// A key that everybody knows, from a wallet's file.
pub(crate) struct Key {
    pub(crate) modulus: Vec<u8>,
    pair: KeyPair,
}

impl Key {
    /// From a JSON web key (RFC 7517).
    pub(crate) fn read(text: &str) -> Self {
        let jwk: Value = serde_json::from_str(text).unwrap();
        let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let components = KeyPairComponents {
            public_key: PublicKeyComponents { n: part("n"), e: part("e") },
            d: part("d"),
            p: part("p"),
            q: part("q"),
            dP: part("dp"),
            dQ: part("dq"),
            qInv: part("qi"),
        };
        Self { modulus: part("n"), pair: KeyPair::from_components(&components).unwrap() }
    }

    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.modulus.len()];
        self.pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }
}
