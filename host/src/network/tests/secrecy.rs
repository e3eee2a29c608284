//! What is secret is not shown, and is overwritten when it is dropped.

use zeroize::ZeroizeOnDrop;

use super::*;

fn is_overwritten<T: ZeroizeOnDrop>() {}

#[test]
fn keys_are_overwritten() {
    is_overwritten::<Secret>();
    is_overwritten::<Place>();
    is_overwritten::<ed25519_dalek::SigningKey>();
    is_overwritten::<chacha20poly1305::XChaCha20Poly1305>();
    is_overwritten::<sha2::Sha256>();
}

#[test]
fn debug_shows_no_secret() {
    let secret = Secret::new(std::array::from_fn(|at| 0xa0 + u8::try_from(at).unwrap()));
    let network = Network::with_secret("demo", secret.clone()).unwrap();
    let identity = Identity::new(secret.expose());
    let error = Network::of_invite(&network.invite().unwrap().replace("?k=", "?k=_")).unwrap_err();
    let shown = format!("{network:?} {network} {secret:?} {identity:?} {:?} {error:?}", network.secret());
    for leak in ["161", "a1a2", "A1A2", "oKGio6Sl"] {
        assert!(!shown.contains(leak), "{shown}");
    }
    assert!(shown.contains(&identity.public().to_string()));
}

#[test]
fn an_invite_is_no_name() {
    let invite = secret_network("demo", 7).invite().unwrap();
    for text in [invite.clone(), format!(" {invite}"), invite.replace("bitboot", "Bitboot")] {
        assert!(Network::is_invite(&text));
        assert_eq!(Network::of_invite(&text).unwrap(), secret_network("demo", 7));
        let error = text.parse::<Network>().unwrap_err();
        assert!(!format!("{error:?}").contains("?k="));
    }
    assert!(!Network::is_invite("bitboot:/demo") && !Network::is_invite("demo"));
}

#[test]
fn a_passphrase_holds_for_its_network_only() {
    let secret = |passphrase: &str, network: &str| Secret::of_passphrase(passphrase, network).unwrap();
    let hash = open_network("demo").locator().to_hex();
    let one = secret("correct horse", &hash);
    assert_eq!(one, secret("correct horse", &hash.to_uppercase()));
    assert_ne!(one, secret("correct horse", "demo"));
    assert_ne!(one, secret("correct horse ", &hash));
    assert!(Secret::of_passphrase("1234567", "demo").is_err());
    assert!(Secret::of_passphrase("12345678", "").is_err());
}
