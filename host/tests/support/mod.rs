//! What the tests of the command share: a home of its own for each, the binary, and processes that end with their test.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test file is a program of its own and uses a part of this"
)]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod author;
mod find;
mod lies;
#[cfg(target_os = "linux")]
pub mod process;
mod running;
mod spender;
#[cfg(unix)]
mod terminal;
mod workshop;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

pub use author::{Author, PLUGIN, archive, flip, hash, of_version, target, with_manifest};
pub use find::{library, misfit, program, rig};
pub use lies::{Lie, RPC_LIES};
pub use running::{Running, Testnet};
pub use spender::{Chain, Spender};
#[cfg(unix)]
pub use terminal::Terminal;
pub use workshop::{Workshop, at_home, cargo};

/// Longer than anything here takes on the slowest machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What is spent is counted by days of UTC: whoever counts does not begin just before midnight.
pub fn away_from_midnight() {
    const DAY: u64 = 86_400;
    const LONGEST: u64 = 120;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let left = DAY - now % DAY;
    if left < LONGEST {
        std::thread::sleep(Duration::from_secs(left + 1));
    }
}

/// A user with nothing yet: folders and a runtime folder that go with the test.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Self { folder };
        std::fs::create_dir(home.runtime()).unwrap();
        home
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn runtime(&self) -> PathBuf {
        self.path().join("run")
    }

    pub fn registry(&self) -> PathBuf {
        self.path().join("config/registry.toml")
    }

    /// `bitboot` with this home and none of the developer's environment.
    pub fn bitboot(&self, words: &[&str]) -> Command {
        self.program(Path::new(env!("CARGO_BIN_EXE_bitboot")), words)
    }

    /// Another program in the same surroundings.
    pub fn program(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        for variable in ["BITBOOT_VIA", "BITBOOT_TIMEOUT", "NO_COLOR", "CLICOLOR_FORCE", "COMPLETE"] {
            command.env_remove(variable);
        }
        command
            .args(words)
            .env("BITBOOT_HOME", self.path())
            .env("XDG_RUNTIME_DIR", self.runtime())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, words: &[&str]) -> Ran {
        Ran(self.bitboot(words).output().unwrap())
    }

    /// A run that has to go well.
    pub fn ok(&self, words: &[&str]) -> Ran {
        let ran = self.run(words);
        assert_eq!(ran.code(), 0, "{words:?}: {}\n{}", ran.out(), ran.err());
        ran
    }

    pub fn start(&self, words: &[&str]) -> Running {
        Running::new(self.bitboot(words))
    }

    /// Registers the backend `lab` on a DHT.
    pub fn add_lab(&self, bootstrap: &str) {
        let set = format!("bootstrap={bootstrap}");
        self.ok(&["backend", "add", "lab", "--plugin", "mainline", "--set", &set, "--set", "bind=127.0.0.1"]);
    }

    /// The same for the library in this process, beside which no plugins lie.
    pub fn add_lab_by_hand(&self, bootstrap: &[String]) {
        self.add_plugin("mainline", &library("bitboot_mainline"));
        let config = format!("config = {{ bootstrap = {bootstrap:?}, bind = \"127.0.0.1\" }}");
        self.append(&format!("\n[backends.lab]\nplugin = \"mainline\"\nkind = \"mainline\"\n{config}\n"));
    }

    /// Several homes with one folder for `local`, as on one machine.
    pub fn share<const N: usize>(folder: &Path) -> [Self; N] {
        std::array::from_fn(|_| {
            let home = Self::new();
            home.ok(&["backend", "set", "local", &format!("folder={}", folder.display())]);
            home
        })
    }

    /// A run with something on its stdin.
    pub fn feed(&self, words: &[&str], text: &str) -> Ran {
        let mut command = self.bitboot(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read it is judged by its end.
        let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
        Ran(child.wait_with_output().unwrap())
    }

    /// The invite of a secret network of this home.
    pub fn invite(&self, network: &str) -> String {
        self.ok(&["network", "invite", network]).out().trim().to_owned()
    }

    /// The key that this home signs with.
    pub fn identity(&self) -> String {
        self.ok(&["status", "--json"]).of_type("identity")[0]["public_key"].as_str().unwrap().to_owned()
    }

    /// Registers a plugin by its path, as `plugin install` would without copying it.
    pub fn add_plugin(&self, name: &str, library: &Path) {
        let entry = format!("\n[plugins.{name}]\npath = {:?}\n", library.display().to_string());
        self.append(&entry);
    }

    /// Registers a backend of a kind that misbehaves, see `host/tests/misbehaving`.
    pub fn add_misbehaving(&self, name: &str, kind: &str, config: &str) {
        let text = std::fs::read_to_string(self.registry()).unwrap_or_default();
        if !text.contains("[plugins.misbehaving]") {
            self.add_plugin("misbehaving", &library("bitboot_misbehaving"));
        }
        let config = format!("config = {{ {config} }}");
        self.append(&format!("\n[backends.{name}]\nplugin = \"misbehaving\"\nkind = {kind:?}\n{config}\n"));
    }

    /// Lets a plugin be tried again that has died.
    pub fn retry(&self, plugin: &str) {
        self.ok(&["plugin", "retry", plugin]);
    }

    /// Nothing is asked unless it is named, so that no test leaves loopback.
    pub fn forget_the_world(&self) {
        self.append("\n[backends.bittorrent]\ndefault = false\n");
    }

    pub fn append(&self, text: &str) {
        let path = self.registry();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(path, before + text).unwrap();
    }
}

/// A command that has ended.
pub struct Ran(pub Output);

impl Ran {
    pub fn code(&self) -> i32 {
        self.0.status.code().unwrap_or(-1)
    }

    /// It failed with this code, and said this.
    #[track_caller]
    pub fn is_refused(&self, code: i32, says: &str) {
        let is_told = self.code() == code && self.err().contains(says);
        assert!(is_told, "{says}: {} {}\n{}", self.code(), self.out(), self.err());
    }

    pub fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// The lines of `--json`.
    pub fn lines(&self) -> Vec<Value> {
        self.out().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The lines of `--json` of one type.
    pub fn of_type(&self, name: &str) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line["type"] == name).collect()
    }

    /// The peers, sorted.
    pub fn peers(&self) -> Vec<String> {
        let mut peers: Vec<_> =
            self.of_type("peer").iter().map(|line| line["peer"].as_str().unwrap().to_owned()).collect();
        peers.sort();
        peers
    }
}
