use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mainline::async_dht::AsyncDht;
use serde_json::{Value, json};

use crate::measure::{Plugin, is_smoke};
use crate::support::{self, Home, Running, Testnet, library};

/// A DHT on loopback, for as long as it is kept.
pub(crate) struct Dht {
    pub(crate) name: &'static str,
    pub(crate) bootstrap: Vec<String>,
    _nodes: Vec<AsyncDht>,
    _process: Option<Running>,
    _testnet: Option<Testnet>,
}

/// How long nodes wait for each other while they meet.
const PATIENCE: Duration = Duration::from_millis(200);

fn size() -> usize {
    if is_smoke() { 10 } else { 50 }
}

impl Dht {
    /// `bitboot testnet`: nodes of the `mainline` crate in a process of their own.
    pub(crate) fn testnet(home: &Home) -> Self {
        let testnet = Testnet::start(home, u32::try_from(size()).unwrap());
        let bootstrap = testnet.bootstrap.clone();
        let name = "bitboot testnet";
        Self { name, bootstrap, _nodes: Vec::new(), _process: None, _testnet: Some(testnet) }
    }

    /// A third of the nodes are npm's `bittorrent-dht`, which follow BEP 44 to the letter; the others are of the `mainline` crate, and all
    /// know each other. `None` where `cargo xtask setup` has not been run.
    pub(crate) async fn mixed() -> Option<Self> {
        let strict = size() / 3;
        let mut command = Command::new(support::program("node")?);
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
        command.current_dir(scripts).args(["nodes.js", "--nodes", &strict.to_string()]);
        command.env("NODE_PATH", support::rig("bittorrent-dht", "node/node_modules")?);
        let mut process = Running::new(command);
        let told: Vec<String> = serde_json::from_value(process.json()["bootstrap"].clone()).unwrap();
        let strict: Vec<SocketAddrV4> = told.iter().map(|host| host.parse().unwrap()).collect();

        let addresses = free_addresses(size() - strict.len());
        let nodes: Vec<_> = addresses.iter().map(|at| node(*at, &addresses, &strict)).collect();
        for at in &addresses {
            process.tell(&at.to_string());
        }
        // Once with gaps while they start, once with all of them there.
        for _ in 0..2 {
            for node in &nodes {
                node.bootstrapped().await;
            }
        }
        let bootstrap =
            addresses.iter().take(2).map(ToString::to_string).chain(told.into_iter().take(1)).collect();
        let name = "a third strict";
        Some(Self { name, bootstrap, _nodes: nodes, _process: Some(process), _testnet: None })
    }

    /// A backend on it.
    pub(crate) fn plugin(&self) -> Plugin {
        let config: Value = json!({ "bootstrap": self.bootstrap, "bind": "127.0.0.1" });
        Plugin::new(&library("bitboot_mainline"), "mainline", config)
    }
}

fn node(at: SocketAddrV4, all: &[SocketAddrV4], strict: &[SocketAddrV4]) -> AsyncDht {
    let mut builder = mainline::Dht::builder();
    let others: Vec<_> = all.iter().filter(|other| **other != at).chain(strict).copied().collect();
    builder.server_mode().bind_address(*at.ip()).port(at.port()).bootstrap(&others).request_timeout(PATIENCE);
    builder.build().unwrap().as_async()
}

/// All of them are bound before any is let go, so that no port comes twice.
fn free_addresses(count: usize) -> Vec<SocketAddrV4> {
    let sockets: Vec<_> = (0..count).map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
    let address =
        |socket: &UdpSocket| SocketAddrV4::new(Ipv4Addr::LOCALHOST, socket.local_addr().unwrap().port());
    sockets.iter().map(address).collect()
}
