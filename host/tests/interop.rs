//! bitboot among DHT clients that are not ours: each finds what the other announces. See `interop/README.md`.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

mod support;

use std::fmt::Write as _;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, id};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use sha1::{Digest, Sha1};
use support::{Home, Running, Testnet};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop");

/// The name of a network as every BitTorrent client takes it.
fn info_hash(network: &str) -> String {
    Sha1::digest(network).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// An address of this test process for a client; 127.0/16 is free of the nodes of `nodes.js`.
fn host(client: u32) -> String {
    format!("127.0.{}.{client}", 1 + id() % 254)
}

/// A script for `node`, or `None` where that is not installed.
fn node(script: &str) -> Option<Command> {
    let mut command = Command::new(support::program("node")?);
    command.current_dir(SCRIPTS).arg(script);
    command.env("NODE_PATH", support::rig("bittorrent-dht", "node/node_modules")?);
    Some(command)
}

/// A script for the Python that has libtorrent.
fn python(script: &str) -> Option<Command> {
    let mut command = Command::new(support::rig("libtorrent", "venv/bin/python")?);
    command.current_dir(SCRIPTS).arg(script);
    Some(command)
}

/// The bootstrap hosts of a DHT of 50 nodes, one for all tests. It ends with this process, when its stdin closes.
fn network() -> Option<&'static [String]> {
    static NETWORK: OnceLock<Option<(Mutex<Running>, Vec<String>)>> = OnceLock::new();
    let start = || {
        let mut command = node("nodes.js")?;
        command.args(["--nodes", "50"]);
        let nodes = Running::new(command);
        let hosts = serde_json::from_value(nodes.json()["bootstrap"].clone()).unwrap();
        Some((Mutex::new(nodes), hosts))
    };
    NETWORK.get_or_init(start).as_ref().map(|(_, hosts)| &hosts[..])
}

/// A peer that is not ours.
fn peer(mut command: Command, mode: &str, client: u32, network: &str, extra: [&str; 2]) -> Running {
    let bootstrap = self::network().unwrap().join(",");
    let (host, hash) = (host(client), info_hash(network));
    command.args([mode, "--bootstrap", &bootstrap, "--host", &host, "--info-hash", &hash]).args(extra);
    Running::new(command)
}

fn bitboot() -> Option<Home> {
    let home = Home::new();
    home.add_lab(&network()?.join(","));
    Some(home)
}

fn announce(home: &Home, network: &str, port: &str) {
    let ran = home.ok(&["announce", network, "--port", port, "--via", "lab", "--once", "--json"]);
    assert!(ran.of_type("receipt")[0]["stored"].as_u64().unwrap() > 0, "{}", ran.out());
}

/// What others announce may take a while until it is everywhere.
fn finds(home: &Home, network: &str, peer: &str) {
    let start = Instant::now();
    loop {
        let ran = home.run(&["lookup", network, "--via", "lab", "--json"]);
        if ran.peers().iter().any(|found| found == peer) {
            return;
        }
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "{peer} is not found: {}{}",
            ran.out(),
            ran.err()
        );
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// What a script's lookup prints until it ends.
fn found_by(command: Command, client: u32, network: &str) -> Vec<String> {
    let looking = peer(command, "lookup", client, network, ["--timeout", "100"]);
    looking.rest().iter().map(|line| line.split('"').nth(3).unwrap().to_owned()).collect()
}

#[test]
fn bittorrent_dht_finds_what_bitboot_announces() {
    let (Some(home), Some(script)) = (bitboot(), node("peer.js")) else { return };
    announce(&home, "found by npm", "4001");
    assert_eq!(found_by(script, 1, "found by npm"), ["127.0.0.1:4001"]);
}

#[test]
fn libtorrent_finds_what_bitboot_announces() {
    let (Some(home), Some(script)) = (bitboot(), python("peer.py")) else { return };
    announce(&home, "found by libtorrent", "4002");
    assert_eq!(found_by(script, 2, "found by libtorrent"), ["127.0.0.1:4002"]);
}

#[test]
fn bitboot_finds_what_bittorrent_dht_announces() {
    let (Some(home), Some(script)) = (bitboot(), node("peer.js")) else { return };
    let announcing = peer(script, "announce", 3, "announced by npm", ["--port", "4003"]);
    announcing.json()["announced"].as_u64().filter(|&nodes| nodes > 0).unwrap();
    finds(&home, "announced by npm", &format!("{}:4003", host(3)));
}

#[test]
fn bitboot_finds_what_libtorrent_announces() {
    let (Some(home), Some(script)) = (bitboot(), python("peer.py")) else { return };
    let announcing = peer(script, "announce", 4, "announced by libtorrent", ["--port", "4004"]);
    announcing.json()["announced"].as_u64().filter(|&nodes| nodes > 0).unwrap();
    finds(&home, "announced by libtorrent", &format!("{}:4004", host(4)));
}

#[test]
fn all_of_them_meet_in_one_network() {
    let (Some(home), Some(npm), Some(libtorrent)) = (bitboot(), node("peer.js"), python("peer.py")) else {
        return;
    };
    let npm = peer(npm, "announce", 5, "meeting", ["--port", "5"]);
    let libtorrent = peer(libtorrent, "announce", 6, "meeting", ["--port", "6"]);
    announce(&home, "meeting", "4005");
    npm.line();
    libtorrent.line();
    for peer in [format!("{}:5", host(5)), format!("{}:6", host(6)), "127.0.0.1:4005".into()] {
        finds(&home, "meeting", &peer);
    }
}

/// aria2 in a network of `bitboot testnet`; it announces its own address and looks for others by itself.
fn aria2(client: u32, bootstrap: &str, folder: &Path, network: &str) -> Option<(Running, String)> {
    let mut command = Command::new(support::program("aria2c")?);
    let host = host(client);
    // Nobody else uses this address, so what is free now is free in a moment.
    let port = UdpSocket::bind((&*host, 0)).unwrap().local_addr().unwrap().port();
    let folder = folder.display();
    command.args(["--no-conf", "--enable-dht=true", "--enable-dht6=false", "--disable-ipv6=true"]);
    command.args(["--bt-enable-lpd=false", "--log=-", "--log-level=debug", "--console-log-level=error"]);
    command.args(["--show-console-readout=false", &format!("--stop-with-process={}", id())]);
    command.args([format!("--dht-entry-point={bootstrap}"), format!("--interface={host}")]);
    command.args([format!("--dht-listen-port={port}"), format!("--listen-port={port}")]);
    command.args([format!("--dir={folder}"), format!("--dht-file-path={folder}/dht.dat")]);
    command.arg(format!("magnet:?xt=urn:btih:{}", info_hash(network)));
    Some((Running::new(command), format!("{host}:{port}")))
}

#[test]
fn bitboot_finds_what_aria2_announces() {
    let home = Home::new();
    let testnet = Testnet::start(&home, 20);
    home.add_lab(&testnet.bootstrap[0]);
    let folder = tempfile::tempdir().unwrap();
    let Some((_aria2, address)) = aria2(7, &testnet.bootstrap[0], folder.path(), "announced by aria2") else {
        return;
    };
    finds(&home, "announced by aria2", &address);
}

#[test]
fn aria2_finds_what_bitboot_announces() {
    let home = Home::new();
    let testnet = Testnet::start(&home, 20);
    home.add_lab(&testnet.bootstrap[0]);
    announce(&home, "found by aria2", "4008");
    let folder = tempfile::tempdir().unwrap();
    let Some((aria2, _)) = aria2(8, &testnet.bootstrap[0], folder.path(), "found by aria2") else { return };
    aria2.line_with("Adding peer 127.0.0.1:4008");
}
