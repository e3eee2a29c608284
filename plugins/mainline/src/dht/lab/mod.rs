//! Networks of this engine's nodes on this machine's loopback: for tests, benchmarks and whoever wants to try something.
//!
//! Each node has a socket of its own and, on Linux, an address of its own in 127.0.0.0/8, so that clients which count a host once see many
//! hosts. All of them run on one thread that the network owns, and none of them costs more than its tables. They know each other from the
//! start, without a datagram. The way between them and anybody is as long, as uneven and as lossy as [`Spec`] says.
//!
//! The nodes are always strict about BEP 44, as the engine is; a strict network keeps to the rules against strangers on the internet besides.

mod delay;
mod link;
mod member;
mod run;
mod settle;
mod sockets;
mod spec;
#[cfg(test)]
mod tests;
mod traffic;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use bitboot_plugin_api::{Error, Result};
use tokio::sync::oneshot;

use run::Ready;
pub use spec::Spec;
use traffic::Counts;
pub use traffic::Traffic;

/// A running network. Dropping it ends its nodes and frees their addresses before the drop returns.
#[derive(Debug)]
pub struct Lab {
    addresses: Vec<SocketAddr>,
    dead: Vec<SocketAddr>,
    seed: u64,
    counts: Arc<Counts>,
    /// Closes with the network, which is what its thread waits for.
    running: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// From how many nodes a newcomer is told to start.
const BOOTSTRAP: usize = 3;

impl Lab {
    /// Starts a network; when this returns, its nodes know each other and answer.
    ///
    /// # Errors
    /// When the spec asks for what there is not, or the machine has no room for so many sockets.
    pub async fn start(spec: &Spec) -> Result<Self> {
        spec.check()?;
        // One that is drawn is small enough to be given again anywhere: TOML ends at 63 bits, JavaScript at 53.
        let (spec, seed) = (spec.clone(), spec.seed.unwrap_or_else(|| fastrand::u32(..).into()));
        let (told, ready) = oneshot::channel();
        let (running, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("dht-lab".into());
        let thread = thread.spawn(move || run::run(&spec, seed, told, ended)).map_err(no_room)?;
        let Ready { addresses, dead, counts } = ready.await.map_err(Error::from)?.map_err(no_room)?;
        Ok(Self { addresses, dead, seed, counts, running: Some(running), thread: Some(thread) })
    }

    /// Where a newcomer may start: the first three nodes, or all where there are fewer.
    #[must_use]
    pub fn bootstrap(&self) -> &[SocketAddr] {
        &self.addresses[..self.addresses.len().min(BOOTSTRAP)]
    }

    /// Where the nodes that answer are.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where the nodes are that the others know and that never answer.
    #[must_use]
    pub fn dead(&self) -> &[SocketAddr] {
        &self.dead
    }

    /// What the ids of the nodes came of: the spec's, or the one that was drawn.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The datagrams between the network and an outsider at this address so far: those that reached a socket of it, also a dead one's and
    /// also those that were then lost, and those that were sent.
    ///
    /// What the nodes send each other does not count, even where they share one address.
    #[must_use]
    pub fn traffic(&self, ip: IpAddr) -> Traffic {
        self.counts.of(ip)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Some(thread) = self.thread.take() {
            // What it has to say has been told by its panic.
            let _ = thread.join();
        }
    }
}

fn no_room(error: std::io::Error) -> Error {
    Error::from(error).fix("is there room for so many sockets? see `ulimit -n`, or ask for fewer nodes")
}
