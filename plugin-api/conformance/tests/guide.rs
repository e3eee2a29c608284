//! Whoever follows `plugin-api/README.md` word by word has a plugin that keeps the contract.

#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const GUIDE: &str = include_str!("../../README.md");

/// The files of the guide: a name in a line before a block, and the block.
fn files() -> Vec<(&'static str, &'static str)> {
    let mut files = Vec::new();
    for (before, after) in GUIDE.match_indices("\n```").map(|(at, _)| (&GUIDE[..at], &GUIDE[at + 1..])) {
        let Some(name) = before.trim_end().lines().last().and_then(|line| line.strip_prefix('`')) else {
            continue;
        };
        let name = name.split('`').next().unwrap();
        let block = after.split_once('\n').unwrap().1.split("```").next().unwrap();
        files.push((name, block));
    }
    files
}

/// The top of the repository.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

#[cfg(unix)]
#[test]
fn the_guide_ends_with_a_plugin_that_keeps_the_contract() {
    let place = tempfile::tempdir().unwrap();
    let board = place.path().join("board");
    let files = files();
    let names = files.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    assert_eq!(names, ["Cargo.toml", "plugin.toml", "src/lib.rs", "tests/conformance.rs"]);
    for (name, block) in files {
        let path = board.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, block).unwrap();
    }
    std::os::unix::fs::symlink(repository(), place.path().join("bitboot")).unwrap();
    // The versions that this repository is built with, so that nothing is fetched.
    fs::copy(repository().join("Cargo.lock"), board.join("Cargo.lock")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide");
    let test = Command::new(env!("CARGO"))
        .args(["test", "--offline", "--target-dir"])
        .arg(target)
        .current_dir(&board)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&test.stdout);
    let complaint = String::from_utf8_lossy(&test.stderr);
    assert!(
        test.status.success() && told.contains("the_board_keeps_the_contract ... ok"),
        "{told}\n{complaint}"
    );
    assert!(!complaint.contains("warning"), "{complaint}");
}
