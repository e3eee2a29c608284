//! Installations at once, and installations that are cut short: the store is whole, and the old version or the new one is in use.

use std::fs;
use std::process::{Child, Stdio};
use std::time::Instant;

use crate::support::{Author, Home, PLUGIN};

fn start(home: &Home, words: &[&str]) -> Child {
    home.bitboot(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn scene(versions: &[&str]) -> (Author, Home) {
    let (author, home) = (Author::new(), Home::new());
    for version in versions {
        author.publish(version);
    }
    author.index();
    home.add_index(&author);
    (author, home)
}

#[test]
fn installations_at_once_leave_a_whole_store() {
    let (_author, home) = scene(&["1.0.0", "1.1.0", "1.2.0"]);
    home.ok(&["plugin", "install", &format!("{PLUGIN}@1.0.0")]);
    for _ in 0..3 {
        let two = format!("{PLUGIN}@1.1.0");
        let sources =
            [["plugin", "install", &two], ["plugin", "install", &two], ["plugin", "upgrade", PLUGIN]];
        let running: Vec<_> = sources.iter().map(|words| start(&home, words)).collect();
        for child in running {
            let ended = child.wait_with_output().unwrap();
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        }
        let version = home.version().unwrap();
        assert!(["1.1.0", "1.2.0"].contains(&version.as_str()), "{version}");
        home.ok(&["plugin", "verify", PLUGIN]);
        home.works();
        let stages = home.path().join("data/plugins/.stage");
        assert_eq!(fs::read_dir(stages).unwrap().count(), 0);
        // Of three, the two that were used last are kept.
        home.ok(&["plugin", "install", &format!("{PLUGIN}@1.0.0")]);
    }
}

#[cfg(unix)]
#[test]
fn an_old_version_that_cannot_be_deleted_fails_no_installation() {
    let (_author, home) = scene(&["1.0.0", "1.1.0", "1.2.0"]);
    let install = |version: &str| home.ok(&["plugin", "install", &format!("{PLUGIN}@{version}")]);
    install("1.0.0");
    let old = home.which().parent().unwrap().to_owned();
    install("1.1.0");
    // What is to go would have to go into itself.
    let stages = home.path().join("data/plugins/.stage");
    fs::remove_dir_all(&stages).unwrap();
    std::os::unix::fs::symlink(&old, &stages).unwrap();
    let ran = install("1.2.0");
    assert!(ran.err().contains("warning[other]: cannot delete"), "{}", ran.err());
    assert!(old.exists() && home.version().unwrap() == "1.2.0");
    home.works();
    fs::remove_file(&stages).unwrap();
    assert!(install("1.2.0").err().contains("older versions are removed: 1.0.0"));
    assert!(!old.exists());
    home.ok(&["plugin", "verify", PLUGIN]);
}

/// Killed without a word, at fifty moments or more from its first to its last.
#[cfg(unix)]
#[test]
fn killed_at_any_moment_the_old_or_the_new_version_works() {
    const KILLS: u32 = 50;
    let (_author, home) = scene(&["1.0.0", "1.1.0"]);
    home.ok(&["plugin", "install", &format!("{PLUGIN}@1.0.0")]);
    home.works();
    let newer = format!("{PLUGIN}@1.1.0");
    let mut whole = {
        let start = Instant::now();
        home.ok(&["plugin", "install", &newer]);
        start.elapsed()
    };
    let (mut cut, mut olds, mut news) = (0, 0, 0);
    let mut kills = 0..KILLS;
    while let Some(kill) = kills.next() {
        // The new version is not there yet, and the old one is in use.
        home.ok(&["plugin", "rollback", PLUGIN, "--to", "1.0.0"]);
        let _ = fs::remove_dir_all(home.path().join("data/plugins").join(PLUGIN).join("1.1.0"));
        let mut child = start(&home, &["plugin", "install", &newer]);
        // Every second one late, where things are put in their places.
        let share = f64::from(kill % KILLS) / f64::from(KILLS - 1);
        std::thread::sleep(whole.mul_f64(if kill % 2 == 0 { share } else { 0.6 + 0.4 * share }));
        let _ = child.kill();
        if child.wait().unwrap().success() {
            // The machine was busier when it was measured: once more, and sooner.
            whole = whole.mul_f64(0.8);
            kills.end = (kills.end + 1).min(4 * KILLS);
        } else {
            cut += 1;
        }
        match home.version().unwrap().as_str() {
            "1.0.0" => olds += 1,
            "1.1.0" => news += 1,
            other => panic!("{other}"),
        }
        // Held against the lock and opened.
        let found = home.try_lookup();
        assert_eq!((found.code(), found.peers().len()), (0, 1), "kill {kill}: {}", found.err());
    }
    assert!(
        cut >= KILLS / 2 && olds > 0,
        "{cut} were cut short; {olds} kept the old version, {news} had the new one"
    );
    // Whatever was left over does not hinder the next one, which sweeps it away.
    home.ok(&["plugin", "install", &newer]);
    assert_eq!(home.version().unwrap(), "1.1.0");
    home.ok(&["plugin", "verify", PLUGIN]);
    assert_eq!(fs::read_dir(home.path().join("data/plugins/.stage")).unwrap().count(), 0);
    home.works();
}
