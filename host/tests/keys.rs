//! Keys and their stores by the command line: named, never silent, and never in the clear.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use support::{Home, Ran, Terminal, program};

const PASSPHRASE: &str = "correct horse battery staple";
/// A private key and its public half: the generator of secp256k1 is the public key of 1 (SEC 2).
const ONE: &str = "0000000000000000000000000000000000000000000000000000000000000001";
const GENERATOR: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

/// A home with a passphrase in a file.
fn home() -> (Home, String) {
    let home = Home::new();
    let file = home.path().join("passphrase");
    fs::write(&file, format!("{PASSPHRASE}\n")).unwrap();
    (home, file.to_str().unwrap().to_owned())
}

#[track_caller]
fn refused(ran: &Ran, code: i32, says: &str) {
    let told = ran.err();
    assert_eq!(ran.code(), code, "{told}");
    assert!(told.contains(says) && told.contains("fix: "), "{told}");
}

#[test]
fn a_key_in_an_encrypted_file_is_used_with_its_passphrase_only() {
    let (home, file) = home();
    let key = home.path().join("key");
    fs::write(&key, ONE).unwrap();
    let store = ["--store", "file", "--passphrase-file", &file];
    home.ok(&[&["key", "import", "mine", key.to_str().unwrap()][..], &store].concat());
    let line = &home.ok(&["key", "list", "--json"]).of_type("key")[0];
    assert_eq!((line["public_key"].as_str().unwrap(), &line["default"]), (GENERATOR, &true.into()));
    let sealed = home.path().join("data/keys/mine.json");
    let text = fs::read_to_string(&sealed).unwrap();
    assert!(!text.contains(ONE) && text.contains("\"form\": \"bitboot key 1\""), "{text}");
    assert_eq!(fs::metadata(&sealed).unwrap().permissions().mode() & 0o077, 0);
    // Without a passphrase, or with another one.
    let again = ["key", "new", "other", "--kind", "ed25519", "--store", "file"];
    refused(&home.run(&again), 4, "--passphrase-file FILE");
    refused(&home.run(&[&["key", "new", "mine", "--kind", "ed25519"][..], &store].concat()), 2, "already");
    home.ok(&[&again[..], &["--passphrase-file", &file]].concat());
    home.ok(&["key", "remove", "mine", "--yes"]);
    assert!(!sealed.exists());
    refused(&home.run(&["key", "show", "mine"]), 4, "there is no key \"mine\"");
}

#[test]
fn without_a_keyring_the_encrypted_file_is_offered_by_name() {
    let (home, _) = home();
    let mut command = home.bitboot(&["key", "new", "mine", "--kind", "secp256k1", "--no-input"]);
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    let ran = Ran(command.output().unwrap());
    refused(&ran, 4, "there is no keyring of the operating system");
    let says = "bitboot key new mine --kind secp256k1 --store file --passphrase-file FILE";
    assert!(ran.err().contains(says), "{}", ran.err());
    assert!(!home.path().join("config/keys.toml").exists());
}

#[test]
fn a_person_without_a_keyring_is_offered_the_encrypted_file() {
    let Some(setsid) = program("setsid") else { return };
    for (answer, code) in [("n\n", 4), ("\n", 4), ("y\n", 0)] {
        let (home, _) = home();
        // A passphrase is read from the controlling terminal, whatever stdin is.
        let bitboot = env!("CARGO_BIN_EXE_bitboot");
        let mut command = home.program(&setsid, &["-c", bitboot, "key", "new", "mine", "--kind", "ed25519"]);
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        let mut terminal = Terminal::new();
        terminal.start_all(command);
        terminal
            .until("no keyring of the operating system; keep the key in an encrypted file instead? [y/N] ");
        terminal.keys(answer);
        for prompt in ["a passphrase for ", "the same again: "].iter().filter(|_| code == 0) {
            terminal.until(prompt);
            // The echo is switched off after the prompt is shown.
            terminal.until_hidden();
            terminal.keys(&format!("{PASSPHRASE}\n"));
        }
        let (status, shown) = terminal.finish();
        assert_eq!(status.code(), Some(code), "{shown}");
        assert!(!shown.contains(PASSPHRASE), "{shown}");
        assert_eq!(home.path().join("data/keys/mine.json").exists(), code == 0);
        assert_eq!(home.path().join("config/keys.toml").exists(), code == 0);
        if code == 0 {
            assert!(shown.contains("is kept in: files encrypted with a passphrase"), "{shown}");
        } else {
            assert!(shown.contains("bitboot key new mine --kind ed25519 --store file"), "{shown}");
        }
    }
}

#[test]
fn keys_come_from_the_environment_and_from_a_helper() {
    let (home, _) = home();
    let mut command = home.bitboot(&["key", "import", "ci-key", "--store", "env"]);
    command.env("BITBOOT_KEY_CI_KEY", ONE);
    assert!(Ran(command.output().unwrap()).0.status.success());
    refused(&home.run(&["key", "new", "other", "--kind", "ed25519", "--store", "env"]), 4, "read only");
    let mut old = home.bitboot(&["key", "stores"]);
    old.env("BITBOOTPY_SOLANA_KEYPAIR", "x");
    let told = Ran(old.output().unwrap()).err();
    assert!(told.contains("bitboot key import solana --store env"), "{told}");

    let helper = helper(
        &home,
        "import json, sys, pathlib\nasked = json.loads(sys.stdin.readline())\nplace = pathlib.Path(sys.argv[1])\nkept = json.loads(place.read_text()) if place.exists() else {}\nif asked['op'] == 'put':\n    kept[asked['key']] = asked['secret']\n    place.write_text(json.dumps(kept))\nif asked['op'] == 'delete':\n    kept.pop(asked['key'])\n    place.write_text(json.dumps(kept))\nprint(json.dumps({'secret': kept[asked['key']]} if asked['op'] == 'get' and asked['key'] in kept else {}))\n",
    );
    let command = format!("python3 -S {} {}", helper.display(), home.path().join("kept").display());
    home.run(&["key", "stores", "--helper", &command]);
    home.ok(&["key", "new", "helped", "--kind", "ed25519", "--store", "helper"]);
    assert!(fs::read_to_string(home.path().join("kept")).unwrap().contains("ed25519:"));
    home.ok(&["key", "remove", "helped", "--yes"]);
    assert_eq!(fs::read_to_string(home.path().join("kept")).unwrap(), "{}");
}

#[test]
fn a_helper_that_hangs_or_babbles_is_told_and_its_words_are_not() {
    let (home, _) = home();
    for (program, says) in [
        ("import time; time.sleep(600)", "did not answer within 2 s"),
        ("print('CANARY-7f3a')", "something else than one JSON object"),
        ("print('{\"error\": \"the safe is shut\"}')", "the safe is shut"),
    ] {
        let helper = helper(&home, program);
        home.run(&["key", "stores", "--helper", &format!("python3 -S {}", helper.display())]);
        let ran = home.run(&["key", "new", "x", "--kind", "ed25519", "--store", "helper"]);
        assert_eq!(ran.code(), 4, "{}", ran.err());
        assert!(ran.err().contains(says) && !ran.err().contains("CANARY"), "{}", ran.err());
    }
}

#[test]
fn what_asks_nothing_of_a_key_touches_no_store() {
    let (home, file) = home();
    home.forget_the_world();
    home.ok(&["key", "new", "mine", "--kind", "secp256k1", "--store", "file", "--passphrase-file", &file]);
    // A store that leaves a mark when it is asked.
    let mark = home.path().join("asked");
    let helper = helper(&home, &format!("open({:?}, 'w')", mark.to_str().unwrap()));
    let text = fs::read_to_string(home.path().join("config/keys.toml")).unwrap();
    let text = text.replace("store = \"file\"", "store = \"helper\"");
    let helper = format!("helper = [\"python3\", {:?}]\n", helper.to_str().unwrap());
    fs::write(home.path().join("config/keys.toml"), helper + &text).unwrap();
    home.ok(&["announce", "demo", "--port", "4001", "--via", "local", "--once"]);
    for words in [
        "lookup demo --via local",
        "status",
        "key list",
        "key show mine",
        "backend list",
        "network list",
        "plugin list",
    ] {
        home.ok(&words.split(' ').collect::<Vec<_>>());
    }
    assert!(!mark.exists(), "the store was asked");
    home.run(&["key", "remove", "mine", "--yes"]);
    assert!(mark.exists(), "the mark would not show it");
}

fn helper(home: &Home, program: &str) -> PathBuf {
    let file = home.path().join("helper.py");
    fs::write(&file, program).unwrap();
    file
}
