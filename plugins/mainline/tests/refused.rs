//! A system that lets nothing out: whoever asks is told so at once, not after the time that silent nodes are given.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::process::Command;
use std::time::{Duration, Instant};

use bitboot_conformance::{Driver, library};
use bitboot_plugin_api::{Announcement, Error, ErrorKind, Locator, Query};
use serde_json::{Value, json};

/// Less than a node is given to answer.
const AT_ONCE: Duration = Duration::from_secs(9);
const PATIENCE_MS: u32 = 10_000;
const DEADLINE: Duration = Duration::from_secs(60);
/// Runs the second half of a test, in a network namespace of its own.
const INSIDE: &str = "BITBOOT_TEST_INSIDE";

async fn open(config: Value) -> Driver {
    Driver::open(&library("bitboot_mainline"), "mainline", config).await.unwrap()
}

/// Does the main things, each of which fails for this reason and says what helps.
async fn all_fail_at_once(mut config: Value, why: &str) {
    config["request_timeout_ms"] = json!(PATIENCE_MS);
    let backend = open(config).await;
    let locator = Locator::new(&[7; 20]).unwrap();
    for _ in 0..2 {
        let start = Instant::now();
        let outcome = backend.lookup(&Query::new(locator.clone()), DEADLINE).await.outcome;
        assert_told(&outcome.unwrap_err(), why, start);
        let start = Instant::now();
        let outcome = backend.announce(&Announcement::new(locator.clone()).with_port(4001)).await;
        assert_told(&outcome.unwrap_err(), why, start);
    }
}

fn assert_told(error: &Error, why: &str, start: Instant) {
    let took = start.elapsed();
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("no message can be sent"), "{error:?}");
    assert!(error.why.as_deref().is_some_and(|cause| cause.contains(why)), "{error:?}");
    assert!(error.fix.is_some(), "{error:?}");
}

#[tokio::test]
async fn from_loopback_nothing_leads_anywhere_else() {
    let hosts = ["203.0.113.1:6881", "203.0.113.2:6881", "203.0.113.3:6881"];
    all_fail_at_once(json!({ "bootstrap": hosts, "bind": "127.0.0.1" }), "knows no way").await;
}

#[tokio::test]
async fn a_machine_without_a_route_says_so() {
    if std::env::var_os(INSIDE).is_some() {
        let hosts = ["203.0.113.1:6881", "[2001:db8::1]:6881"];
        return all_fail_at_once(json!({ "bootstrap": hosts }), "unreachable").await;
    }
    let mut inside = Command::new("unshare");
    inside.args(["--user", "--map-root-user", "--net"]);
    let may = inside.arg("true").status().is_ok_and(|status| status.success());
    assert!(may || std::env::var_os("CI").is_none(), "no network namespace can be made here");
    if !may {
        return;
    }
    let this = std::env::current_exe().unwrap();
    let test = ["--exact", "a_machine_without_a_route_says_so", "--nocapture"];
    let mut inside = Command::new("unshare");
    inside.args(["--user", "--map-root-user", "--net"]).arg(this).args(test).env(INSIDE, "1");
    assert!(inside.status().unwrap().success());
}
