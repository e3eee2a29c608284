//! `plugin verify`: whatever was changed of an installed plugin is told, each thing by its name.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Author, Home, PLUGIN, Ran, flip};

/// A version with all that a package can hold.
fn scene() -> (Author, Home, PathBuf) {
    let (author, home) = (Author::new(), Home::new());
    let package = author.pack_whole();
    home.trust(&author);
    home.ok(&["plugin", "install", package.to_str().unwrap()]);
    let folder = home.which().parent().unwrap().to_owned();
    (author, home, folder)
}

fn verify(home: &Home) -> Ran {
    home.run(&["plugin", "verify", PLUGIN, "--json"])
}

/// What is wrong: the check, what was found, and the way out.
fn problems(ran: &Ran) -> Vec<(String, String, String)> {
    let lines = ran.of_type("finding").into_iter().filter(|line| line["verdict"] == "problem");
    let text = |line: &serde_json::Value, field: &str| line[field].as_str().unwrap_or_default().to_owned();
    lines.map(|line| (text(&line, "gate"), text(&line, "finding"), text(&line, "fix"))).collect()
}

/// One thing is wrong, and it is this.
#[track_caller]
fn told(home: &Home, gate: &str, about: &str) {
    let ran = verify(home);
    let problems = problems(&ran);
    let [(found, finding, fix)] = problems.as_slice() else { panic!("{gate} {about}: {problems:?}") };
    assert_eq!((ran.code(), found.as_str()), (7, gate), "{finding}");
    assert!(finding.contains(about) && !fix.is_empty(), "{finding}; {fix}");
}

fn whole(home: &Home) {
    let ran = verify(home);
    let line = &ran.of_type("finding")[0];
    assert_eq!((ran.code(), &line["verdict"]), (0, &"ok".into()), "{line}");
    assert!(line["finding"].as_str().unwrap().starts_with("all 5 files are what was verified"), "{line}");
}

#[test]
fn a_changed_byte_is_told_with_its_file() {
    let (_author, home, folder) = scene();
    whole(&home);
    let release = format!("{PLUGIN}-1.0.0.release");
    let signature = format!("{release}.minisig");
    let library = home.which().file_name().unwrap().to_str().unwrap().to_owned();
    // What a signature says of itself is told with the release that it is of.
    let files = [
        (library.as_str(), "library-hash"),
        ("plugin.toml", "file-hash"),
        ("LICENSE", "file-hash"),
        ("config.schema.json", "file-hash"),
        ("bitboot-plugin-vocal.7", "file-hash"),
        (&release, "signature"),
        (&signature, "signature"),
    ];
    for (file, gate) in files {
        let path = folder.join(file);
        let size = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
        flip(&path, size / 2);
        told(&home, gate, file.strip_suffix(".minisig").unwrap_or(file));
        // The way out is one.
        home.ok(&["plugin", "install", &format!("{PLUGIN}@1.0.0"), "--locked"]);
        whole(&home);
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), files.len());
}

#[test]
fn what_is_missing_or_came_later_is_told() {
    let (_author, home, folder) = scene();
    let aside = home.path().join("aside");
    let library = home.which().file_name().unwrap().to_str().unwrap().to_owned();
    for (file, gate) in
        [("LICENSE", "missing"), (library.as_str(), "missing"), ("vocal-1.0.0.release", "release")]
    {
        fs::rename(folder.join(file), &aside).unwrap();
        told(&home, gate, file);
        assert!(!problems(&verify(&home))[0].1.contains("not installed"));
        fs::rename(&aside, folder.join(file)).unwrap();
    }
    let version = folder.parent().unwrap();
    fs::rename(version, &aside).unwrap();
    told(&home, "missing", PLUGIN);
    fs::rename(&aside, version).unwrap();
    fs::write(folder.join("more.so"), "x").unwrap();
    told(&home, "stray", "more.so");
    fs::remove_file(folder.join("more.so")).unwrap();
    #[cfg(unix)]
    {
        chmod(&folder.join("LICENSE"), 0o666);
        told(&home, "store", "LICENSE");
        chmod(&folder.join("LICENSE"), 0o400);
    }
    whole(&home);
}

#[cfg(unix)]
fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

/// Who can write the plugin can write the lock too, but not sign.
#[test]
fn a_lock_that_fits_a_changed_library_does_not_fit_the_release() {
    let (_author, home, _folder) = scene();
    let (library, lock) = (home.which(), home.path().join("config/bitboot.lock"));
    let before = crate::support::hash(&fs::read(&library).unwrap());
    flip(&library, 5000);
    let after = crate::support::hash(&fs::read(&library).unwrap());
    let text = fs::read_to_string(&lock).unwrap();
    fs::write(&lock, text.replace(&before, &after)).unwrap();
    told(&home, "release", "has signed");
}

#[test]
fn a_publisher_who_is_not_trusted_any_more_is_told() {
    let (author, home, folder) = scene();
    home.ok(&["trust", "revoke", "Ann"]);
    told(&home, "revoked", "Ann");
    // That is not all that is wrong.
    flip(&folder.join("LICENSE"), 3);
    let gates: Vec<_> = problems(&verify(&home)).into_iter().map(|(gate, ..)| gate).collect();
    assert_eq!(gates, ["revoked", "file-hash"]);
    home.ok(&["trust", "add", &author.public]);
    home.ok(&["plugin", "install", &format!("{PLUGIN}@1.0.0"), "--locked"]);
    fs::remove_file(home.path().join("config/trust.toml")).unwrap();
    told(&home, "untrusted", PLUGIN);
    home.ok(&["trust", "add", &author.public, "--plugin", PLUGIN]);
    whole(&home);
}
