//! The backend keeps the contract, on a real gateway.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod node;

use bitboot_conformance::{Desk, Subject, check, library};
use bitboot_plugin_api::Scheme;
use serde_json::json;

/// SHA-256 of the desk's public key.
fn address() -> String {
    use base64::Engine;
    let hash = ring::digest::digest(&ring::digest::SHA256, &Desk::public_key(Scheme::RsaPssSha256).unwrap());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backend_keeps_the_contract() {
    let Some(node) = node::started() else { return };
    node.fund(&address(), 1_000_000_000_000);
    let subject = Subject::new("arweave", json!({ "rpc": [node.url()] }));
    check(&library("bitboot_arweave"), &subject).await;
}
