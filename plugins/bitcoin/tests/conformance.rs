//! The backend keeps the contract, on a real node.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod node;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::Duration;

use bitboot_conformance::{Desk, Subject, check, library};
use bitboot_plugin_api::Scheme;
use bitcoin::key::CompressedPublicKey;
use bitcoin::{Address, KnownHrp};
use node::Bitcoind;
use serde_json::json;

/// What `cargo xtask setup` installs. Without it the test passes without doing anything, but not where `CI` is set.
#[expect(clippy::print_stderr, reason = "a test that was not run has to be seen")]
fn bitcoind() -> Option<std::path::PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rig/bitcoin/bitcoind");
    if !path.exists() {
        let told = "skipped: bitcoind is not installed, run cargo xtask setup";
        assert!(std::env::var_os("CI").is_none(), "{told}");
        eprintln!("{told}");
        return None;
    }
    Some(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backend_keeps_the_contract() {
    let Some(bitcoind) = bitcoind() else { return };
    let node = Arc::new(Bitcoind::start(&bitcoind));
    let public = CompressedPublicKey::from_slice(&Desk::public_key(Scheme::EcdsaDer).unwrap()).unwrap();
    node.fund(&Address::p2wpkh(&public, KnownHrp::Regtest).to_string(), 1.0);
    // Blocks come by themselves, as they do elsewhere: no more than 25 waiting transactions may spend each other.
    let miner = Miner::start(&node);
    let config = json!({ "chain": "regtest", "rpc": [node.url()], "cookie": node.cookie() });
    let subject = Subject::new("bitcoin", config);
    check(&library("bitboot_bitcoin"), &subject).await;
    drop(miner);
}

/// Mines for as long as it is kept.
struct Miner(Arc<AtomicBool>, Option<JoinHandle<()>>);

impl Miner {
    fn start(node: &Arc<Bitcoind>) -> Self {
        let (node, over) = (Arc::clone(node), Arc::new(AtomicBool::new(false)));
        let ours = Arc::clone(&over);
        let mine = move || {
            while !ours.load(SeqCst) {
                node.mine(1);
                std::thread::sleep(Duration::from_millis(500));
            }
        };
        Self(over, Some(std::thread::spawn(mine)))
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
        let _ = self.1.take().map(JoinHandle::join);
    }
}
