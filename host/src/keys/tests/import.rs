use super::*;
use data_encoding::HEXLOWER;

fn read(text: &str, kind: Option<KeyKind>) -> Result<(Material, &'static str)> {
    parse(&SecretString::from(text), kind, || Ok(SecretString::from("testpassword")))
}

fn public(text: &str) -> String {
    HEXLOWER.encode(&read(text, None).unwrap().0.public())
}

/// The public key of 1 is the generator (SEC 2, section 2.4.1).
const GENERATOR: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

#[test]
fn one_key_in_all_of_its_forms() {
    let hex = format!("{:064x}", 1);
    // 1 as WIF, compressed and not, as the wiki of the format has them for this key.
    for text in [
        &hex,
        &format!("0x{hex}"),
        "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn",
        "5HpHagT65TZzG1PH3CSu63k8DbpvD8s5ip4nEB3kEsreAnchuDf",
    ] {
        assert_eq!(public(text), GENERATOR, "{text}");
    }
    // RFC 8032, section 7.1, test 1.
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let ed25519 = read(seed, Some(KeyKind::Ed25519)).unwrap().0;
    let its = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(HEXLOWER.encode(&ed25519.public()), its);
    for form in [Form::Numbers, Form::Base58] {
        assert_eq!(public(&ed25519.export(Some(form)).unwrap()), its);
    }
    let wif = read(&hex, None).unwrap().0.export(Some(Form::Wif)).unwrap();
    assert_eq!(*wif, "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn");
}

/// The two examples of the specification of the V3 keystore, with their passphrase.
#[test]
fn keystores_of_the_specification_are_opened() {
    let scrypt = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},"ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt","kdfparams":{"dklen":32,"n":262144,"p":8,"r":1,"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},"mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
    let pbkdf2 = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},"ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},"mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
    let secret = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
    for keystore in [scrypt, pbkdf2] {
        assert_eq!(*read(keystore, None).unwrap().0.export(None).unwrap(), secret);
        let other = parse(&SecretString::from(keystore), None, || Ok(SecretString::from("another")));
        assert_eq!(other.unwrap_err().kind, Kind::Key);
    }
    let greedy = scrypt.replace("262144", "1099511627776");
    assert!(read(&greedy, None).unwrap_err().what.contains("too much work"));
    // 16 GiB: the table of blocks grows with r and p as well.
    let wide = scrypt.replace("\"n\":262144,\"p\":8,\"r\":1,", "\"n\":1,\"p\":16,\"r\":8388608,");
    assert!(read(&wide, None).unwrap_err().what.contains("too much work"));
}

#[test]
fn what_is_no_key_is_refused_and_never_repeated() {
    let canary = "CANARYdeadbeef";
    for text in [
        canary.to_owned(),
        format!("[1, 2, \"{canary}\"]"),
        format!("{{\"kty\":\"RSA\",\"n\":\"{canary}\",\"e\":\"AQAB\",\"p\":\"{canary}\"}}"),
        format!("{{\"secret\":\"{canary}\"}}"),
        "0".repeat(64),
        "f".repeat(64),
    ] {
        let error = read(&text, None).unwrap_err();
        assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
    }
    assert!(read(&format!("{:064x}", 1), Some(KeyKind::Rsa4096)).is_err());
    let material = read(&format!("{:064x}", 0xdead_beef_u32), None).unwrap().0;
    assert_eq!(format!("{material:?}"), "Material(secp256k1, ..)");
}
