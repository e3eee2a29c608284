//! An Ethereum node of a test's own: anvil, on a free port of this machine, ended by its pid.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file is a program of its own and uses a part of this"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use bitboot_rpc::testing::{self, Program};
use serde_json::{Value, json};

pub struct Anvil {
    program: PathBuf,
    more: Vec<String>,
    port: u16,
    process: Option<Program>,
}

/// Where `cargo xtask setup` installs it, below `target/rig`.
pub const PLACE: &str = "ethereum/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
/// An account that anvil signs for.
pub const STRANGER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const DEPLOYER: &str = "0x4e59b44847b379578588920cA78FbF26c0B4956C";
const ONE_ETHER: &str = "0xde0b6b3a7640000";
/// The selectors of `announce(bytes32,bytes)` and `set(bytes32,bytes)`.
const ANNOUNCE: &str = "9749dd14";
const SET: &str = "aac438c0";
const COMPILED: &str = include_str!("../../contract/Bitboot.json");

impl Anvil {
    pub fn start(program: &Path) -> Self {
        Self::with(program, &[])
    }

    pub fn with(program: &Path, more: &[&str]) -> Self {
        let more = more.iter().map(ToString::to_string).collect();
        let mut node = Self { program: program.to_owned(), more, port: testing::free_port(), process: None };
        node.run();
        node
    }

    /// With the contract.
    pub fn ready(program: &Path) -> (Self, String) {
        let node = Self::start(program);
        let contract = node.deploy();
        (node, contract)
    }

    fn run(&mut self) {
        let mut command = Command::new(&self.program);
        command.args(["--host", "127.0.0.1", "--port", &self.port.to_string(), "--silent"]).args(&self.more);
        let is_ready = || self.post(&question("eth_chainId", &json!([]))).is_some();
        self.process = Some(Program::start(&mut command, is_ready));
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    fn post(&self, body: &Value) -> Option<Value> {
        let (_, answer) = testing::ask(self.port, "", None, Some(body.to_string().as_bytes()))?;
        serde_json::from_slice(&answer).ok()
    }

    /// What the node answers to one question.
    pub fn ask(&self, method: &str, params: Value) -> Value {
        self.ask_all(method, &[params]).remove(0)
    }

    /// The same for several at once.
    pub fn ask_all(&self, method: &str, params: &[Value]) -> Vec<Value> {
        let questions = params.iter().map(|params| question(method, params)).collect();
        let answers = self.post(&questions).expect("an answer");
        let answers = answers.as_array().unwrap_or_else(|| panic!("{method}: {answers}")).iter();
        answers
            .map(|answer| {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                answer["result"].clone()
            })
            .collect()
    }

    pub fn mine(&self, blocks: u32) {
        self.ask("anvil_mine", json!([format!("{blocks:#x}")]));
    }

    pub fn height(&self) -> u128 {
        number(&self.ask("eth_blockNumber", json!([])))
    }

    /// Gives an address one ether.
    pub fn fund(&self, address: &str) {
        self.ask("anvil_setBalance", json!([address, ONE_ETHER]));
    }

    /// Wei.
    pub fn balance(&self, address: &str) -> u128 {
        number(&self.ask("eth_getBalance", json!([address, "latest"])))
    }

    /// How many transactions an address has sent, with those that wait.
    pub fn sent(&self, address: &str) -> u128 {
        number(&self.ask("eth_getTransactionCount", json!([address, "pending"])))
    }

    /// Puts the contract where it is on all chains.
    pub fn deploy(&self) -> String {
        let compiled: Value = serde_json::from_str(COMPILED).unwrap();
        let code = compiled["bytecode"].as_str().unwrap().trim_start_matches("0x");
        let call =
            json!({ "from": STRANGER, "to": DEPLOYER, "data": format!("0x{}{code}", "00".repeat(32)) });
        let contract = self.ask("eth_call", json!([call, "latest"]));
        self.ask("eth_sendTransaction", json!([call]));
        contract.as_str().unwrap().to_owned()
    }

    /// All events of a contract, the oldest first.
    pub fn events(&self, contract: &str) -> Vec<Value> {
        let all = json!([{ "address": contract, "fromBlock": "0x0", "toBlock": "latest" }]);
        self.ask("eth_getLogs", all).as_array().unwrap().clone()
    }

    /// Announces values of strangers under a key, all in as few blocks as they fit into.
    pub fn write(&self, contract: &str, key: &str, written: &[(String, Vec<u8>)]) {
        self.write_by(contract, |value| call(ANNOUNCE, key, value), 150_000, written);
    }

    /// The same, kept in slots.
    pub fn keep(&self, contract: &str, key: &str, written: &[(String, Vec<u8>)]) {
        self.write_by(contract, |value| call(SET, key, value), 300_000, written);
    }

    fn write_by(
        &self,
        contract: &str,
        call: impl Fn(&[u8]) -> String,
        gas: u64,
        written: &[(String, Vec<u8>)],
    ) {
        self.ask("anvil_autoImpersonateAccount", json!([true]));
        self.ask("evm_setAutomine", json!([false]));
        let writers = || written.iter().map(|(writer, _)| writer.as_str());
        let ask_each = |method: &str, params: &dyn Fn(&str) -> Value| {
            self.ask_all(method, &writers().map(params).collect::<Vec<_>>())
        };
        ask_each("anvil_setBalance", &|writer| json!([writer, ONE_ETHER]));
        let counts = ask_each("eth_getTransactionCount", &|writer| json!([writer, "latest"]));
        let mut next: BTreeMap<&str, u128> = writers().zip(counts.iter().map(number)).collect();
        let send = |(writer, value): &(String, Vec<u8>)| {
            let nonce = next.get_mut(writer.as_str()).unwrap();
            *nonce += 1;
            let nonce = format!("{:#x}", *nonce - 1);
            json!([{ "from": writer, "nonce": nonce, "to": contract, "gas": format!("{gas:#x}"), "data": call(value) }])
        };
        self.ask_all("eth_sendTransaction", &written.iter().map(send).collect::<Vec<_>>());
        // A block has room for 30 million.
        self.mine(u32::try_from(written.len() as u64 * gas / 25_000_000 + 1).unwrap());
        self.ask("evm_setAutomine", json!([true]));
    }

    /// Ends it, as a crash would.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Ends it and starts it again with all that it had.
    pub fn restart(&mut self) {
        let state = self.ask("anvil_dumpState", json!([]));
        self.kill();
        self.run();
        self.ask("anvil_loadState", json!([state]));
    }
}

fn question(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 0, "method": method, "params": params })
}

/// A quantity.
pub fn number(answer: &Value) -> u128 {
    let text = answer.as_str().unwrap_or_else(|| panic!("{answer} is no quantity"));
    u128::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}

/// The call that announces a value: what the ABI says, by hand.
fn call(method: &str, key: &str, value: &[u8]) -> String {
    let mut data = value.iter().fold(String::new(), |data, byte| format!("{data}{byte:02x}"));
    data.push_str(&"00".repeat(value.len().next_multiple_of(32) - value.len()));
    format!("0x{method}{}{:064x}{:064x}{data}", key.trim_start_matches("0x"), 64, value.len())
}
