//! A Bitcoin node of a test's own: regtest, on a free port of this machine, in a temporary folder, ended by its pid.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file is a program of its own and uses a part of this"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use bitboot_rpc::testing::{self, Program};
use serde_json::{Value, json};

pub struct Bitcoind {
    program: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    process: Option<Program>,
    filters: bool,
}

/// A login for the tests beside the cookie, as `rpcauth.py` makes it: user and password are `test`.
const LOGIN: &str = "-rpcauth=test:bitboot$660572c524542c1a806d0c866c07a2f098e602cff5e77450520a7a0f2f1311c0";
const HEADER: &str = "Basic dGVzdDp0ZXN0";

impl Bitcoind {
    /// Starts one, with a wallet that has coins.
    pub fn start(program: &Path) -> Self {
        Self::start_with(program, false)
    }

    /// The same for one that keeps filters of its blocks.
    pub fn with_filters(program: &Path) -> Self {
        Self::start_with(program, true)
    }

    fn start_with(program: &Path, filters: bool) -> Self {
        let (port, folder) = (testing::free_port(), tempfile::tempdir().unwrap());
        let mut node = Self { program: program.to_owned(), folder, port, process: None, filters };
        node.run();
        node.ask("createwallet", json!(["miner"]));
        node.mine(101);
        node
    }

    fn run(&mut self) {
        let mut command = Command::new(&self.program);
        command
            .arg(format!("-datadir={}", self.folder.path().display()))
            .arg(format!("-rpcport={}", self.port))
            .arg(format!("-blockfilterindex={}", u8::from(self.filters)));
        command.args([
            "-regtest",
            "-server",
            "-rpcbind=127.0.0.1",
            "-rpcallowip=127.0.0.1",
            LOGIN,
            "-listen=0",
        ]);
        command.args(["-dnsseed=0", "-discover=0", "-connect=0", "-fallbackfee=0.0002", "-printtoconsole=0"]);
        let is_ready = || self.try_ask("getblockcount", &json!([])).is_some();
        self.process = Some(Program::start(&mut command, is_ready));
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn cookie(&self) -> PathBuf {
        self.folder.path().join("regtest/.cookie")
    }

    fn post(&self, body: &Value) -> Option<Value> {
        let body = body.to_string();
        let (_, answer) = testing::ask(self.port, "", Some(HEADER), Some(body.as_bytes()))?;
        serde_json::from_slice(&answer).ok()
    }

    fn try_ask(&self, method: &str, params: &Value) -> Option<Value> {
        let answer = self.post(&json!({ "id": 0, "method": method, "params": params }))?;
        answer["error"].is_null().then(|| answer["result"].clone())
    }

    /// What the node answers to one question.
    pub fn ask(&self, method: &str, params: Value) -> Value {
        self.ask_all(method, vec![params]).remove(0)
    }

    /// The same for several at once.
    pub fn ask_all(&self, method: &str, params: Vec<Value>) -> Vec<Value> {
        let ask = |params| json!({ "id": 0, "method": method, "params": params });
        let answers = self.post(&params.into_iter().map(ask).collect()).expect("an answer");
        let answers = answers.as_array().unwrap_or_else(|| panic!("{method}: {answers}")).iter();
        answers
            .map(|answer| {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                answer["result"].clone()
            })
            .collect()
    }

    pub fn address(&self) -> String {
        self.ask("getnewaddress", json!(["", "bech32"])).as_str().unwrap().to_owned()
    }

    pub fn mine(&self, blocks: u32) {
        self.ask("generatetoaddress", json!([blocks, self.address()]));
    }

    /// Sends coins to an address and mines a block.
    pub fn fund(&self, address: &str, coins: f64) {
        let id = self.ask("sendtoaddress", json!([address, coins]));
        self.mine(1);
        // The wallet may learn of the block a moment later.
        let (start, mut found) = (Instant::now(), Value::Null);
        while found["confirmations"] != 1 {
            assert!(start.elapsed() < Duration::from_secs(60), "{found}, and {:?} wait", self.waiting());
            found = self.ask("gettransaction", json!([id]));
        }
    }

    pub fn height(&self) -> u64 {
        self.ask("getblockcount", json!([])).as_u64().unwrap()
    }

    /// The ids of what waits for a block.
    pub fn waiting(&self) -> Vec<String> {
        serde_json::from_value(self.ask("getrawmempool", json!([]))).unwrap()
    }

    /// Transactions of others with an output of data each, all in one block.
    pub fn write(&self, data: &[String]) {
        let coins: serde_json::Map<String, Value> =
            data.iter().map(|_| (self.address(), json!(0.0001))).collect();
        let id = self.ask("sendmany", json!(["", coins]));
        let made = self.ask("getrawtransaction", json!([id, 1]));
        let coins = made["vout"].as_array().unwrap().iter().filter(|coin| coin["value"] == json!(0.0001));
        let address = self.address();
        // Bitcoin Knots takes no transaction without any other output.
        let spend = |(coin, data): (&Value, &String)| json!([[{ "txid": id, "vout": coin["n"] }], [{ "data": data }, { &address: 0.00005 }]]);
        let raw = self.ask_all("createrawtransaction", coins.zip(data).map(spend).collect());
        self.mine(1);
        let signed =
            self.ask_all("signrawtransactionwithwallet", raw.into_iter().map(|raw| json!([raw])).collect());
        let sent = self
            .ask_all("sendrawtransaction", signed.iter().map(|signed| json!([signed["hex"], 0])).collect());
        assert_eq!(sent.len(), data.len());
        self.mine(1);
    }

    /// Ends it as its user would, so that it finds everything again.
    pub fn stop(&mut self) {
        self.ask("stop", json!([]));
        self.process.as_mut().unwrap().wait();
    }

    pub fn restart(&mut self) {
        self.stop();
        self.run();
        self.ask("loadwallet", json!(["miner"]));
    }
}
