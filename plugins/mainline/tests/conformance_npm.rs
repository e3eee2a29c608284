//! The mainline backend keeps the contract, among nodes that are not ours and strict about BEP 44.
//!
//! A program of its own: the suite counts what a backend leaves behind in its process.

#[path = "lab/npm.rs"]
mod npm;

use bitboot_conformance::{Subject, check, library};
use npm::Npm;

#[tokio::test]
async fn the_mainline_backend_keeps_the_contract_among_nodes_of_others() {
    let Some(npm) = Npm::start(50) else { return };
    check(&library("bitboot_mainline"), &Subject::new("mainline", npm.config())).await;
}
