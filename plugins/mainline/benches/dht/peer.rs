use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use bitboot_mainline::dht::Id;
use serde_json::{Value, json};

use crate::client::Hash;
use crate::figures::{Found, Many, Sent};

/// A client of somebody else, in a process of its own: `peers/README.md`.
pub(crate) struct Peer {
    pub(crate) kind: &'static Kind,
    pub(crate) ip: IpAddr,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

/// How one is started, from the repository's root.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    command: &'static [&'static str],
    needs: &'static [&'static str],
}

const CRATES: &str = "target/rig/peers/release/bitboot-dht-peers";
const PYTHON: &str = "target/rig/venv/bin/python";

pub(crate) const KINDS: [Kind; 5] = [
    of_crate("mainline", "mainline 8.0.1", &[CRATES, "--engine", "mainline"]),
    of_crate("dht", "dht 7.0.0", &[CRATES, "--engine", "dht"]),
    of_crate("n0", "n0-mainline 0.7.1", &[CRATES, "--engine", "n0"]),
    Kind {
        name: "libtorrent",
        title: "libtorrent 2.1.1",
        command: &[PYTHON, "plugins/mainline/peers/libtorrent.py"],
        needs: &[PYTHON],
    },
    Kind {
        name: "npm",
        title: "bittorrent-dht 11",
        command: &["node", "plugins/mainline/peers/npm.js"],
        needs: &["target/rig/node/node_modules/bittorrent-dht"],
    },
];

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(60);

const fn of_crate(name: &'static str, title: &'static str, command: &'static [&'static str]) -> Kind {
    Kind { name, title, command, needs: &[CRATES] }
}

impl Kind {
    /// Why it cannot be started, if so.
    pub(crate) fn missing(&self) -> Option<String> {
        let absent = self.needs.iter().find(|path| !root().join(path).exists());
        absent.map(|path| format!("there is no {path}; run `cargo xtask setup`"))
    }
}

impl Peer {
    /// Starts one and waits for it to know the network.
    pub(crate) fn start(kind: &'static Kind, bootstrap: &[SocketAddr], ip: IpAddr) -> Result<Self, String> {
        let bootstrap: Vec<_> = bootstrap.iter().map(SocketAddr::to_string).collect();
        let (program, words) = kind.command.split_first().ok_or("no command")?;
        let program = if program.contains('/') { root().join(program) } else { program.into() };
        let mut child = Command::new(program)
            .args(words)
            .args(["--bootstrap", &bootstrap.join(","), "--host", &ip.to_string()])
            .current_dir(root())
            .env("NODE_PATH", root().join("target/rig/node/node_modules"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().ok_or("no stdout")?);
        let (told, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| told.send(line).ok())
        });
        let peer = Self { kind, ip, child, stdin, lines };
        let ready = peer.read().ok_or("it does not start")?;
        if ready["bootstrapped"] != true {
            return Err("it does not enter the network".into());
        }
        Ok(peer)
    }

    pub(crate) fn lookup(&mut self, op: &str, hash: Hash) -> Found {
        let answer = self.ask(json!({ "op": op, "hash": hex(&hash) }));
        Found { first: time(&answer["first_us"]), done: time(&answer["done_us"]) }
    }

    pub(crate) fn announce(&mut self, hash: Hash) -> Sent {
        let answer = self.ask(json!({ "op": "announce", "hash": hex(&hash), "port": 4002 }));
        let acks = answer["acks"].as_u64();
        Sent { sent: time(&answer["sent_us"]), done: time(&answer["done_us"]), acks }
    }

    pub(crate) fn lookups(&mut self, hashes: &[Hash], parallel: usize, only_first: bool) -> Many {
        let until = if only_first { "first" } else { "done" };
        let texts: Vec<_> = hashes.iter().map(hex).collect();
        let count = hashes.len();
        let answer =
            self.ask(json!({ "op": "lookups", "hashes": texts, "parallel": parallel, "until": until }));
        let missed = answer["missed"].as_u64().and_then(|missed| usize::try_from(missed).ok());
        let took = time(&answer["took_us"]).unwrap_or(PATIENCE);
        Many { count, took, missed: missed.unwrap_or(count) }
    }

    pub(crate) fn rss_kib(&mut self) -> Option<u64> {
        self.ask(json!({ "op": "rss" }))["rss_kib"].as_u64()
    }

    fn ask(&mut self, mut request: Value) -> Value {
        request["id"] = 1.into();
        if let Some(stdin) = &mut self.stdin {
            // Whoever has ended does not answer either.
            let _ = writeln!(stdin, "{request}").and_then(|()| stdin.flush());
        }
        self.read().unwrap_or_default()
    }

    fn read(&self) -> Option<Value> {
        let line = self.lines.recv_timeout(PATIENCE).ok()?;
        serde_json::from_str(&line).ok()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of its stdin is its end; what is busy is ended.
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(&here).to_owned()
}

fn hex(hash: &Hash) -> String {
    format!("{:?}", Id(*hash))
}

fn time(micros: &Value) -> Option<Duration> {
    micros.as_u64().map(Duration::from_micros)
}
