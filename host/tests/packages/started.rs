//! What is noticed each time that an installed plugin is opened.

use std::fs;

use crate::refused;
use crate::support::{Author, Home, PLUGIN, flip};

fn installed() -> (Author, Home) {
    let (author, home) = (Author::new(), Home::new());
    home.trust(&author);
    home.ok(&["plugin", "install", author.publish("1.0.0").to_str().unwrap()]);
    home.works();
    (author, home)
}

/// It is not opened, and others are not hindered.
#[track_caller]
fn shut(home: &Home, gate: &str) {
    let ran = home.try_lookup();
    refused(&ran, 7, "integrity", gate);
    assert_eq!(home.run(&["plugin", "verify", PLUGIN]).code(), 7);
    let beside = home.run(&["lookup", "demo", "--via", "voice,local", "--json", "--timeout", "60s"]);
    assert_eq!(beside.code(), 9, "{}", beside.err());
}

#[test]
fn a_changed_byte_is_noticed_at_the_next_start() {
    let (_author, home) = installed();
    let library = home.which();
    let size = usize::try_from(fs::metadata(&library).unwrap().len()).unwrap();
    for at in [size / 3, size - 1] {
        flip(&library, at);
        shut(&home, "library-hash");
        home.ok(&["plugin", "install", PLUGIN, "--locked"]);
        home.works();
    }
}

#[test]
fn a_changed_lock_opens_nothing_else() {
    let (_author, home) = installed();
    let lock = home.path().join("config/bitboot.lock");
    let text = fs::read_to_string(&lock).unwrap();
    let at = text.find("library = \"").unwrap() + "library = \"".len();
    let other = if &text[at..=at] == "0" { "1" } else { "0" };
    fs::write(&lock, format!("{}{other}{}", &text[..at], &text[at + 1..])).unwrap();
    shut(&home, "library-hash");
    fs::write(&lock, "nonsense").unwrap();
    shut(&home, "lock");
    fs::remove_file(&lock).unwrap();
    shut(&home, "lock");
    fs::write(&lock, text).unwrap();
    home.works();
}

#[test]
fn a_revoked_publisher_opens_nothing() {
    let (author, home) = installed();
    let told = home.ok(&["trust", "revoke", "Ann"]);
    assert!(told.err().contains(&format!("bitboot plugin remove {PLUGIN}")), "{}", told.err());
    shut(&home, "revoked");
    home.ok(&["trust", "add", &author.public]);
    home.works();
}

#[cfg(unix)]
#[test]
fn what_others_could_change_is_not_opened() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let (_author, home) = installed();
    let library = home.which();
    let chmod =
        |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let folders = library.ancestors().skip(1).take(4);
    for (path, mode) in folders.map(|folder| (folder.to_owned(), 0o777)).chain([(library.clone(), 0o666)]) {
        let before = fs::metadata(&path).unwrap().permissions().mode();
        chmod(&path, mode);
        shut(&home, "store");
        chmod(&path, before);
    }
    home.works();
    // A link to the very same bytes is a link.
    let elsewhere = home.path().join("elsewhere.so");
    fs::rename(&library, &elsewhere).unwrap();
    symlink(&elsewhere, &library).unwrap();
    shut(&home, "store");
    fs::remove_file(&library).unwrap();
    fs::rename(&elsewhere, &library).unwrap();
    let (version, aside) = (library.ancestors().nth(2).unwrap(), home.path().join("aside"));
    fs::rename(version, &aside).unwrap();
    symlink(&aside, version).unwrap();
    shut(&home, "store");
}
