use data_encoding::HEXLOWER_PERMISSIVE;

use super::*;
use crate::keys::KeyKind;

fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).unwrap()
}

fn key(kind: KeyKind, hex: &str) -> Material {
    Material::of_bytes(kind, &bytes(hex)).unwrap()
}

/// RFC 8032, section 7.1, tests 1 and 2.
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
    ] {
        let signed = key(KeyKind::Ed25519, secret).sign(Scheme::Ed25519, &bytes(message)).unwrap();
        assert_eq!(signed, bytes(signature));
    }
}

/// BIP-340, test vector 0; its own nonce is random here, so the signature is checked instead of compared.
#[test]
fn schnorr_has_the_public_key_of_its_specification_and_verifies() {
    let key = key(KeyKind::Secp256k1, "0000000000000000000000000000000000000000000000000000000000000003");
    let public = Material::public_for(&key.public(), Scheme::Bip340);
    assert_eq!(public, bytes("F9308A019258C31049344F85F89D5229B531C845836F99B08601F113BCE036F9"));
    let signed = key.sign(Scheme::Bip340, &[0; 32]).unwrap();
    let verifying = schnorr::VerifyingKey::from_slice(&public).unwrap();
    let signature = schnorr::Signature::from_slice(&signed).unwrap();
    schnorr::signature::hazmat::PrehashVerifier::verify_prehash(&verifying, &[0; 32], &signature).unwrap();
}

/// The vector of RFC 6979 for secp256k1 that libraries of Bitcoin share: key 1, SHA-256 of "Satoshi Nakamoto", low s.
#[test]
fn ecdsa_signs_as_others_do_with_low_s() {
    let key = key(KeyKind::Secp256k1, "0000000000000000000000000000000000000000000000000000000000000001");
    let digest = bytes("a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e");
    let signed = key.sign(Scheme::EcdsaRecoverable, &digest).unwrap();
    let expected = "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5";
    assert_eq!(signed[..64], bytes(expected));
    let der = key.sign(Scheme::EcdsaDer, &digest).unwrap();
    assert_eq!(ecdsa::Signature::from_der(&der).unwrap().to_vec(), signed[..64]);
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
