//! A Bitcoin node of a test's own: regtest, on a free port of this machine, in a temporary folder, ended by its pid.
#![allow(dead_code, unreachable_pub, reason = "each test file is a program of its own and uses a part of this")]

pub mod proxy;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub struct Bitcoind {
    programs: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Bitcoind {
    /// Starts one from the folder where `cargo xtask setup` puts `bitcoind` and `bitcoin-cli`, with a wallet that has coins.
    pub fn start(programs: &Path) -> Self {
        // Nobody listens there now; bitcoind ends at once if somebody does in a moment.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut node = Self { programs: programs.to_owned(), folder, port, child: None };
        node.run();
        node.cli(&["createwallet", "miner"]);
        node.mine(101);
        node
    }

    fn run(&mut self) {
        let mut command = Command::new(self.programs.join("bitcoind"));
        command.arg(format!("-datadir={}", self.folder.path().display())).arg(format!("-rpcport={}", self.port));
        command.args(["-regtest", "-server", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1", "-listen=0", "-dnsseed=0"]);
        command.args(["-discover=0", "-connect=0", "-fallbackfee=0.0002", "-persistmempool=1", "-printtoconsole=0"]);
        self.child = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let start = Instant::now();
        while self.try_cli(&["getblockcount"]).is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "bitcoind does not start");
            std::thread::sleep(Duration::from_millis(100));
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

    fn try_cli(&self, words: &[&str]) -> Option<String> {
        let mut command = Command::new(self.programs.join("bitcoin-cli"));
        command.arg(format!("-datadir={}", self.folder.path().display())).arg(format!("-rpcport={}", self.port));
        let ran = command.arg("-regtest").args(words).stdin(Stdio::null()).output().unwrap();
        ran.status.success().then(|| String::from_utf8(ran.stdout).unwrap().trim().to_owned())
    }

    pub fn cli(&self, words: &[&str]) -> String {
        self.try_cli(words).unwrap_or_else(|| panic!("bitcoin-cli {words:?} fails"))
    }

    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.cli(words)).unwrap()
    }

    pub fn mine(&self, blocks: u32) {
        let address = self.cli(&["getnewaddress"]);
        self.cli(&["generatetoaddress", &blocks.to_string(), &address]);
    }

    /// Sends coins to an address and mines a block.
    pub fn fund(&self, address: &str, coins: &str) {
        self.cli(&["sendtoaddress", address, coins]);
        self.mine(1);
    }

    pub fn height(&self) -> u32 {
        self.cli(&["getblockcount"]).parse().unwrap()
    }

    pub fn waiting(&self) -> Vec<String> {
        serde_json::from_value(self.json(&["getrawmempool"])).unwrap()
    }

    /// Ends it as its user would, so that it finds everything again.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        self.try_cli(&["stop"]);
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "bitcoind does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn restart(&mut self) {
        self.stop();
        self.run();
        self.cli(&["loadwallet", "miner"]);
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
