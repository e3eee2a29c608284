use bitboot_plugin_api::ffi::outside::Services;
use bitboot_plugin_api::message;
use proptest::prelude::*;

use super::*;
use crate::client::Purpose;
use crate::keys::{Grant, Material, StoreName, ask_never};

const SECRET: [u8; 32] = [0x5a; 32];

/// Without limits.
fn grant() -> Grant {
    Grant { plugin: "p".into(), ..Grant::default() }
}

/// A home whose key may be used, and its signer with the key unlocked.
fn signer(home: &std::path::Path) -> (Arc<HostSigner>, Asker) {
    let file = home.join("passphrase");
    std::fs::write(&file, "correct horse").unwrap();
    let paths = Paths::inside(home);
    let ring = Arc::new(KeyRing::new(&paths, ask_never(Some(&file)), false));
    ring.keep("mine", StoreName::File, &Material::of_bytes(KeyKind::Secp256k1, &SECRET).unwrap()).unwrap();
    ring.change(|index| {
        index.keys.get_mut("mine").unwrap().grants.insert("toll".into(), grant());
        Ok(())
    })
    .unwrap();
    let registry = Arc::new(Registry::layered("", "", "registry.toml").unwrap());
    let asker =
        Asker { plugin: "p".into(), backend: "toll".into(), kinds: vec!["secp256k1".into()], spends: true };
    (Arc::new(HostSigner::new(&paths, registry, ring)), asker)
}

fn request(fee: Option<&str>) -> SignRequest {
    let request = SignRequest::new(Scheme::EcdsaDer, [7; 32], "a test");
    fee.map_or(request.clone(), |fee| request.with_fee(fee))
}

#[test]
fn another_backend_and_another_kind_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let (signer, asker) = signer(home.path());
    assert!(signer.sign(&asker, &request(Some("0 TOL"))).is_ok());
    let other = Asker { backend: "other".into(), ..asker.clone() };
    assert_eq!(signer.sign(&other, &request(Some("0 TOL"))).unwrap_err().kind, Kind::NeedsHuman);
    assert_eq!(signer.public_key(&other, Scheme::EcdsaDer).unwrap_err().kind, Kind::NeedsHuman);
    // Another plugin that has come to the backend's name.
    let heir = Asker { plugin: "q".into(), ..asker.clone() };
    assert_eq!(signer.sign(&heir, &request(Some("0 TOL"))).unwrap_err().kind, Kind::NeedsHuman);
    assert_eq!(signer.public_key(&heir, Scheme::EcdsaDer).unwrap_err().kind, Kind::NeedsHuman);
    assert!(signer.public_key(&asker, Scheme::EcdsaDer).is_ok());
    let modest = Asker { kinds: vec!["ed25519".into()], ..asker.clone() };
    assert!(signer.sign(&modest, &request(Some("0 TOL"))).is_err());
    // One that may not spend gets no more by an agreement.
    let thrifty = Asker { spends: false, ..asker.clone() };
    assert!(signer.sign(&thrifty, &request(Some("0 TOL"))).is_ok());
    let spend = Spend {
        purpose: Purpose::Network("n".into()),
        backend: "toll".into(),
        fee: "1 TOL".parse().unwrap(),
        signatures: 1,
    };
    let agreed = signer.agree(&spend).unwrap().unwrap();
    let refused = signer.sign(&thrifty, &request(Some("0.1 TOL"))).unwrap_err();
    assert!(refused.what.contains("may not spend anything"), "{refused}");
    drop(agreed);
    // Outside of an announcement that somebody agreed to, nothing is spent; nor by not telling.
    for fee in [Some("0.1 TOL"), None] {
        assert_eq!(signer.sign(&asker, &request(fee)).unwrap_err().kind, Kind::NeedsHuman);
    }
    let log = std::fs::read_to_string(home.path().join("state/audit.jsonl")).unwrap();
    assert_eq!((log.lines().count(), log.matches("\"refused\":null").count()), (8, 2), "{log}");
}

#[test]
fn a_key_that_may_spend_signs_only_what_was_agreed_to_and_no_more_often() {
    let home = tempfile::tempdir().unwrap();
    let (signer, asker) = signer(home.path());
    let limit = || Some("1 TOL".parse().unwrap());
    signer
        .ring
        .change(|index| {
            let grant = Grant { per_transaction: limit(), per_day: limit(), ..grant() };
            index.keys.get_mut("mine").unwrap().grants.insert("toll".into(), grant);
            Ok(())
        })
        .unwrap();
    let sign = |fee| signer.sign(&asker, &request(fee));
    assert_eq!(sign(Some("0 TOL")).unwrap_err().kind, Kind::NeedsHuman, "nobody has agreed");
    let spend = Spend {
        purpose: Purpose::Network("n".into()),
        backend: "toll".into(),
        fee: "0.5 TOL".parse().unwrap(),
        signatures: 3,
    };
    let agreed = signer.agree(&spend).unwrap().unwrap();
    assert!(signer.agree(&spend).unwrap().is_none(), "one after the other");
    let elsewhere = Arc::new(HostSigner::new(
        &Paths::inside(home.path()),
        Arc::clone(&signer.registry),
        Arc::clone(&signer.ring),
    ));
    assert!(elsewhere.agree(&spend).unwrap().is_none(), "another process waits too");
    assert!(sign(Some("0.6 TOL")).is_err(), "over the fee");
    assert!(sign(Some("0.2 TOL")).is_ok() && sign(Some("0 TOL")).is_ok() && sign(None).is_ok());
    assert_eq!(sign(Some("0 TOL")).unwrap_err().kind, Kind::NeedsHuman, "three were agreed to");
    drop(agreed);
    assert!(elsewhere.agree(&spend).unwrap().is_some());
    assert!(sign(Some("0 TOL")).is_err(), "it is over");
    let counted = signer.spending.today().unwrap();
    assert_eq!(counted[0].amount, "0.5 TOL".parse().unwrap());
}

#[test]
fn who_is_refused_on_and_on_fills_no_disk() {
    let home = tempfile::tempdir().unwrap();
    let (signer, asker) = signer(home.path());
    let long = "x".repeat(100_000);
    let greedy = SignRequest::new(Scheme::EcdsaDer, [7; 32], &long).with_fee(&long);
    for _ in 0..MAX_REFUSED + 10 {
        assert!(signer.sign(&asker, &greedy).is_err());
    }
    let audit = std::fs::read_to_string(home.path().join("state/audit.jsonl")).unwrap();
    assert_eq!(audit.lines().count(), MAX_REFUSED as usize);
    assert!(audit.len() < 250_000, "{}", audit.len());
    // What is signed is always written down.
    assert!(signer.sign(&asker, &request(Some("0 TOL"))).is_ok());
    let audit = std::fs::read_to_string(home.path().join("state/audit.jsonl")).unwrap();
    assert_eq!(audit.lines().count(), MAX_REFUSED as usize + 1);
}

#[test]
fn no_answer_has_a_private_key_in_it() {
    let home = tempfile::tempdir().unwrap();
    let (signer, asker) = signer(home.path());
    let desk = crate::loader::desk(asker, home.path(), signer);
    let is_clean = |answer: &[u8]| !answer.windows(8).any(|part| SECRET.starts_with(part));
    let services =
        ["sign", "public_key", "private_key", "secret", "key", "export", "unlock", "get", "log", "cache_get"];
    let bodies = [
        message::encode(&request(Some("0 TOL"))),
        message::encode(&Scheme::EcdsaDer),
        message::encode("mine"),
        message::encode(&bitboot_plugin_api::CacheEntry { name: "mine".into(), bytes: None }),
        Vec::new(),
    ];
    for service in services {
        for body in &bodies {
            let answer = desk.request(service, body);
            assert!(answer.as_deref().map_or(true, is_clean), "{service}");
            assert!(!format!("{answer:?}").contains("5a5a5a5a"), "{service}");
        }
    }
    proptest!(ProptestConfig::with_cases(200), |(service in "[a-z_]{0,12}", body in proptest::collection::vec(any::<u8>(), 0..80))| {
        for service in [service.as_str(), "sign", "public_key"] {
            prop_assert!(desk.request(service, &body).as_deref().map_or(true, is_clean));
        }
    });
}
