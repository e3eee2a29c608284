//! A Bitcoin node of a test's own: regtest, on a free port of this machine, in a temporary folder, ended by its pid.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file is a program of its own and uses a part of this"
)]

pub mod proxy;

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub struct Bitcoind {
    program: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

/// A login for the tests beside the cookie, as `rpcauth.py` makes it: user and password are `test`.
const LOGIN: &str = "-rpcauth=test:bitboot$660572c524542c1a806d0c866c07a2f098e602cff5e77450520a7a0f2f1311c0";
const HEADER: &str = "authorization: Basic dGVzdDp0ZXN0";
const PATIENCE: Duration = Duration::from_secs(60);

impl Bitcoind {
    /// Starts one, with a wallet that has coins.
    pub fn start(program: &Path) -> Self {
        // Nobody listens there now; bitcoind ends at once if somebody does in a moment.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut node = Self { program: program.to_owned(), folder, port, child: None };
        node.run();
        node.ask("createwallet", json!(["miner"]));
        node.mine(101);
        node
    }

    fn run(&mut self) {
        let mut command = Command::new(&self.program);
        command
            .arg(format!("-datadir={}", self.folder.path().display()))
            .arg(format!("-rpcport={}", self.port));
        command.args([
            "-regtest",
            "-server",
            "-rpcbind=127.0.0.1",
            "-rpcallowip=127.0.0.1",
            LOGIN,
            "-listen=0",
        ]);
        command.args(["-dnsseed=0", "-discover=0", "-connect=0", "-fallbackfee=0.0002", "-printtoconsole=0"]);
        self.child =
            Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let start = Instant::now();
        while self.try_ask("getblockcount", &json!([])).is_none() {
            assert!(start.elapsed() < PATIENCE, "bitcoind does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
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
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let body = body.to_string();
        let head = format!(
            "POST / HTTP/1.1\r\nhost: here\r\n{HEADER}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).ok()?;
        let (_, answer) = proxy::message(&mut BufReader::new(stream))?;
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
        let found = self.ask("gettransaction", json!([id]));
        assert_eq!(found["confirmations"], 1, "{found}");
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
        let Some(mut child) = self.child.take() else { return };
        self.ask("stop", json!([]));
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < PATIENCE, "bitcoind does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn restart(&mut self) {
        self.stop();
        self.run();
        self.ask("loadwallet", json!(["miner"]));
    }
}

impl Drop for Bitcoind {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
