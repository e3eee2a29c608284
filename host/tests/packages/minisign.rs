//! minisign's own program takes our keys and signatures, and we take its.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::refused;
use crate::support::{Author, Home, program};

/// Runs it with what somebody types; its answer, and whether it was content.
fn minisign(program: &Path, words: &[&str], typed: &str) -> (bool, String) {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
    (ended.status.success(), said)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The public key, as the second line of its file tells it.
fn public(path: &Path) -> String {
    fs::read_to_string(path).unwrap().lines().nth(1).unwrap().to_owned()
}

/// A passphrase, in a file and as it is typed.
fn passphrase(home: &Home) -> (PathBuf, &'static str) {
    let file = home.path().join("pass");
    fs::write(&file, "correct horse\n").unwrap();
    (file, "correct horse\n")
}

#[test]
fn its_program_takes_what_we_sign() {
    let Some(program) = program("minisign") else { return };
    let author = Author::new();
    let (pass, typed) = passphrase(&author.home);
    let key = author.home.path().join("ours.key");
    let at = |words: &[&str]| author.home.ok(&[words, &["--passphrase-file", text(&pass)]].concat());
    at(&["plugin", "sign", "--new-key", text(&key)]);
    let public_key = key.with_added_extension("pub");

    let package = author.pack(&crate::support::of_version("1.0.0"), "1.0.0");
    let by_us = ["--key", text(&key), "--publisher", "Ann"];
    at(&[&["plugin", "sign", text(&package)], &by_us[..]].concat());
    at(&[&["index", "build", text(&author.folder())], &by_us[..]].concat());
    for file in [author.release("1.0.0"), author.folder().join("index.toml")] {
        let check = || minisign(&program, &["-Vm", text(&file), "-p", text(&public_key)], "");
        let (good, said) = check();
        let comment = format!("Trusted comment: file:{}", file.file_name().unwrap().display());
        assert!(good && said.contains("Signature and comment signature verified"), "{said}");
        assert!(said.contains(&comment), "{said}");
        // What it says of the comment is true.
        let signature = file.with_added_extension("minisig");
        let signed = fs::read_to_string(&signature).unwrap();
        fs::write(&signature, signed.replace("file:", "File:")).unwrap();
        let (good, said) = check();
        assert!(!good && said.contains("Comment signature verification failed"), "{said}");
        fs::write(&signature, signed).unwrap();
    }

    // The key that we made is one of its keys.
    let file = author.home.path().join("note");
    fs::write(&file, "signed by it").unwrap();
    let (good, said) = minisign(&program, &["-Sm", text(&file), "-s", text(&key)], typed);
    assert!(good, "{said}");
    let (good, said) = minisign(&program, &["-Vm", text(&file), "-P", &public(&public_key)], "");
    assert!(good, "{said}");
}

#[test]
fn we_take_what_its_program_signs() {
    let Some(program) = program("minisign") else { return };
    let (author, home) = (Author::new(), Home::new());
    let (pass, typed) = passphrase(&author.home);
    let [key, public_key] = ["its.key", "its.pub"].map(|name| author.home.path().join(name));
    let twice = format!("{typed}{typed}");
    let (made, said) = minisign(&program, &["-G", "-s", text(&key), "-p", text(&public_key)], &twice);
    assert!(made, "{said}");

    // Its key signs here, with its passphrase.
    let package = author.pack(&crate::support::of_version("1.0.0"), "1.0.0");
    let words =
        ["plugin", "sign", text(&package), "--key", text(&key), "--publisher", "Ann", "--passphrase-file"];
    author.home.ok(&[&words[..], &[text(&pass)]].concat());
    home.ok(&["plugin", "install", text(&package), "--trust", &public(&public_key)]);

    // What it signs itself is taken, with another comment too; but not in the form that does not hash first.
    let release = author.release("1.0.0");
    let sign = |more: &[&str]| {
        let words = ["-Sm", text(&release), "-s", text(&key), "-t", "as good as ours"];
        let (good, said) = minisign(&program, &[&words[..], more].concat(), typed);
        assert!(good, "{said}");
    };
    let other = Home::new();
    let install = || other.run(&["plugin", "install", text(&package), "--trust", &public(&public_key)]);
    sign(&["-l"]);
    refused(&install(), 7, "integrity", "signature");
    sign(&[]);
    let signature = release.with_added_extension("minisig");
    let signed = fs::read_to_string(&signature).unwrap();
    fs::write(&signature, signed.replace("as good as", "better than")).unwrap();
    refused(&install(), 7, "integrity", "signature");
    fs::write(&signature, signed).unwrap();
    let installed = install();
    assert_eq!(installed.code(), 0, "{}", installed.err());
    other.works();
}
