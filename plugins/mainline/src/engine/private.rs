use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use bitboot_plugin_api::{Error, Result};
use mainline::Dht;
use mainline::async_dht::AsyncDht;
use tokio::task::{JoinSet, spawn_blocking};

/// A DHT of this machine's own, on loopback. Dropping it ends its nodes.
///
/// The crate has one (`Testnet`) whose nodes take everybody who searches for a node: each client that comes and goes leaves a dead
/// contact, and each dead contact costs every later search its whole time-out. Nodes that start from others do not do that; so here
/// each of them starts from some of the others.
pub(crate) struct PrivateDht {
    nodes: Vec<AsyncDht>,
    addresses: Vec<SocketAddrV4>,
}

/// From how many others a node starts: enough that together they know everybody.
const NEIGHBOURS: usize = 20;
/// How long they wait for each other; the first ones ask in vain until the last ones are there.
const PATIENCE: Duration = Duration::from_millis(200);

impl PrivateDht {
    /// Starts nodes and waits until they know each other.
    pub(crate) async fn start(nodes: u16) -> Result<Self> {
        let mut tries = 1..=3;
        let dht = loop {
            let built = spawn_blocking(move || build(nodes.into())).await;
            // The crate panics when another program takes a port in the moment between.
            let built = built.unwrap_or_else(|died| Err(died.into()));
            if built.is_ok() || tries.next().is_none() {
                break built;
            }
        };
        let dht = dht.map_err(|error| {
            Error::from(error)
                .fix("is there room for so many sockets and threads? see `ulimit -a`, or ask for fewer nodes")
        })?;
        // Once with gaps while they start, once with all of them there.
        for _ in 0..2 {
            dht.meet().await;
        }
        Ok(dht)
    }

    /// Where the first nodes listen.
    pub(crate) fn bootstrap(&self) -> &[SocketAddrV4] {
        &self.addresses[..self.addresses.len().min(3)]
    }

    async fn meet(&self) {
        let mut meetings = JoinSet::new();
        for node in &self.nodes {
            let node = node.clone();
            meetings.spawn(async move { node.bootstrapped().await });
        }
        meetings.join_all().await;
    }
}

fn build(nodes: usize) -> std::io::Result<PrivateDht> {
    let addresses = free_addresses(nodes)?;
    let build = |own: usize| {
        let mut builder = Dht::builder();
        builder.server_mode().bind_address(Ipv4Addr::LOCALHOST).port(addresses[own].port());
        builder.bootstrap(&neighbours(own, &addresses)).request_timeout(PATIENCE);
        builder.build().map(Dht::as_async)
    };
    let nodes = (0..nodes).map(build).collect::<std::io::Result<_>>()?;
    Ok(PrivateDht { nodes, addresses })
}

/// All of them are bound before any is let go, so that no port comes twice.
fn free_addresses(count: usize) -> std::io::Result<Vec<SocketAddrV4>> {
    let sockets = (0..count).map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)));
    let sockets = sockets.collect::<std::io::Result<Vec<_>>>()?;
    let address = |port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    sockets.iter().map(|socket| socket.local_addr().map(|at| address(at.port()))).collect()
}

/// The next one, so that nobody is left out, and others at random.
fn neighbours(own: usize, addresses: &[SocketAddrV4]) -> Vec<SocketAddrV4> {
    let (all, chance) = (addresses.len(), RandomState::new());
    let mut others = BTreeSet::from([(own + 1) % all]);
    if all <= NEIGHBOURS + 1 {
        others.extend(0..all);
    }
    let mut draw =
        (0_u64..).map(|number| usize::try_from(chance.hash_one(number) >> 32).unwrap_or(own) % all);
    while others.len() < NEIGHBOURS.min(all) {
        others.extend(draw.next());
    }
    others.remove(&own);
    others.into_iter().map(|other| addresses[other]).collect()
}
