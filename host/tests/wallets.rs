//! Keys of other programs come in and go out as they were, by the command line.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Home, Ran, Terminal, rig};

/// The generator of secp256k1 is the public key of 1 (SEC 2).
const GENERATOR: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
/// RFC 8032, section 7.1, test 1.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const ITS_PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
/// 1, as Bitcoin's wallets write it, compressed and not.
const WIF: &str = "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn";
const OLD_WIF: &str = "5HpHagT65TZzG1PH3CSu63k8DbpvD8s5ip4nEB3kEsreAnchuDf";

struct Wallet {
    home: Home,
    passphrase: String,
}

impl Wallet {
    fn new() -> Self {
        let home = Home::new();
        let file = home.path().join("passphrase");
        fs::write(&file, "correct horse battery staple").unwrap();
        Self { home, passphrase: file.to_str().unwrap().to_owned() }
    }

    fn import(&self, name: &str, file: &Path, more: &[&str]) -> Ran {
        let words = ["key", "import", name, file.to_str().unwrap(), "--store", "file"];
        self.home.ok(&[&words[..], &["--passphrase-file", &self.passphrase], more].concat())
    }

    fn import_text(&self, name: &str, text: &str, more: &[&str]) -> Ran {
        let file = self.home.path().join("given");
        fs::write(&file, text).unwrap();
        self.import(name, &file, more)
    }

    fn public(&self, name: &str) -> String {
        self.home.ok(&["key", "show", name, "--json"]).lines()[0]["public_key"].as_str().unwrap().to_owned()
    }

    /// What a person gets who types the key's name; the file in which it lies.
    fn export(&self, name: &str, form: Option<&str>) -> PathBuf {
        let file = self.home.path().join("exported");
        let mut terminal = Terminal::new();
        let words = ["key", "export", name, "--passphrase-file", &self.passphrase];
        let mut command = self.home.bitboot(&words);
        command.args(form.map(|form| format!("--form={form}")));
        command.stdin(terminal.end()).stderr(terminal.end()).stdout(File::create(&file).unwrap());
        terminal.start(command);
        terminal.until("type its name to go on: ");
        terminal.keys(&format!("{name}\n"));
        let (status, shown) = terminal.finish();
        assert!(status.success(), "{shown}");
        file
    }

    fn exported(&self, name: &str, form: Option<&str>) -> String {
        fs::read_to_string(self.export(name, form)).unwrap().trim().to_owned()
    }
}

#[test]
fn a_key_comes_in_and_goes_out_as_it_was() {
    let wallet = Wallet::new();
    let hex = format!("{:064x}", 1);
    for (number, text) in [WIF, OLD_WIF, &hex, &format!("0x{hex}")].into_iter().enumerate() {
        let name = format!("one{number}");
        wallet.import_text(&name, text, &[]);
        assert_eq!(wallet.public(&name), GENERATOR, "{text}");
        assert_eq!(wallet.exported(&name, None), hex);
        assert_eq!(wallet.exported(&name, Some("wif")), WIF);
    }
    wallet.import_text("seed", SEED, &["--kind", "ed25519"]);
    assert_eq!((wallet.public("seed").as_str(), wallet.exported("seed", None).as_str()), (ITS_PUBLIC, SEED));
    for form in ["numbers", "base58"] {
        let given = wallet.exported("seed", Some(form));
        wallet.import_text(form, &given, &[]);
        assert_eq!((wallet.public(form).as_str(), wallet.exported(form, Some(form))), (ITS_PUBLIC, given));
    }
    wallet.home.run(&["announce", "demo", "--port", "1", "--via", "local", "--once"]);
    // The node's own key goes out too, for another machine.
    let node = fs::read_to_string(wallet.home.path().join("state/identity")).unwrap();
    assert_eq!(wallet.exported("node", None), node);
}

#[test]
fn a_key_goes_out_to_a_person_only_who_types_its_name() {
    let wallet = Wallet::new();
    wallet.import_text("mine", WIF, &[]);
    let words = ["key", "export", "mine", "--passphrase-file", &wallet.passphrase];
    for typed in ["y\n", "mine2\n", "\n"] {
        let mut terminal = Terminal::new();
        terminal.start_all(wallet.home.bitboot(&words));
        terminal.until("type its name to go on: ");
        terminal.keys(typed);
        let (status, shown) = terminal.finish();
        assert!(status.code() == Some(8) && !shown.contains("000000000000"), "{shown}");
    }
    assert_eq!(wallet.home.feed(&words, "mine\n").code(), 8);
    assert_eq!(wallet.home.run(&["key", "export", "nobody"]).code(), 4);
}

#[test]
fn wallets_of_other_people_agree() {
    let Some(python) = rig("the Python packages of host/tests/keys", "venv/bin/python") else { return };
    let forms = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/forms.py");
    let call = |words: &[&str]| {
        let ran = Ran(Command::new(&python).arg(&forms).args(words).output().unwrap());
        assert_eq!(ran.code(), 0, "{words:?}: {}", ran.err());
        ran.out().trim().to_owned()
    };
    let (wallet, folder) = (Wallet::new(), tempfile::tempdir().unwrap());
    let publics: serde_json::Value =
        serde_json::from_str(&call(&["make", folder.path().to_str().unwrap()])).unwrap();
    let passphrase = folder.path().join("passphrase");
    let secret = fs::read_to_string(folder.path().join("hex")).unwrap();
    for (form, kind, out) in [
        ("hex", "secp256k1", "hex"),
        ("keystore", "secp256k1", "hex"),
        ("pbkdf2", "secp256k1", "hex"),
        ("numbers", "ed25519", "numbers"),
        ("base58", "ed25519", "base58"),
        ("jwk", "rsa4096", "jwk"),
    ] {
        let given = folder.path().join(form);
        // A keystore has a passphrase of its own.
        wallet.import(form, &given, &["--keystore-passphrase", passphrase.to_str().unwrap()]);
        assert_eq!(wallet.public(form), publics[kind].as_str().unwrap(), "{form}");
        let file = wallet.export(form, Some(out));
        assert_eq!(call(&["read", out, file.to_str().unwrap()]), publics[kind].as_str().unwrap(), "{form}");
        let (text, given) = (fs::read_to_string(&file).unwrap(), fs::read_to_string(&given).unwrap());
        match out {
            "hex" => assert_eq!(text.trim(), secret, "{form}"),
            "base58" => assert_eq!(text.trim(), given),
            _ => assert_eq!(json(&text), json(&given), "{form}"),
        }
    }
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}
