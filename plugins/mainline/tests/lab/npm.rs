//! A DHT of nodes that are not ours: npm's `bittorrent-dht`, each strict about BEP 44.
#![allow(dead_code, reason = "each test file is a program of its own and uses a part of this")]
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// Ends with the value that holds it, when its stdin closes.
pub(crate) struct Npm {
    process: Child,
    bootstrap: Value,
}

impl Npm {
    /// So many nodes; `None`, and a line that says so, where `cargo xtask setup` has not been run.
    pub(crate) fn start(nodes: u16) -> Option<Self> {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let modules = top.join("target/rig/node/node_modules");
        let Some(node) = program("node").filter(|_| modules.join("bittorrent-dht").exists()) else {
            return skip();
        };
        let mut command = Command::new(node);
        command.arg("nodes.js").args(["--nodes", &nodes.to_string()]);
        command.current_dir(top.join("host/tests/interop")).env("NODE_PATH", modules.canonicalize().unwrap());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        Some(Self { process, bootstrap: told["bootstrap"].clone() })
    }

    pub(crate) fn config(&self) -> Value {
        json!({ "bootstrap": self.bootstrap, "bind": "127.0.0.1" })
    }
}

impl Drop for Npm {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

#[expect(clippy::print_stderr, reason = "a test that was not run has to be seen")]
fn skip<T>() -> Option<T> {
    let told = "skipped: node or bittorrent-dht is not installed, run cargo xtask setup";
    assert!(std::env::var_os("CI").is_none(), "{told}");
    eprintln!("{told}");
    None
}
