use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use bitboot_mainline::dht::Id;

use super::peer::{is_there, lines, own_ip, program};

/// A download that waits for peers: a node that announces itself under a hash, and looks for others there, some 6 s after its start.
pub(crate) struct Aria2 {
    pub(crate) at: SocketAddr,
    child: Child,
    lines: Receiver<String>,
    found: BTreeSet<SocketAddr>,
    _folder: Folder,
}

/// Longer than it takes to look a second time.
const PATIENCE: Duration = Duration::from_secs(180);

impl Aria2 {
    pub(crate) fn is_there() -> bool {
        is_there("aria2c", program("aria2c").is_some())
    }

    pub(crate) fn start(bootstrap: Option<SocketAddr>, hash: &Id) -> Self {
        let (ip, folder) = (own_ip(), Folder::new());
        let (at, path) = (SocketAddr::new(ip, free_port(ip)), folder.0.display());
        let port = at.port();
        let mut command = Command::new(program("aria2c").expect("a program that is there"));
        command.args(["--no-conf", "--enable-dht=true", "--enable-dht6=false", "--disable-ipv6=true"]);
        command.args(["--bt-enable-lpd=false", "--log=-", "--log-level=debug", "--console-log-level=error"]);
        command.args(["--show-console-readout=false", "--enable-peer-exchange=false"]);
        // So that none is left when this process is killed.
        command.arg(format!("--stop-with-process={}", std::process::id()));
        command.args(bootstrap.map(|at| format!("--dht-entry-point={at}")));
        command.args([format!("--dht-listen-port={port}"), format!("--listen-port={port}")]);
        command.args([format!("--interface={ip}"), format!("--dir={path}")]);
        command.arg(format!("--dht-file-path={path}/dht.dat"));
        command.arg(format!("magnet:?xt=urn:btih:{hash:?}"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = lines(&mut child);
        Self { at, child, lines, found: BTreeSet::new(), _folder: folder }
    }

    /// Waits until it has found a peer.
    pub(crate) fn finds(&mut self, peer: SocketAddr) {
        let end = Instant::now() + PATIENCE;
        while !self.found.contains(&peer) {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("aria2 finds {:?} and not {peer}", self.found));
            let told = line.split("Adding peer ").nth(1).and_then(|told| told.split_whitespace().next());
            self.found.extend(told.and_then(|told| told.parse::<SocketAddr>().ok()));
        }
    }
}

impl Drop for Aria2 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nobody else uses the address, so what is free now is free in a moment.
fn free_port(ip: IpAddr) -> u16 {
    UdpSocket::bind((ip, 0)).unwrap().local_addr().unwrap().port()
}

/// A folder that goes with what it is for.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("bitboot-interop-{}-{}", std::process::id(), fastrand::u64(..));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
