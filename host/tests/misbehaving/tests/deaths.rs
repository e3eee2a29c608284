//! What ends a process does end it: each in a process of its own, which is this test started again.

#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::process::{Command, Output};
use std::time::Duration;

use bitboot_conformance::{Driver, example, library};
use bitboot_plugin_api::ffi::outside::Library;
use bitboot_plugin_api::{Locator, Query};
use serde_json::json;

const DEATH: &str = "BITBOOT_TEST_DEATH";

fn die(of: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "dies_as_it_is_told"])
        .env(DEATH, of)
        .output()
        .unwrap()
}

#[tokio::test]
async fn dies_as_it_is_told() {
    // Started by the other tests, in a process of its own; by itself it has nothing to do.
    let Ok(death) = std::env::var(DEATH) else { return };
    if death == "load" {
        let _ = Library::open(&example("bitboot-misbehaving", "aborts_on_load"));
        return;
    }
    let (kind, config) = match death.as_str() {
        "print" => ("prints", json!({})),
        by => ("dies", json!({ "by": by })),
    };
    let backend = Driver::open(&library("bitboot_misbehaving"), kind, config).await.unwrap();
    let query = Query::new(Locator::new(&[7; 20]).unwrap());
    backend.lookup(&query, Duration::from_secs(60)).await.outcome.unwrap();
}

#[cfg(unix)]
#[test]
fn each_death_is_its_own() {
    use std::os::unix::process::ExitStatusExt;
    const ABORT: i32 = 6;
    const SEGFAULT: i32 = 11;
    for (death, signal) in [("load", ABORT), ("abort", ABORT), ("segfault", SEGFAULT)] {
        assert_eq!(die(death).status.signal(), Some(signal), "{death}");
    }
    // Rust's own handler may turn it into an abort.
    assert!(matches!(die("stack_overflow").status.signal(), Some(ABORT | SEGFAULT)));
    // The worst of all: it looks like success, but the test has not come to its end.
    let exited = die("exit");
    assert!(exited.status.success() && !String::from_utf8_lossy(&exited.stdout).contains("1 passed"));
}

#[test]
fn what_is_printed_looks_like_a_peer() {
    let printed = die("print");
    assert!(printed.status.success());
    assert!(String::from_utf8_lossy(&printed.stdout).lines().any(|line| line == "203.0.113.66:666"));
}
