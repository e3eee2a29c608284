//! A gateway of a test's own: arlocal, on a free port of this machine, in a temporary folder, ended by its pid.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file is a program of its own and uses a part of this"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bitboot_rpc::testing::{self, Program};
use serde_json::{Value, json};

pub struct Arlocal {
    program: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    process: Option<Program>,
}

/// Under `target/rig`, what `cargo xtask setup` installs.
pub const RIG: &str = "arweave/node_modules/.bin/arlocal";
/// What was announced, the newest first.
const ALL: &str = r#"{ transactions(tags: [{ name: "App-Name", values: ["bitboot"] }], first: 100, sort: HEIGHT_DESC) {
    edges { node { id fee { winston } tags { name value } block { height } } } } }"#;

/// A gateway, where one is installed. Without it a test passes without doing anything, but not where `CI` is set.
#[allow(clippy::print_stderr, reason = "a test that was not run has to be seen")]
pub fn started() -> Option<Arlocal> {
    let path = root().join("target/rig").join(RIG);
    if !path.exists() {
        let told = "skipped: arlocal is not installed, run cargo xtask setup";
        assert!(std::env::var_os("CI").is_none(), "{told}");
        eprintln!("{told}");
        return None;
    }
    Some(Arlocal::start(&path))
}

/// The file of a wallet that everybody knows: 1, 2 or 3.
pub fn wallet(number: usize) -> PathBuf {
    root().join(format!("plugins/arweave/tests/keys/throwaway-{number}.json"))
}

/// The repository.
fn root() -> &'static Path {
    let has = |folder: &&Path| folder.join("registry.toml").is_file();
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(has).unwrap()
}

impl Arlocal {
    /// Starts one whose chain has a block.
    pub fn start(program: &Path) -> Self {
        // In memory where that is a folder: it waits for the disk after each step.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let port = testing::free_port();
        let mut node = Self { program: program.to_owned(), folder, port, process: None };
        node.run();
        node
    }

    fn run(&mut self) {
        let here = root().join("plugins/arweave/tests/node/here.mjs");
        let mut command = Command::new("node");
        command.arg("--import").arg(here).arg(&self.program).arg(self.port.to_string());
        command.args(["--hidelogs", "--persist", "--dbpath", "chain"]).current_dir(self.folder.path());
        let port = self.port;
        let is_ready = move || testing::ask(port, "/info", None, None).is_some();
        self.process = Some(Program::start(&mut command, is_ready));
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn get(&self, path: &str) -> String {
        let (_, body) = testing::ask(self.port, path, None, None).expect("an answer");
        String::from_utf8(body).unwrap()
    }

    /// The status of the answer.
    pub fn post(&self, path: &str, body: &str) -> u16 {
        testing::ask(self.port, path, None, Some(body.as_bytes())).expect("an answer").0
    }

    pub fn mine(&self, blocks: u32) {
        self.get(&format!("/mine/{blocks}"));
    }

    /// Gives an address something to spend.
    pub fn fund(&self, address: &str, winston: u64) {
        self.get(&format!("/mint/{address}/{winston}"));
    }

    /// What an address has, in winston.
    pub fn balance(&self, address: &str) -> u64 {
        self.get(&format!("/wallet/{address}/balance")).parse().unwrap()
    }

    /// What was announced here, the newest first: id, fee, tags, block.
    pub fn announced(&self) -> Vec<Value> {
        let body = json!({ "query": ALL }).to_string();
        let (_, answer) = testing::ask(self.port, "/graphql", None, Some(body.as_bytes())).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        answer["data"]["transactions"]["edges"]
            .as_array()
            .unwrap()
            .iter()
            .map(|edge| edge["node"].clone())
            .collect()
    }

    /// Transactions of others under a topic, each with some data in base64url, by as many owners as there are pairs among six primes and some more.
    pub fn write(&self, topic: &str, data: &[String], primes: usize) {
        let tests = root().join("plugins/arweave/tests");
        let mut command = Command::new("node");
        command.arg(tests.join("node/flood.mjs")).arg(&self.program).arg(self.url());
        command.args((1..=3).map(wallet));
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let told = json!({ "topic": topic, "data": data, "primes": primes }).to_string();
        child.stdin.take().unwrap().write_all(told.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Lets a transaction vanish, as when its block is not in the chain any more.
    pub fn delete(&self, id: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "DELETE /tx/{id} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Ends it in the middle; what it had is there again when it runs again.
    pub fn restart(&mut self) {
        self.process = None;
        self.run();
    }
}
