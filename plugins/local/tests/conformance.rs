//! The local backend keeps the contract.

use bitboot_conformance::{Subject, check, library};
use serde_json::json;

#[tokio::test]
async fn the_local_backend_keeps_the_contract() {
    let place = tempfile::tempdir().unwrap();
    let subject = Subject::new("local", json!({ "folder": place.path().join("peers") }));
    check(&library("bitboot_local"), &subject).await;
}
