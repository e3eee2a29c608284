use std::convert::Infallible;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use k256::schnorr::signature::hazmat::PrehashVerifier;
use rsa::rand_core::TryRng;
use sha2::Digest;

use super::*;
use crate::keys::KeyKind;

fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).unwrap()
}

fn key(kind: KeyKind, hex: &str) -> Material {
    Material::of_bytes(kind, &bytes(hex)).unwrap()
}

/// Random numbers that a vector tells: the same bytes again and again.
struct Told(Vec<u8>);

impl TryRng for Told {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        rsa::rand_core::utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        rsa::rand_core::utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.iter_mut().zip(self.0.iter().cycle()).for_each(|(byte, told)| *byte = *told);
        Ok(())
    }
}

impl TryCryptoRng for Told {}

/// RFC 8032, section 7.1: tests 1, 2, 3 and "SHA(abc)".
#[test]
fn ed25519_signs_as_its_specification() {
    for (secret, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ),
    ] {
        let signed = key(KeyKind::Ed25519, secret).sign(Scheme::Ed25519, &bytes(message)).unwrap();
        assert_eq!(signed, bytes(signature));
    }
}

/// The vectors of BIP-340 (<https://github.com/bitcoin/bips/blob/master/bip-0340/test-vectors.csv>) for messages of 32 bytes, the only ones
/// that the scheme takes: signatures are compared, and what the specification refuses is refused.
#[test]
fn schnorr_signs_as_its_specification() {
    let (mut made, mut judged) = (0, 0);
    for line in include_str!("bip340.csv").lines().skip(1) {
        let [index, secret, public, random, message, signature, valid, ..] =
            line.split(',').collect::<Vec<_>>()[..]
        else {
            panic!("{line}")
        };
        let (public, message, signature) = (bytes(public), bytes(message), bytes(signature));
        if !secret.is_empty() {
            let key = key(KeyKind::Secp256k1, secret);
            assert_eq!(Material::public_for(&key.public(), Scheme::Bip340), public, "{index}");
            let signed = key.sign_with(&mut Told(bytes(random)), Scheme::Bip340, &message).unwrap();
            assert_eq!(signed, signature, "{index}");
            let ours = key.sign(Scheme::Bip340, &message).unwrap();
            assert!(ours != signature && accepts(&public, &message, &ours), "{index}");
            made += 1;
        }
        assert_eq!(accepts(&public, &message, &signature), valid == "TRUE", "{index}");
        judged += 1;
    }
    assert_eq!((made, judged), (4, 15));
}

fn accepts(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = schnorr::VerifyingKey::from_slice(public);
    let signature = schnorr::Signature::from_slice(signature);
    key.ok().zip(signature.ok()).is_some_and(|(key, it)| key.verify_prehash(message, &it).is_ok())
}

/// Vectors of RFC 6979 for secp256k1 and SHA-256 that libraries of Bitcoin share; `s` is low in each.
#[test]
fn ecdsa_signs_as_others_do_with_low_s() {
    const SMALLEST: &str = "0000000000000000000000000000000000000000000000000000000000000001";
    const LARGEST: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140";
    for (secret, message, signature) in [
        (
            SMALLEST,
            "Satoshi Nakamoto",
            "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5",
        ),
        (
            SMALLEST,
            "All those moments will be lost in time, like tears in rain. Time to die...",
            "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21",
        ),
        (
            LARGEST,
            "Satoshi Nakamoto",
            "fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d06b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5",
        ),
        (
            "f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181",
            "Alan Turing",
            "7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea",
        ),
    ] {
        let (key, digest) = (key(KeyKind::Secp256k1, secret), Sha256::digest(message));
        let signed = key.sign(Scheme::EcdsaRecoverable, &digest).unwrap();
        assert_eq!(signed[..64], bytes(signature), "{message}");
        let der = key.sign(Scheme::EcdsaDer, &digest).unwrap();
        assert_eq!(ecdsa::Signature::from_der(&der).unwrap().to_vec(), signed[..64]);
    }
}

/// EIP-155, its example, in which `v` is 37 and so the recovery id 0; and for many digests the public key that is recovered is ours.
#[test]
fn ecdsa_tells_which_key_signed() {
    let example = key(KeyKind::Secp256k1, &"46".repeat(32));
    let digest = bytes("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
    let expected = "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa63627667cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d8300";
    assert_eq!(example.sign(Scheme::EcdsaRecoverable, &digest).unwrap(), bytes(expected));
    let mut ids = [0; 2];
    for number in 0..64_u8 {
        let digest = Sha256::digest([number]);
        let signed = example.sign(Scheme::EcdsaRecoverable, &digest).unwrap();
        let signature = ecdsa::Signature::from_slice(&signed[..64]).unwrap();
        assert_eq!(signature.normalize_s(), signature, "s is low");
        let id = ecdsa::RecoveryId::from_byte(signed[64]).unwrap();
        let recovered = ecdsa::VerifyingKey::recover_from_prehash(&digest, &signature, id).unwrap();
        assert_eq!(recovered.to_sec1_point(true).as_bytes(), example.public());
        ids[usize::from(signed[64])] += 1;
    }
    assert!(ids.iter().all(|count| *count > 16), "{ids:?}");
}

/// Compared with what `PyCryptodome` makes of the same key, message and salt; and judged by a verifier that accepts a vector of Wycheproof
/// (`rsa_pss_4096_sha256_mgf1_32`, number 3) and nothing that was changed.
#[test]
fn rsa_pss_signs_as_others_do() {
    let accepts = |public: &[u8], message: &[u8], signature: &[u8]| {
        let modulus = rsa::BoxedUint::from_be_slice(public, 4096).unwrap();
        let key = rsa::PublicKey::new(modulus, rsa::BoxedUint::from(65537_u64)).unwrap();
        key.pss_verify::<Sha256>(message, signature).is_ok()
    };
    let [public, message, signature] =
        include_str!("pss4096.txt").lines().map(bytes).collect::<Vec<_>>().try_into().unwrap();
    assert!(accepts(&public, &message, &signature));
    assert!(!accepts(&public, b"test", &signature));

    let primes = include_str!("../../../../plugin-api/conformance/src/desk/rsa4096.txt").replace('\n', "");
    let key = key(KeyKind::Rsa4096, &primes);
    let signed = key.sign_with(&mut Told(vec![0x11]), Scheme::RsaPssSha256, b"abc").unwrap();
    let theirs = "7dcd31226ac1f4ff8e4f1194aa3461615d0be4335eaf4db8130e6127fe1689e8";
    assert_eq!(HEXLOWER.encode(&Sha256::digest(&signed)), theirs);
    for _ in 0..2 {
        let signed = key.sign(Scheme::RsaPssSha256, b"abc").unwrap();
        assert!(accepts(&key.public(), b"abc", &signed) && !accepts(&key.public(), b"abd", &signed));
        assert_ne!(HEXLOWER.encode(&Sha256::digest(&signed)), theirs, "the salt is random");
    }
}

#[test]
fn a_scheme_takes_its_own_kind_and_a_whole_digest() {
    let key = key(KeyKind::Secp256k1, "0000000000000000000000000000000000000000000000000000000000000001");
    for scheme in [Scheme::Ed25519, Scheme::RsaPssSha256, Scheme::Other] {
        assert!(key.sign(scheme, &[0; 32]).is_err());
    }
    for scheme in [Scheme::EcdsaDer, Scheme::EcdsaRecoverable, Scheme::Bip340] {
        assert!(key.sign(scheme, &[0; 31]).is_err() && key.sign(scheme, &[0; 33]).is_err());
    }
}
