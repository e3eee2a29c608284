use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use fastrand::Rng;
use tokio::net::UdpSocket;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::link::Link;
use super::member::Member;
use super::settle::settle;
use super::sockets;
use super::spec::Spec;
use super::traffic::Counts;

/// What is told of a network that runs.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) dead: Vec<SocketAddr>,
    pub(super) counts: Arc<Counts>,
}

/// Builds a network and runs it on this thread, until `ended`.
///
/// One thread is enough, and steadier than several on a machine that the measured ones share.
pub(super) fn run(
    spec: &Spec,
    seed: u64,
    told: oneshot::Sender<io::Result<Ready>>,
    ended: oneshot::Receiver<()>,
) {
    match build(spec, seed) {
        Ok((runtime, ready)) => {
            if told.send(Ok(ready)).is_ok() {
                let _ = runtime.block_on(ended);
            }
        }
        // Nobody to tell is nobody who waits.
        Err(error) => drop(told.send(Err(error))),
    }
}

fn build(spec: &Spec, seed: u64) -> io::Result<(Runtime, Ready)> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let sockets = sockets::bind(usize::from(spec.nodes) + usize::from(spec.dead), spec.ipv6)?;
    let addresses = sockets.iter().map(std::net::UdpSocket::local_addr).collect::<io::Result<Vec<_>>>()?;
    let counts = Arc::new(Counts::new(addresses.iter().copied()));
    let link = Arc::new(Link::new(spec, counts.clone())?);

    let mut chance = Rng::with_seed(seed);
    let (nodes, settled) = settle(spec, &mut chance, &addresses, Instant::now());
    let (settled, mut nodes) = (Arc::new(settled), nodes.into_iter());
    let inside = runtime.enter();
    for socket in sockets {
        let member = Member::new(UdpSocket::from_std(socket)?, link.clone(), chance.fork());
        match nodes.next() {
            Some(node) => drop(runtime.spawn(member.live(node, settled.clone()))),
            None => drop(runtime.spawn(member.play_dead())),
        }
    }
    drop(inside);

    let dead = addresses[usize::from(spec.nodes)..].to_vec();
    let addresses = addresses[..usize::from(spec.nodes)].to_vec();
    Ok((runtime, Ready { addresses, dead, counts }))
}
