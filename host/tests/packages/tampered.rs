//! Each step of an installation stops what was tampered with there, and nothing is installed.

use std::fs;
use std::path::Path;

use tar::EntryType;

use crate::refused;
use crate::support::{Author, Home, PLUGIN, Ran, archive, flip, hash, of_version, target, with_manifest};

/// An author whom the user trusts, with a version that the user has and one that is offered.
fn scene() -> (Author, Home) {
    let (author, home) = (Author::new(), Home::new());
    let package = author.publish("0.9.0");
    home.trust(&author);
    home.ok(&["plugin", "install", package.to_str().unwrap()]);
    (author, home)
}

/// It stopped there, and all is as it was.
#[track_caller]
fn stopped(home: &Home, ran: &Ran, gate: &str) {
    refused(ran, 7, "integrity", gate);
    assert_eq!(home.version().unwrap(), "0.9.0");
    let plugin = home.path().join("data/plugins").join(PLUGIN);
    assert_eq!(fs::read_dir(plugin).unwrap().count(), 1, "{gate}: nothing else lies there");
    let stages = home.path().join("data/plugins/.stage");
    assert_eq!(fs::read_dir(stages).unwrap().count(), 0, "{gate}: nothing is left over");
    assert!(
        !fs::read_to_string(home.path().join("config/bitboot.lock")).unwrap().contains("1.0.0"),
        "{gate}"
    );
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_changed_byte_stops_where_it_was_changed() {
    let (author, home) = scene();
    let package = author.publish("1.0.0");
    let good = fs::read(&package).unwrap();
    for at in [0, 10, good.len() / 2, good.len() - 1] {
        flip(&package, at);
        stopped(&home, &home.install(&package), "archive-hash");
        fs::write(&package, &good).unwrap();
    }
    fs::write(&package, &good[..good.len() - 1]).unwrap();
    stopped(&home, &home.install(&package), "archive-hash");
    fs::write(&package, [&good[..], b"x"].concat()).unwrap();
    stopped(&home, &home.install(&package), "size");
    fs::write(&package, &good).unwrap();

    let release = author.release("1.0.0");
    let signature = release.with_added_extension("minisig");
    let text = fs::read(&release).unwrap();
    edit(&release, "summary = \"peers", "summary = \"Peers");
    stopped(&home, &home.install(&package), "signature");
    fs::write(&release, &text).unwrap();
    let signed = fs::read_to_string(&signature).unwrap();
    fs::write(&signature, signed.replace("file:", "File:")).unwrap();
    stopped(&home, &home.install(&package), "signature");
    fs::remove_file(&signature).unwrap();
    stopped(&home, &home.install(&package), "signature");
    fs::write(&signature, &signed).unwrap();
    fs::write(&release, "release = 1\n").unwrap();
    stopped(&home, &home.install(&package), "release");
    fs::remove_file(&release).unwrap();
    stopped(&home, &home.install(&package), "unsigned");
    fs::write(&release, &text).unwrap();

    // All as it was published, it is installed.
    home.ok(&["plugin", "install", package.to_str().unwrap()]);
    assert_eq!(home.version().unwrap(), "1.0.0");
}

#[test]
fn another_hand_is_seen() {
    let (author, home) = scene();
    let eve = Author::new();
    // Her own key, with which nobody has signed this plugin before.
    let package = eve.publish("1.0.0");
    stopped(&home, &home.install(&package), "changed-key");
    // Trusted for other plugins, it is the same.
    home.trust(&eve);
    stopped(&home, &home.install(&package), "changed-key");
    // Her signature under a release that names the right key.
    let good = author.publish("1.0.0");
    fs::copy(author.release("1.0.0"), eve.release("1.0.0")).unwrap();
    eve.sign_file(&eve.release("1.0.0"));
    stopped(&home, &home.install(&package), "signature");
    // An old release under the name of a new one: a good signature of something else.
    fs::copy(author.release("0.9.0"), author.release("1.0.0")).unwrap();
    author.sign_file(&author.release("1.0.0"));
    stopped(&home, &home.install(&good), "release");
    author.sign(&good);
    home.ok(&["trust", "revoke", &author.public]);
    stopped(&home, &home.install(&good), "revoked");
    home.ok(&["trust", "add", &author.public]);
    home.ok(&["plugin", "install", good.to_str().unwrap()]);
}

#[test]
fn a_version_never_changes() {
    let (author, home) = scene();
    let package = author.publish("1.0.0");
    home.ok(&["plugin", "install", package.to_str().unwrap()]);
    home.ok(&["plugin", "rollback", PLUGIN]);
    let lock = fs::read(home.path().join("config/bitboot.lock")).unwrap();
    let other = with_manifest(&[("version = \"0.1.0\"", "version = \"1.0.0\""), ("api = 1", "api =1 ")]);
    let package = author.publish_library(&other, "1.0.0");
    refused(&home.install(&package), 7, "integrity", "lock");
    assert_eq!(home.version().unwrap(), "0.9.0");
    assert_eq!(fs::read(home.path().join("config/bitboot.lock")).unwrap(), lock);
}

#[test]
fn what_is_for_others_is_not_taken() {
    let (author, home) = scene();
    let package = author.publish("1.0.0");
    let foreign = package.with_file_name(format!("{PLUGIN}-1.0.0-pdp11-unix.bbp"));
    fs::copy(&package, &foreign).unwrap();
    stopped(&home, &home.install(&foreign), "target");
    // A release without a package for this machine.
    edit(&author.release("1.0.0"), &target(), "pdp11-unix");
    author.sign_file(&author.release("1.0.0"));
    stopped(&home, &home.install(&package), "target");
    let bytes = with_manifest(&[("version = \"0.1.0\"", "version = \"1.0.0\""), ("api = 1", "api = 9")]);
    let manifest = manifest_of(&bytes);
    let evil = archive(&[plain("plugin.toml", manifest.as_bytes()), plain(&library_name(), &bytes)]);
    stopped(&home, &home.install(&author.publish_bytes(&evil, &hash(&bytes))), "manifest");
}

fn plain<'a>(name: &'a str, content: &'a [u8]) -> (&'a str, EntryType, u32, &'a [u8]) {
    (name, EntryType::Regular, 0o444, content)
}

fn library_name() -> String {
    format!("{}{PLUGIN}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// The manifest that a library carries.
fn manifest_of(library: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("library");
    fs::write(&path, library).unwrap();
    bitboot_plugin_api::ffi::outside::inspect(&path).unwrap()
}

/// A publisher whom the user trusts may turn bad, or its key may be stolen: a good signature opens no rule.
#[test]
fn a_good_signature_opens_no_rule() {
    let (author, home) = scene();
    let bytes = of_version("1.0.0");
    let (manifest, library) = (manifest_of(&bytes), library_name());
    let toml = plain("plugin.toml", manifest.as_bytes());
    let so = plain(&library, &bytes);
    let cases: [(&str, Vec<_>); 9] = [
        ("link", vec![toml, ("LICENSE", EntryType::Symlink, 0o444, &[][..]), so]),
        ("hard link", vec![toml, ("LICENSE", EntryType::Link, 0o444, &[][..]), so]),
        ("up", vec![toml, plain("../../../../evil", b"x"), so]),
        ("absolute", vec![toml, plain("/tmp/evil", b"x"), so]),
        ("folds", vec![toml, plain("LICENSE", b"x"), plain("Plugin.Toml", b"x"), so]),
        ("setuid", vec![toml, (&library, EntryType::Regular, 0o4755, &bytes)]),
        ("hook", vec![toml, plain("postinstall.sh", b"x"), so]),
        ("twice", vec![toml, so, so]),
        ("none", vec![toml]),
    ];
    for (name, files) in cases {
        let package = author.publish_bytes(&archive(&files), &hash(&bytes));
        let ran = home.install(&package);
        let gate = if name == "none" { "target" } else { "package" };
        stopped(&home, &ran, gate);
    }
    // A bomb: half a gigabyte of zeros in some kilobytes.
    let zeros = vec![0; 2 << 20];
    let bomb = archive(&[toml, plain("LICENSE", &zeros), so]);
    stopped(&home, &home.install(&author.publish_bytes(&bomb, &hash(&bytes))), "package");
    // Another library, another manifest than in the library, or than in the release.
    let good = archive(&[toml, so]);
    stopped(&home, &home.install(&author.publish_bytes(&good, &hash(b"another"))), "library-hash");
    let other = manifest.replace("peers on this machine", "peers all over the world");
    let evil = archive(&[plain("plugin.toml", other.as_bytes()), so]);
    stopped(&home, &home.install(&author.publish_bytes(&evil, &hash(&bytes))), "manifest");
    let hungry = with_manifest(&[
        ("version = \"0.1.0\"", "version = \"1.0.0\""),
        ("network = false", "network = true "),
    ]);
    let evil = archive(&[plain("plugin.toml", manifest_of(&hungry).as_bytes()), plain(&library, &hungry)]);
    stopped(&home, &home.install(&author.publish_bytes(&evil, &hash(&hungry))), "manifest");
    let older = of_version("0.8.0");
    let evil = archive(&[plain("plugin.toml", manifest_of(&older).as_bytes()), plain(&library, &older)]);
    stopped(&home, &home.install(&author.publish_bytes(&evil, &hash(&older))), "manifest");
    let text = archive(&[toml, plain(&library, b"#!/bin/sh\n")]);
    stopped(&home, &home.install(&author.publish_bytes(&text, &hash(b"#!/bin/sh\n"))), "library");
    // And what is in order is taken.
    home.ok(&["plugin", "install", author.publish_bytes(&good, &hash(&bytes)).to_str().unwrap()]);
}

/// All hashes and signatures are right, and it does not do what it says: it is opened once before it counts.
#[test]
fn what_does_not_answer_as_it_says_is_not_used() {
    let (author, home) = scene();
    let mut bytes = of_version("1.0.0");
    let (old, new) = (b"peers on this machine", b"peers on that machine");
    let at = bytes.windows(old.len()).position(|part| part == old).unwrap();
    bytes[at..at + new.len()].copy_from_slice(new);
    let package =
        archive(&[plain("plugin.toml", manifest_of(&bytes).as_bytes()), plain(&library_name(), &bytes)]);
    let ran = home.install(&author.publish_bytes(&package, &hash(&bytes)));
    assert_eq!(ran.code(), 6, "{}", ran.err());
    assert!(ran.err().contains("it says another thing of itself"), "{}", ran.err());
    assert_eq!(home.version().unwrap(), "0.9.0");
    assert_eq!(fs::read_dir(home.path().join("data/plugins/.stage")).unwrap().count(), 0);
    assert!(!home.path().join("data/plugins").join(PLUGIN).join("1.0.0").exists());
    home.works();
}
