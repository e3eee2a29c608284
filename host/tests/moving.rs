//! The node's key and the secrets of networks move between stores; whenever the process dies on the way, they can still be had.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs;
use std::path::Path;

use support::{Home, Ran};

/// A helper that keeps secrets in a file and, when a file `die` names the operation, kills whoever asked: `before` doing it or `after`.
const HELPER: &str = r#"
import json, os, pathlib, signal, sys
asked = json.loads(sys.stdin.readline())
place = pathlib.Path(sys.argv[1])
(place / "asked").write_text(asked["op"])
kept = json.loads((place / "kept").read_text()) if (place / "kept").exists() else {}
die = (place / "die").read_text().split() if (place / "die").exists() else []
def perhaps_kill(when):
    if die == [asked["op"], when]:
        os.kill(os.getppid(), signal.SIGKILL)
        sys.exit()
perhaps_kill("before")
if asked["op"] == "put":
    kept[asked["key"]] = asked["secret"]
if asked["op"] == "delete":
    kept.pop(asked["key"], None)
(place / "kept").write_text(json.dumps(kept))
perhaps_kill("after")
print(json.dumps({"secret": kept[asked["key"]]} if asked["op"] == "get" and asked["key"] in kept else {}))
"#;

/// A home with an identity, a secret network, and a helper.
fn home() -> Home {
    let home = Home::new();
    home.forget_the_world();
    let helper = home.path().join("helper.py");
    fs::write(&helper, HELPER).unwrap();
    // It has two seconds to answer: so Python begins sooner.
    let command = format!("python3 -S {} {}", helper.display(), home.path().display());
    home.run(&["key", "stores", "--helper", &command]);
    home.ok(&["network", "add", "club", "--secret", "new"]);
    announce(&home, "club");
    let _ = fs::remove_file(home.path().join("asked"));
    home
}

fn announce(home: &Home, network: &str) -> Ran {
    home.ok(&["announce", network, "--port", "4001", "--via", "local", "--once", "--json"])
}

fn was_asked(home: &Home) -> bool {
    fs::remove_file(home.path().join("asked")).is_ok()
}

fn kept(home: &Home) -> usize {
    let text = fs::read_to_string(home.path().join("kept")).unwrap_or_default();
    serde_json::from_str::<serde_json::Value>(&text).map_or(0, |kept| kept.as_object().unwrap().len())
}

fn files_of_the_home(home: &Home) -> usize {
    let secrets = fs::read_dir(home.path().join("data/secrets")).map_or(0, Iterator::count);
    secrets + usize::from(home.path().join("state/identity").exists())
}

fn signed_by(home: &Home, network: &str) -> String {
    let ran = home.ok(&["lookup", network, "--via", "local", "--json"]);
    ran.of_type("peer")[0]["signed_by"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_moved_is_asked_for_only_where_it_is_needed() {
    let home = home();
    let (identity, invite) = (home.identity(), home.invite("club"));
    assert_eq!(home.ok(&["key", "list", "--json"]).of_type("key")[0]["store"], "home");
    home.ok(&["key", "move", "node", "--store", "helper"]);
    home.ok(&["key", "move", "--network", "club", "--store", "helper"]);
    assert_eq!((kept(&home), files_of_the_home(&home)), (2, 0));
    assert!(was_asked(&home));
    // What needs neither asks for neither.
    for words in [
        "status",
        "key list",
        "key show node",
        "network list",
        "network show club",
        "lookup demo --via local",
        "backend list",
    ] {
        let ran = home.run(&words.split(' ').collect::<Vec<_>>());
        assert!([0, 3].contains(&ran.code()), "{words}: {}", ran.err());
        assert!(!was_asked(&home), "{words} asked the store");
    }
    let told = home.ok(&["status", "--json"]);
    assert_eq!(told.of_type("identity")[0]["store"], "helper", "{}", told.out());
    assert_eq!(home.ok(&["network", "list", "--json"]).lines()[0]["secret_store"], "helper");
    // It looks whether the store answers, and asks it for nothing.
    let told = home.ok(&["doctor"]).out();
    assert_eq!(fs::read_to_string(home.path().join("asked")).unwrap(), "status");
    assert!(
        was_asked(&home) && told.contains("to move it: bitboot key move --network club --store home"),
        "{told}"
    );
    announce(&home, "club");
    assert!(was_asked(&home));
    assert_eq!(
        (signed_by(&home, "club"), home.identity(), home.invite("club")),
        (identity.clone(), identity.clone(), invite.clone())
    );
    // And back.
    home.ok(&["key", "move", "node", "--store", "home"]);
    home.ok(&["key", "move", "--network", "club", "--store", "home"]);
    assert_eq!((kept(&home), files_of_the_home(&home)), (0, 2));
    assert_eq!((home.identity(), home.invite("club")), (identity, invite));
    assert!(!fs::read_to_string(home.path().join("config/keys.toml")).unwrap().contains("club"));
}

#[test]
fn a_process_that_dies_on_the_way_loses_nothing() {
    let home = home();
    let (identity, invite) = (home.identity(), home.invite("club"));
    let die = home.path().join("die");
    for words in ["node", "--network club"] {
        for (to, op) in [("helper", "put"), ("helper", "get"), ("home", "get"), ("home", "delete")] {
            for when in ["before", "after"] {
                let back = if to == "home" { "helper" } else { "home" };
                let words: Vec<_> = words.split(' ').collect();
                let go = |store| home.run(&[&["key", "move"], &words[..], &["--store", store]].concat());
                assert_eq!(go(back).code(), 0);
                fs::write(&die, format!("{op} {when}")).unwrap();
                let died = go(to);
                assert_eq!(died.0.status.code(), None, "{op} {when}: {}", died.err());
                fs::remove_file(&die).unwrap();
                // It is usable as it is, and nothing new was made in its place.
                announce(&home, "club");
                assert_eq!(signed_by(&home, "club"), identity, "{words:?} {op} {when}");
                assert_eq!(home.invite("club"), invite);
                let doctor = home.run(&["doctor"]);
                assert_eq!(doctor.out().contains("may still be in"), op == "delete", "{}", doctor.out());
                // Done again, it is done, and nothing is left behind.
                let again = go(to);
                assert_eq!(again.code(), 0, "{words:?} {op} {when}: {}", again.err());
                assert!(!home.ok(&["doctor"]).out().contains("may still be in"));
                let (helper, files) = if to == "home" { (0, 2) } else { (1, 1) };
                assert_eq!((kept(&home), files_of_the_home(&home)), (helper, files), "{words:?} {op} {when}");
            }
        }
    }
}

#[test]
fn a_node_takes_its_key_to_another_machine() {
    let home = home();
    let key = fs::read_to_string(home.path().join("state/identity")).unwrap();
    let other = Home::new();
    other.forget_the_world();
    assert_eq!(other.feed(&["key", "import", "node", "--kind", "ed25519"], &key).code(), 0);
    assert_eq!(other.identity(), home.identity());
    let again = other.feed(&["key", "import", "node", "--kind", "ed25519"], &key);
    assert!(again.code() == 2 && again.err().contains("has a key already"), "{}", again.err());
    for (words, says) in [
        ("key new node --kind ed25519", "the name of the node's own key"),
        ("key new other --kind ed25519 --store home", "is not encrypted"),
        ("key policy node --allow local", "signs its records only"),
        ("key default node", "signs its records only"),
        ("key move node --store env", "read only"),
        ("key move nobody --store file", "there is no key \"nobody\""),
        ("key move --network nowhere --store helper", "does not have the secret of network \"nowhere\""),
    ] {
        let ran = other.run(&words.split(' ').collect::<Vec<_>>());
        assert!([2, 4].contains(&ran.code()), "{words}: {}", ran.err());
        assert!(ran.err().contains(says) && ran.err().contains("fix: "), "{words}: {}", ran.err());
    }
    // Without its key it is another node.
    other.ok(&["key", "remove", "node", "--yes"]);
    assert_eq!(other.run(&["key", "show", "node"]).code(), 4);
    announce(&other, "demo");
    assert_ne!(other.identity(), home.identity());
}

#[test]
fn a_key_of_the_user_moves_too() {
    let home = home();
    let file = home.path().join("passphrase");
    fs::write(&file, "correct horse battery staple").unwrap();
    let passphrase = ["--passphrase-file", file.to_str().unwrap()];
    let with = |words: &str| [&words.split(' ').collect::<Vec<_>>()[..], &passphrase].concat().join(" ");
    let run = |words: &str| home.ok(&with(words).split(' ').collect::<Vec<_>>());
    run("key new mine --kind secp256k1 --store file");
    let sealed = home.path().join("data/keys/mine.json");
    let before = home.ok(&["key", "show", "mine", "--json"]).lines()[0]["public_key"].clone();
    run("key move mine --store helper");
    assert!(!sealed.exists() && kept(&home) == 1);
    // Another one that lies there already is not replaced.
    fs::write(&sealed, "{}").unwrap();
    assert_eq!(home.run(&["key", "move", "mine", "--store", "file"]).code(), 4);
    assert_eq!(fs::read_to_string(&sealed).unwrap(), "{}");
    fs::remove_file(&sealed).unwrap();
    run("key move mine --store file");
    let after = &home.ok(&["key", "show", "mine", "--json"]).lines()[0];
    assert_eq!((&after["public_key"], &after["store"], kept(&home)), (&before, &"file".into(), 0));
    assert!(Path::new(&sealed).exists());
    // A key in the environment gets a place of its own.
    let mut import = home.bitboot(&["key", "import", "ci", "--store", "env"]);
    assert!(import.env("BITBOOT_KEY_CI", "01".repeat(32)).output().unwrap().status.success());
    let mut moving = home.bitboot(&["key", "move", "ci", "--store", "helper"]);
    let told = Ran(moving.env("BITBOOT_KEY_CI", "01".repeat(32)).output().unwrap());
    assert!(told.err().contains("its variable is still set"), "{}", told.err());
    home.ok(&["key", "remove", "ci", "--yes"]);
    assert_eq!(kept(&home), 0);
}
