//! The backend keeps the contract in both of its ways, on a real runtime.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod node;

use std::path::{Path, PathBuf};

use bitboot_conformance::{Desk, Subject, check, library};
use bitboot_plugin_api::Scheme;
use node::{Surfnet, stranger};
use serde_json::json;

/// What `cargo xtask setup` installs. Without it the test passes without doing anything, but not where `CI` is set.
#[expect(clippy::print_stderr, reason = "a test that was not run has to be seen")]
fn rig() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rig/solana");
    if !path.join("node_modules/.stamp").exists() {
        let told = "skipped: Surfpool is not installed, run cargo xtask setup";
        assert!(std::env::var_os("CI").is_none(), "{told}");
        eprintln!("{told}");
        return None;
    }
    Some(path)
}

async fn keeps_the_contract(mode: &str) {
    let Some(rig) = rig() else { return };
    let node = Surfnet::start(&rig);
    let public = Desk::public_key(Scheme::Ed25519).unwrap();
    node.fund(&stranger::text(&public), 10_000_000_000);
    let config = json!({ "chain": "local", "rpc": [node.url()], "mode": mode });
    check(&library("bitboot_solana"), &Subject::new("solana", config)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_keep_the_contract() {
    keeps_the_contract("account").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memos_keep_the_contract() {
    keeps_the_contract("memo").await;
}
