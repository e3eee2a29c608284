//! Who is trusted, and who is asked.

use std::fs;

use crate::refused;
use crate::support::{Author, Home, PLUGIN};

#[test]
fn a_new_publisher_is_nothing_for_a_script() {
    let (author, home) = (Author::new(), Home::new());
    let package = author.publish("1.0.0");
    let path = package.to_str().unwrap();
    for words in [vec!["plugin", "install", path], vec!["plugin", "install", path, "--yes"]] {
        let ran = home.run(&words);
        refused(&ran, 8, "needs-human", "new-publisher");
        assert!(ran.err().contains(&author.public) && ran.err().contains("Ann"), "{}", ran.err());
    }
    let other = Author::new();
    let ran = home.run(&["plugin", "install", path, "--trust", &other.public]);
    refused(&ran, 7, "integrity", "changed-key");
    let plan = home.ok(&["plugin", "install", path, "--trust", &author.public, "--dry-run", "--json"]);
    assert_eq!(plan.of_type("change")[0]["done"], false);
    assert_eq!(home.version(), None);
    home.ok(&["plugin", "install", path, "--trust", &author.public]);
    let shown = &home.ok(&["trust", "show", "Ann", "--json"]).lines()[0];
    assert_eq!((&shown["state"], &shown["plugins"][0]), (&"trusted".into(), &PLUGIN.into()));
    // The key that is trusted now signs the next version without a word.
    home.ok(&["plugin", "install", author.publish("1.1.0").to_str().unwrap()]);
}

#[test]
fn a_publisher_changes_its_key_only_by_the_users_word() {
    let (old, new, home) = (Author::new(), Author::new(), Home::new());
    home.trust(&old);
    home.ok(&["plugin", "install", old.publish("1.0.0").to_str().unwrap()]);
    let package = new.publish("1.1.0");
    let ran = home.install(&package);
    refused(&ran, 7, "integrity", "changed-key");
    let fix = format!("bitboot trust add {} --plugin {PLUGIN}", new.public);
    assert!(ran.err().contains(&fix), "{}", ran.err());
    home.ok(&["trust", "add", &new.public, "--plugin", PLUGIN]);
    home.ok(&["plugin", "install", package.to_str().unwrap()]);
    // The old one may sign it no more.
    refused(&home.install(&old.publish("1.2.0")), 7, "integrity", "changed-key");
    // Removing the plugin does not make its name free.
    home.ok(&["plugin", "remove", PLUGIN]);
    refused(&home.install(&old.publish("1.2.0")), 7, "integrity", "changed-key");
}

#[test]
fn nonsense_in_the_trust_file_trusts_nobody() {
    let (author, home) = (Author::new(), Home::new());
    home.trust(&author);
    let path = home.path().join("config/trust.toml");
    fs::write(&path, "publisher = 7\n").unwrap();
    refused(&home.install(&author.publish("1.0.0")), 10, "config", "trust");
    assert_eq!(fs::read_to_string(&path).unwrap(), "publisher = 7\n");
}

#[test]
fn a_signing_key_is_kept_encrypted() {
    let (author, home) = (Author::new(), Home::new());
    let (key, pass) = (home.path().join("my.key"), home.path().join("pass"));
    let key_word = key.to_str().unwrap();
    let nobody = home.run(&["plugin", "sign", "--new-key", key_word]);
    assert_eq!((nobody.code(), key.exists()), (4, false), "{}", nobody.err());
    fs::write(&pass, "correct horse\n").unwrap();
    let pass_word = pass.to_str().unwrap();
    home.ok(&["plugin", "sign", "--new-key", key_word, "--passphrase-file", pass_word]);
    assert_eq!(
        home.run(&["plugin", "sign", "--new-key", key_word, "--passphrase-file", pass_word]).code(),
        2
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let package = author.publish("1.0.0");
    let words = [
        "plugin",
        "sign",
        package.to_str().unwrap(),
        "--key",
        key_word,
        "--publisher",
        "Bob",
        "--passphrase-file",
    ];
    home.ok(&[&words[..], &[pass_word]].concat());
    let public = fs::read_to_string(key.with_added_extension("pub")).unwrap();
    let public = public.lines().last().unwrap().to_owned();
    home.ok(&["plugin", "install", package.to_str().unwrap(), "--trust", &public]);
    fs::write(&pass, "wrong\n").unwrap();
    let wrong = home.run(&[&words[..], &[pass_word]].concat());
    assert_eq!(wrong.code(), 4, "{}", wrong.err());
    assert!(!wrong.err().contains("wrong\n") && !wrong.err().contains("correct horse"), "{}", wrong.err());
}

#[cfg(unix)]
#[test]
fn a_person_is_shown_who_signed_and_asked_once() {
    use crate::support::Terminal;

    let (author, home) = (Author::new(), Home::new());
    let package = author.publish("1.0.0");
    for (answer, version) in [("n\n", None), ("y\n", Some("1.0.0"))] {
        let mut terminal = Terminal::new();
        terminal.start_all(home.bitboot(&["plugin", "install", package.to_str().unwrap()]));
        terminal.until("trust this key from now on?");
        terminal.keys(answer);
        let (status, shown) = terminal.finish();
        assert_eq!(status.code(), Some(if version.is_some() { 0 } else { 8 }), "{shown}");
        assert!(shown.contains(&author.public) && shown.contains("it calls itself  Ann"), "{shown}");
        assert!(shown.contains("and not for      the network, keys or spending"), "{shown}");
        assert_eq!(home.version().as_deref(), version);
    }
    home.ok(&["plugin", "install", author.publish("1.1.0").to_str().unwrap()]);
}
