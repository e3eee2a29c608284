//! The examples of `vectors/network.json`, computed anew by a program that shares nothing with bitboot. See `host/src/network/README.md`.

mod support;

use std::process::Command;

#[test]
fn another_implementation_computes_the_same() {
    let Some(python) = support::rig("cryptography", "venv/bin/python") else { return };
    let check = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/check.py");
    let ran = Command::new(python).arg(check).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}
