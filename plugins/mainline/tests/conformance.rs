//! The mainline backend keeps the contract, on a private DHT.

mod lab;

use bitboot_conformance::{Subject, check, library};
use lab::Lab;

#[tokio::test]
async fn the_mainline_backend_keeps_the_contract() {
    let lab = Lab::start(50).await;
    check(&library("bitboot_mainline"), &Subject::new("mainline", lab.config())).await;
}
