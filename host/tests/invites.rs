//! Secrets of networks: made, handed on, kept where nobody else can read them, and never shown.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fs;
use std::path::PathBuf;

use support::{Home, Ran};

/// The only file in the folder of secrets.
fn secret_file(home: &Home) -> PathBuf {
    let mut files = fs::read_dir(home.path().join("data/secrets")).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file
}

#[track_caller]
fn refused(ran: &Ran, code: i32, says: &str) {
    let told = ran.err();
    assert_eq!(ran.code(), code, "{told}");
    assert!(told.contains(says) && told.contains("fix: "), "{told}");
    assert_eq!(ran.out(), "");
}

#[test]
fn an_invite_is_taken_as_an_argument_and_from_stdin() {
    let [alice, bob, carol] = [(); 3].map(|()| Home::new());
    let made = alice.ok(&["network", "add", "my club/é", "--secret", "new"]);
    assert!(made.err().contains("invite others"), "{}", made.err());
    let invite = alice.invite("my club/é");
    assert!(invite.starts_with("bitboot://my%20club%2F%C3%A9?k="), "{invite}");
    bob.ok(&["network", "add", &invite]);
    assert_eq!(carol.feed(&["network", "add", "-"], &format!("  {invite}\n\n")).code(), 0);
    for home in [&bob, &carol] {
        assert_eq!(home.invite("my club/é"), invite);
        let line = &home.ok(&["network", "list", "--json"]).of_type("network")[0];
        assert_eq!((line["secret"].as_bool(), line["locator"].is_null()), (Some(true), true), "{line}");
        // The same again changes nothing.
        home.ok(&["network", "add", &invite]);
        assert_eq!(home.invite("my club/é"), invite);
    }
    refused(&bob.run(&["network", "invite", "another"]), 2, "has no secret");
}

#[test]
fn a_passphrase_is_the_same_secret_from_a_file_and_from_stdin() {
    let [alice, bob, carol] = [(); 3].map(|()| Home::new());
    let file = alice.path().join("passphrase");
    fs::write(&file, "correct horse battery staple\n").unwrap();
    alice.ok(&["network", "add", "club", "--secret", file.to_str().unwrap()]);
    assert_eq!(
        bob.feed(&["network", "add", "club", "--secret", "-"], "correct horse battery staple").code(),
        0
    );
    assert_eq!(alice.invite("club"), bob.invite("club"));
    carol.feed(&["network", "add", "club", "--secret", "-"], "correct horse battery stable");
    assert_ne!(alice.invite("club"), carol.invite("club"));
    let short = Home::new().feed(&["network", "add", "club", "--secret", "-"], "short");
    refused(&short, 2, "passphrase");
    assert!(!short.err().contains("short\""), "{}", short.err());
    refused(
        &Home::new().run(&["network", "add", "club", "--secret", "/nowhere/at/all"]),
        1,
        "/nowhere/at/all",
    );
}

#[test]
fn another_secret_for_a_known_network_has_to_be_meant() {
    let home = Home::new();
    home.ok(&["network", "add", "club", "--secret", "new"]);
    let invite = home.invite("club");
    refused(&home.run(&["network", "add", "club", "--secret", "new"]), 2, "another secret already");
    let stranger = Home::new();
    stranger.ok(&["network", "add", "club", "--secret", "new"]);
    refused(&home.run(&["network", "add", &stranger.invite("club")]), 2, "another secret already");
    assert_eq!(home.invite("club"), invite);
}

#[test]
fn removing_a_network_forgets_its_secret() {
    let home = Home::new();
    home.ok(&["network", "add", "club", "--secret", "new"]);
    let (file, invite) = (secret_file(&home), home.invite("club"));
    home.ok(&["network", "remove", "club"]);
    assert!(!file.exists());
    refused(&home.run(&["network", "invite", "club"]), 2, "has no secret");
    home.ok(&["network", "add", "club", "--secret", "new"]);
    assert_ne!(home.invite("club"), invite);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_a_secret_and_without_it_nothing_is_done() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.ok(&["network", "add", "club", "--secret", "new"]);
    let file = secret_file(&home);
    home.ok(&["announce", "club", "--port", "1", "--via", "local", "--once"]);
    for path in [&file, &home.path().join("state/identity")] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    let lookup = ["lookup", "club", "--via", "local"];
    let announce = ["announce", "club", "--port", "1", "--via", "local", "--once"];
    let invite = ["network", "invite", "club"];

    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    for words in [&lookup[..], &announce, &invite, &["withdraw", "club"]] {
        refused(&home.run(words), 4, "chmod 600");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    home.ok(&lookup);

    let identity = home.path().join("state/identity");
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o640)).unwrap();
    refused(&home.run(&announce), 4, "chmod 600");
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o600)).unwrap();

    fs::write(&file, "not a key").unwrap();
    refused(&home.run(&lookup), 4, "holds no key");
    fs::remove_file(&file).unwrap();
    for words in [&lookup[..], &announce, &invite] {
        refused(&home.run(words), 4, "by its invite");
    }
}

#[test]
fn an_invite_is_shown_by_the_command_for_it_only() {
    let (alice, home) = (Home::new(), Home::new());
    alice.ok(&["network", "add", "club", "--secret", "new"]);
    let invite = alice.invite("club");
    let secret = invite.split("k=").nth(1).unwrap();
    let hex = fs::read_to_string(secret_file(&alice)).unwrap();
    let list = home.path().join("networks");
    fs::write(&list, &invite).unwrap();
    let shouted = invite.replacen("bitboot", "BitBoot", 1);
    let (cut, longer) = (&invite[..invite.len() - 1], format!("{invite}A"));
    let with_more = format!("{invite}&x=1");
    let mistyped =
        [&invite.replacen("://", ":/", 1), &invite.replacen("bitboot", "bitbot", 1), &invite[10..]];
    let forms = [&invite, &shouted, cut, &longer, &with_more].into_iter().chain(mistyped);
    for form in forms {
        for words in [
            &["lookup", form, "--via", "local"][..],
            &["lookup", form, "--lmit"],
            &["lookup", "--via", form, "club"],
            &["lookup", "club", "--timeout", form],
            &["lookup", "club", "--via", "local", form],
            &["announce", form, "--port", "1", "--once", "--via", "local"],
            &["announce", "club", "--port", form],
            &["announce", "club", "--peer", form],
            &["join", form, "--port", "x"],
            &["withdraw", form],
            &["network", "show", form],
            &["network", "invite", form],
            &["network", "remove", form],
            &["network", "add", "club", "--secret", form],
            &["network", "add", form, "--secret", "new", "--via", "nobody"],
            &["network", "ad", form],
            &["backend", "info", form],
            &["lokup", form],
            &[form],
        ] {
            for more in [&[][..], &["-vv"], &["--json"]] {
                let words = [words, more].concat();
                unseen(&home.run(&words), &words, secret);
            }
        }
    }
    for words in [
        &["lookup", "--networks-file", list.to_str().unwrap()][..],
        &["network", "add", &invite, "-vv"],
        &["network", "list", "--json"],
        &["network", "show", "club", "-vv"],
        &["announce", "club", "--port", "1", "--once", "--via", "local", "-vv"],
        &["lookup", "club", "--via", "local", "--json", "-vv"],
        &["status", "--json"],
        &["withdraw", "club", "-vv"],
        &["network", "remove", "club"],
    ] {
        unseen(&home.run(words), words, secret);
        unseen(&alice.run(words), words, hex.trim());
    }
    unseen(&home.feed(&["network", "add", "-", "-vv"], &invite), &["-"], secret);
    unseen(&home.feed(&["network", "add", "-"], cut), &["-"], &secret[..secret.len() - 1]);
}

/// Not even the half of it.
#[track_caller]
fn unseen(ran: &Ran, words: &[&str], secret: &str) {
    let said = ran.out() + &ran.err();
    assert!(!said.contains(&secret[..secret.len() / 2]), "{words:?} says {said}");
}
