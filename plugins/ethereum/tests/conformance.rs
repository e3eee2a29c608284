//! The backend keeps the contract, on a real node, in each of its modes.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod node;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bitboot_conformance::{Driver, Said, Subject, check, library};
use node::Anvil;
use serde_json::{Value, json};

/// What `cargo xtask setup` installs. Without it the test passes without doing anything, but not where `CI` is set.
#[expect(clippy::print_stderr, reason = "a test that was not run has to be seen")]
fn anvil() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rig").join(node::PLACE);
    if !path.exists() {
        let told = "skipped: anvil is not installed, run cargo xtask setup";
        assert!(std::env::var_os("CI").is_none(), "{told}");
        eprintln!("{told}");
        return None;
    }
    Some(path)
}

/// A node with the contract, and with ether for the key by which the suite signs.
async fn ready(anvil: &Path, mode: &str) -> (Anvil, Value) {
    let (node, _) = Anvil::ready(anvil);
    let config = json!({ "rpc": [node.url()], "mode": mode });
    let driver = Driver::open(&library("bitboot_ethereum"), "ethereum", config.clone()).await.unwrap();
    let mut wallet = driver.action("wallet", json!({}), Duration::from_secs(60));
    while let Some(said) = wallet.next().await {
        if let Said::Output(told) = said {
            node.fund(told["address"].as_str().unwrap());
        }
    }
    (node, config)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backend_keeps_the_contract() {
    let Some(anvil) = anvil() else { return };
    let (_node, config) = ready(&anvil, "event").await;
    check(&library("bitboot_ethereum"), &Subject::new("ethereum", config)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_does_with_slots() {
    let Some(anvil) = anvil() else { return };
    let (_node, config) = ready(&anvil, "storage").await;
    let why = "an account has one slot under a key, and the suite has one account";
    let subject = Subject::new("ethereum", config)
        .without("many_peers_are_found", why)
        .without("limit_does_no_harm", why)
        .without("slow_listener_loses_nothing", why);
    check(&library("bitboot_ethereum"), &subject).await;
}
