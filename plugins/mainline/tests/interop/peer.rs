use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// A client of somebody else in a process of its own, as `peers/README.md` says.
pub(crate) struct Peer {
    pub(crate) at: SocketAddr,
    pub(crate) kind: &'static Kind,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

/// Whose client it is.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    command: &'static [&'static str],
    needs: &'static str,
    /// The lengths of the transaction ids that its nodes answer, of those that [`super::LENGTHS`] tries.
    pub(crate) answers: &'static [usize],
}

const CRATES: &str = "target/rig/peers/release/bitboot-dht-peers";
const PYTHON: &str = "target/rig/venv/bin/python";

/// A crate's node takes the transaction id for a number of four bytes, and passes every other question over.
const FOUR: &[usize] = &[4];
const ALL: &[usize] = &super::LENGTHS;

pub(crate) static KINDS: [Kind; 5] = [
    of_crate("mainline", &[CRATES, "--engine", "mainline"]),
    of_crate("dht", &[CRATES, "--engine", "dht"]),
    of_crate("n0", &[CRATES, "--engine", "n0"]),
    LIBTORRENT,
    Kind {
        name: "npm",
        command: &["node", "plugins/mainline/peers/npm.js"],
        needs: "target/rig/node/node_modules/bittorrent-dht",
        answers: ALL,
    },
];

pub(crate) const LIBTORRENT: Kind = Kind {
    name: "libtorrent",
    command: &[PYTHON, "plugins/mainline/peers/libtorrent.py"],
    needs: PYTHON,
    answers: ALL,
};

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(120);

const fn of_crate(name: &'static str, command: &'static [&'static str]) -> Kind {
    Kind { name, command, needs: CRATES, answers: FOUR }
}

impl Kind {
    /// Whether it can be started; a line says so where not.
    pub(crate) fn is_there(&self) -> bool {
        is_there(self.name, root().join(self.needs).exists() && program(self.command[0]).is_some())
    }
}

/// What is missing fails a test where everything has been installed, and is told elsewhere.
#[expect(clippy::print_stderr, reason = "a test that was not run has to be seen")]
pub(crate) fn is_there(name: &str, is_so: bool) -> bool {
    if !is_so {
        let told = format!("skipped: {name} is not installed, run cargo xtask setup");
        assert!(std::env::var_os("CI").is_none(), "{told}");
        eprintln!("{told}");
    }
    is_so
}

impl Peer {
    /// One that knows the network; as a node, it serves others, and may be the first of it.
    pub(crate) fn start(kind: &'static Kind, bootstrap: &[SocketAddr], ip: IpAddr, is_node: bool) -> Self {
        let bootstrap: Vec<_> = bootstrap.iter().map(SocketAddr::to_string).collect();
        let mut command = Command::new(program(kind.command[0]).expect("a program that is there"));
        command.args(&kind.command[1..]).args([
            "--bootstrap",
            &bootstrap.join(","),
            "--host",
            &ip.to_string(),
        ]);
        command.args(is_node.then_some("--node")).current_dir(root());
        command.env("NODE_PATH", root().join("target/rig/node/node_modules"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, lines) = (child.stdin.take(), lines(&mut child));
        let none = SocketAddr::new(ip, 0);
        let mut peer = Self { at: none, kind, child, stdin, lines };
        let ready = peer.read();
        assert_eq!(ready["bootstrapped"], true, "{} does not enter the network: {ready}", kind.name);
        peer.at = ready["at"].as_str().unwrap().parse().unwrap();
        peer
    }

    pub(crate) fn ask(&mut self, mut request: Value) -> Value {
        request["id"] = json!(1);
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{request}").and_then(|()| stdin.flush()).unwrap();
        let answer = self.read();
        assert_eq!(answer["error"], Value::Null, "{} on {request}", self.kind.name);
        answer
    }

    fn read(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|_| panic!("{} at {} says nothing", self.kind.name, self.at));
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of its stdin is its end, also when this process is killed; what is busy is ended.
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process says, line by line.
pub(crate) fn lines(child: &mut Child) -> Receiver<String> {
    let (told, lines) = channel();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        stdout.lines().map_while(Result::ok).try_for_each(|line| told.send(line).ok())
    });
    lines
}

/// An address of 127.0/16, which is free of the networks of ours, that nobody else of this process has; elsewhere than on Linux there is one
/// for all.
pub(crate) fn own_ip() -> IpAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    if cfg!(not(target_os = "linux")) {
        return Ipv4Addr::LOCALHOST.into();
    }
    let process = u8::try_from(1 + std::process::id() % 250).unwrap();
    Ipv4Addr::new(127, 0, process, NEXT.fetch_add(1, Ordering::Relaxed)).into()
}

/// A program of the repository, or one on the path.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(root().join(name)).filter(|path| path.exists());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}
