//! A Solana chain of a test's own: Surfpool, which has the real runtime behind the real questions, on a free port of this machine.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test file is a program of its own and uses a part of this"
)]

pub mod stranger;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bitboot_rpc::testing::{self, Program};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

pub use stranger::Stranger;

/// Where announcements lie that are accounts.
pub const STORE: &str = "Config1111111111111111111111111111111111111";

pub struct Surfnet {
    folder: tempfile::TempDir,
    port: u16,
    process: Program,
}

impl Surfnet {
    /// Starts one with the package that `cargo xtask setup` installs in a folder.
    pub fn start(rig: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let told = folder.path().join("address");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script());
        let mut command = Command::new("node");
        command.arg(script).arg(&told).env("NODE_PATH", rig.join("node_modules"));
        // Its clock jumps once when it begins: blocks are counted anew after that.
        let is_ready = || height_of(&told).is_some_and(|height| height > 1 && height < 30);
        let process = Program::start(&mut command, is_ready);
        Self { port: port_of(&told).unwrap(), folder, process }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the node answers to a question.
    #[expect(clippy::needless_pass_by_value, reason = "it is written where it is asked")]
    pub fn ask(&self, method: &str, params: Value) -> Value {
        let answer = ask(self.port, method, &params).expect("an answer");
        answer.unwrap_or_else(|refusal| panic!("{method}: {refusal}"))
    }

    /// Gives somebody lamports.
    pub fn fund(&self, address: &str, lamports: u64) {
        self.ask("surfnet_setAccount", json!([address, { "lamports": lamports }]));
    }

    pub fn balance(&self, address: &str) -> u64 {
        self.ask("getBalance", json!([address, { "commitment": "confirmed" }]))["value"].as_u64().unwrap()
    }

    pub fn height(&self) -> u64 {
        self.ask("getBlockHeight", json!([{ "commitment": "confirmed" }])).as_u64().unwrap()
    }

    /// The transactions that name an address, the newest first.
    pub fn naming(&self, address: &str) -> Vec<String> {
        let listed = self.ask("getSignaturesForAddress", json!([address, { "commitment": "confirmed" }]));
        let lines = listed.as_array().unwrap().iter();
        lines.map(|line| line["signature"].as_str().unwrap().to_owned()).collect()
    }

    /// What the chain keeps of a transaction.
    pub fn transaction(&self, id: &str) -> Value {
        self.ask("getTransaction", json!([id, { "encoding": "json", "commitment": "confirmed" }]))
    }

    /// What a transaction took from who paid for it: its fee, and what it moved elsewhere.
    pub fn paid(&self, id: &str) -> u64 {
        let meta = &self.transaction(id)["meta"];
        let of = |name: &str| meta[name][0].as_u64().unwrap();
        of("preBalances") - of("postBalances")
    }

    /// All accounts of announcements: their addresses and bytes.
    pub fn stored(&self) -> Vec<(String, Vec<u8>)> {
        let wanted = json!({ "encoding": "base64", "commitment": "confirmed" });
        let found = self.ask("getProgramAccounts", json!([STORE, wanted]));
        let one = |found: &Value| {
            let data = found["account"]["data"][0].as_str().unwrap();
            (found["pubkey"].as_str().unwrap().to_owned(), BASE64.decode(data.as_bytes()).unwrap())
        };
        found.as_array().unwrap().iter().map(one).collect()
    }

    /// Puts an account there as somebody else may have written it.
    pub fn plant(&self, address: &str, data: &[u8]) {
        let account = json!({ "lamports": 10_000_000, "owner": STORE, "data": HEXLOWER.encode(data) });
        self.ask("surfnet_setAccount", json!([address, account]));
    }

    /// Waits for so many blocks.
    pub fn wait(&self, blocks: u64) {
        let (start, until) = (Instant::now(), self.height() + blocks);
        while self.height() < until {
            assert!(start.elapsed() < Duration::from_secs(60), "no blocks come");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The tests of this plugin and those of the host start the same.
fn script() -> PathBuf {
    let here = Path::new("tests/node/surfnet.js");
    if env!("CARGO_PKG_NAME") == "bitboot" { Path::new("../plugins/solana").join(here) } else { here.into() }
}

fn port_of(told: &Path) -> Option<u16> {
    std::fs::read_to_string(told).ok()?.rsplit(':').next()?.trim_end_matches('/').parse().ok()
}

fn height_of(told: &Path) -> Option<u64> {
    let height = ask(port_of(told)?, "getBlockHeight", &json!([{ "commitment": "confirmed" }]))?;
    height.ok()?.as_u64()
}

fn ask(port: u16, method: &str, params: &Value) -> Option<Result<Value, Value>> {
    let body = json!({ "jsonrpc": "2.0", "id": 0, "method": method, "params": params }).to_string();
    let (_, answer) = testing::ask(port, "", None, Some(body.as_bytes()))?;
    let answer: Value = serde_json::from_slice(&answer).ok()?;
    Some(match answer.get("error") {
        Some(refusal) => Err(refusal.clone()),
        None => Ok(answer["result"].clone()),
    })
}
