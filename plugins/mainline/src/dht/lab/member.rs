use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::net::UdpSocket;
use tokio::time::timeout_at;

use super::link::Link;
use super::settle::Settled;
use crate::dht::Node;
use crate::dht::krpc::MAX_READ;

/// The socket of a node of the network, and what it needs besides.
pub(super) struct Member {
    socket: Arc<UdpSocket>,
    link: Arc<Link>,
    chance: Rng,
}

/// A node of the network that answers.
pub(super) struct Alive {
    member: Member,
    node: Node,
    settled: Arc<Settled>,
    /// Until then it does nothing unasked.
    rests_until: Instant,
    meets_at: Instant,
}

/// How many datagrams are read before others have their turn.
const TURN: usize = 64;
/// Within what time nodes begin to look after themselves, so that thousands do not do it at the same moment ever after.
const REST: Duration = Duration::from_secs(15);
/// How often nodes are told anew who is there: more often than a node is forgotten that is not heard of.
const MEET: Duration = Duration::from_secs(5 * 60);

impl Member {
    pub(super) fn new(socket: UdpSocket, link: Arc<Link>, chance: Rng) -> Self {
        Self { socket: Arc::new(socket), link, chance }
    }

    /// Reads what comes, and does not answer, until it is dropped.
    pub(super) async fn play_dead(mut self) {
        loop {
            // Nobody waits for the error: a socket that has one is read, and the error taken from it.
            let _ = self.socket.readable().await;
            self.read(|_, _, _| {});
        }
    }

    /// Lives as this node, until it is dropped.
    pub(super) async fn live(mut self, node: Node, settled: Arc<Settled>) {
        let now = Instant::now();
        let rests_until = now + REST.mul_f64(self.chance.f64());
        let meets_at = now + MEET.mul_f64(self.chance.f64());
        let mut alive = Alive { member: self, node, settled, rests_until, meets_at };
        loop {
            let due = alive.keep_up();
            let _ = timeout_at(due.into(), alive.member.socket.readable()).await;
            alive.read();
        }
    }

    fn read(&mut self, mut take: impl FnMut(&mut Self, SocketAddr, &[u8])) {
        // One byte more than a node reads, so that it can see what was too long.
        let mut buffer = [0; MAX_READ + 1];
        for _ in 0..TURN {
            match self.socket.try_recv_from(&mut buffer) {
                Ok((length, from)) => {
                    let datagram = &buffer[..length];
                    if self.link.delivers(from, datagram, &mut self.chance) {
                        take(self, from, datagram);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // Windows tells here that an earlier datagram found nobody.
                Err(_) => {}
            }
        }
    }

    fn send_all_of(&mut self, node: &mut Node) {
        while let Some(transmit) = node.transmit() {
            self.link.send(&self.socket, transmit.to, transmit.bytes, &mut self.chance);
        }
        // A node of the network searches for nobody but itself.
        while node.event().is_some() {}
    }
}

impl Alive {
    /// What the node has to do by now without being asked; when there is something again.
    fn keep_up(&mut self) -> Instant {
        let now = Instant::now();
        if now >= self.meets_at {
            self.settled.meet(&mut self.node, &mut self.member.chance, now);
            self.meets_at = now + MEET;
        }
        if now >= self.rests_until && self.node.next_due().is_some_and(|due| due <= now) {
            self.node.due(now);
        }
        self.member.send_all_of(&mut self.node);
        let due = self.node.next_due().map_or(self.meets_at, |due| due.max(self.rests_until));
        due.min(self.meets_at)
    }

    fn read(&mut self) {
        let node = &mut self.node;
        self.member.read(|member, from, datagram| {
            node.handle(from, datagram, Instant::now());
            member.send_all_of(node);
        });
    }
}
