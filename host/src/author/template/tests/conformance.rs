//! The backend keeps the contract: round trips, IPv6 and DNS names, garbage, deadlines, cancellation, leaks.

use bitboot_conformance::{Subject, check, library};

#[tokio::test]
async fn the_contract_is_kept() {
    let temp = tempfile::tempdir().unwrap();
    let subject = Subject::of_crate(env!("CARGO_MANIFEST_DIR"), "board", temp.path()).unwrap();
    check(&library("bitboot_board"), &subject).await;
}
