//! The same on the reference node, `solana-test-validator`, where the environment variable `BITBOOT_TEST_SOLANA_VALIDATOR` names one.
//!
//! It takes an hour to build and nobody has it by chance, so that nothing is said where it is missing. It listens on all interfaces, whatever
//! it is told: it is only ever started where there is none but loopback.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bitboot_conformance::{Desk, Driver, Subject, check, library};
use bitboot_plugin_api::{Announcement, Locator, Scheme};
use bitboot_rpc::testing::{self, Program, free_port};
use serde_json::{Value, json};

const VARIABLE: &str = "BITBOOT_TEST_SOLANA_VALIDATOR";
/// Set where this test runs once more, without a network.
const INSIDE: &str = "BITBOOT_TEST_WITHOUT_NETWORK";
const NAME: &str = "the_reference_node_keeps_it_too";

#[test]
fn the_reference_node_keeps_it_too() {
    let Some(program) = std::env::var_os(VARIABLE) else { return };
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(keeps_the_contract(Path::new(&program)));
    }
    let script = "ip link set lo up && exec \"$0\" \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "sh", "-c", script]).arg(std::env::current_exe().unwrap());
    let status = command.args([NAME, "--exact", "--nocapture"]).env(INSIDE, "1").status().unwrap();
    assert!(status.success(), "{status}");
}

async fn keeps_the_contract(program: &Path) {
    let node = Validator::start(program);
    let owner = bs58::encode(Desk::public_key(Scheme::Ed25519).unwrap()).into_string();
    node.ask("requestAirdrop", &json!([owner, 10_000_000_000_u64])).unwrap();
    while node.balance(&owner) == 0 {
        std::thread::sleep(Duration::from_millis(200));
    }
    for mode in ["account", "memo"] {
        let config = json!({ "rpc": [node.url()], "mode": mode });
        let subject = Subject::new("solana", config).with_patience(Duration::from_secs(30));
        check(&library("bitboot_solana"), &subject).await;
        // What is paid to be taken sooner is quoted too, and taken.
        let config = json!({ "rpc": [node.url()], "mode": mode, "priority": 1_000_000 });
        let driver = Driver::open(&library("bitboot_solana"), "solana", config).await.unwrap();
        let what = Announcement::new(Locator::new(&[7; 20]).unwrap()).with_value(vec![7; 168]);
        let (before, quote) = (node.balance(&owner), driver.quote(&what).await.unwrap());
        driver.announce(&what).await.unwrap();
        let paid = before - node.balance(&owner);
        assert_eq!(quote.fee.unwrap(), format!("0.{paid:09}").trim_end_matches('0').to_owned() + " SOL");
    }
}

struct Validator {
    port: u16,
    _folder: tempfile::TempDir,
    _process: Program,
}

impl Validator {
    fn start(program: &Path) -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let mut command = Command::new(program);
        command.args(["--quiet", "--ledger"]).arg(folder.path().join("ledger"));
        command.args(["--rpc-port", &port.to_string(), "--faucet-port", &free_port().to_string()]);
        let is_ready =
            || ask(port, "getBlockHeight", &json!([])).is_some_and(|height| height.as_u64() > Some(0));
        let process = Program::start(&mut command, is_ready);
        Self { port, _folder: folder, _process: process }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn ask(&self, method: &str, params: &Value) -> Option<Value> {
        ask(self.port, method, params)
    }

    fn balance(&self, address: &str) -> u64 {
        let told = self.ask("getBalance", &json!([address, { "commitment": "confirmed" }])).unwrap();
        told["value"].as_u64().unwrap()
    }
}

fn ask(port: u16, method: &str, params: &Value) -> Option<Value> {
    let body = json!({ "jsonrpc": "2.0", "id": 0, "method": method, "params": params }).to_string();
    let (_, answer) = testing::ask(port, "", None, Some(body.as_bytes()))?;
    serde_json::from_slice::<Value>(&answer).ok()?.get("result").cloned()
}
