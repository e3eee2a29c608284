use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::Command;
use super::wire::Wires;
use crate::dht::krpc::MAX_READ;
use crate::dht::node::{Event, Family, Node, SearchId};

/// Carries datagrams between a node and its sockets, and tells the node the time.
pub(super) struct Driver {
    node: Node,
    sockets: [Option<UdpSocket>; 2],
    inbox: mpsc::UnboundedReceiver<Command>,
    listeners: HashMap<SearchId, (u64, mpsc::UnboundedSender<Event>)>,
    searches: HashMap<u64, SearchId>,
    packet: Box<[u8; MAX_READ]>,
    wires: Arc<Wires>,
}

/// So many datagrams are read before anything is sent, so that a flood does not keep the answers back.
const BATCH: usize = 64;
/// So many batches are read before the node looks who is late: an answer that waits in the socket is not.
const BATCHES: u32 = 32;

impl Driver {
    pub(super) fn new(
        node: Node,
        sockets: [Option<UdpSocket>; 2],
        inbox: mpsc::UnboundedReceiver<Command>,
        wires: Arc<Wires>,
    ) -> Self {
        let (listeners, searches) = (HashMap::new(), HashMap::new());
        Self { node, sockets, inbox, listeners, searches, packet: Box::new([0; MAX_READ]), wires }
    }

    /// Runs until the last handle is gone.
    pub(super) async fn run(mut self) {
        let mut batches = 0;
        loop {
            self.send().await;
            self.tell();
            let due = self.node.next_due().unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            let [v4, v6] = &self.sockets;
            let is_drained = tokio::select! {
                biased;
                ready = readable(v4.as_ref()) => self.receive(0, ready.is_ok()),
                ready = readable(v6.as_ref()) => self.receive(1, ready.is_ok()),
                command = self.inbox.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                () = sleep_until(due.into()) => true,
            };
            batches = if is_drained { 0 } else { batches + 1 };
            if batches % BATCHES == 0 {
                self.node.due(Instant::now());
            }
        }
    }

    /// Whether nothing is left to be read.
    fn receive(&mut self, side: usize, is_ready: bool) -> bool {
        let Some(socket) = self.sockets[side].as_ref().filter(|_| is_ready) else { return true };
        for _ in 0..BATCH {
            match socket.try_recv_from(&mut self.packet[..]) {
                Ok((length, from)) => {
                    self.wires.received(side);
                    self.node.handle(from, &self.packet[..length], Instant::now());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                // What came of something that was sent; some systems tell it here.
                Err(_) => {}
            }
        }
        false
    }

    /// Waits where the system has no room; what cannot be sent is lost, as on the way.
    async fn send(&mut self) {
        while let Some(datagram) = self.node.transmit() {
            let side = Family::of(datagram.to).index();
            let Some(socket) = &self.sockets[side] else {
                self.node.unsent(&datagram, Instant::now());
                continue;
            };
            let failure = loop {
                match socket.try_send_to(&datagram.bytes, datagram.to) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        if let Err(error) = socket.writable().await {
                            break Some(error);
                        }
                    }
                    outcome => break outcome.err(),
                }
            };
            self.wires.sent(side, failure.as_ref());
            if failure.is_some_and(|error| is_final(error.kind())) {
                self.node.unsent(&datagram, Instant::now());
            }
        }
    }

    fn tell(&mut self) {
        while let Some(event) = self.node.event() {
            let (Event::Peers(search, _) | Event::Item(search, _) | Event::Done(search, _)) = &event;
            let (search, is_done) = (*search, matches!(event, Event::Done(..)));
            let is_heard =
                self.listeners.get(&search).is_some_and(|(_, listener)| listener.send(event).is_ok());
            if is_done || !is_heard {
                self.end(search);
            }
        }
    }

    /// Does what a handle asks for; the sockets were empty, or it would not have its turn.
    fn obey(&mut self, command: Command) -> bool {
        let now = Instant::now();
        match command {
            Command::Search { key, goal, family, listener } => {
                let search = self.node.search(goal, family, now);
                self.listeners.insert(search, (key, listener));
                self.searches.insert(key, search);
            }
            Command::Cancel(key) => {
                if let Some(search) = self.searches.get(&key).copied() {
                    self.end(search);
                }
            }
            Command::Facts(answer) => drop(answer.send(self.node.facts(now))),
            Command::Hosts(hosts) => self.node.add_hosts(&hosts),
            Command::Keep(answer) => drop(answer.send(self.node.keep(now))),
        }
        true
    }

    fn end(&mut self, search: SearchId) {
        if let Some((key, _)) = self.listeners.remove(&search) {
            self.searches.remove(&key);
        }
        self.node.cancel(search, Instant::now());
    }
}

/// Whether the system would refuse the same datagram again. What it has no room for just now (`ENOBUFS`), or says of an earlier one
/// (`ECONNREFUSED`), is none of that: the question is asked again when its answer is late.
fn is_final(failure: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        AddrNotAvailable, HostUnreachable, InvalidInput, NetworkDown, NetworkUnreachable, PermissionDenied,
    };
    matches!(
        failure,
        NetworkUnreachable
            | HostUnreachable
            | NetworkDown
            | PermissionDenied
            | AddrNotAvailable
            | InvalidInput
    )
}

async fn readable(socket: Option<&UdpSocket>) -> io::Result<()> {
    match socket {
        Some(socket) => socket.readable().await,
        None => std::future::pending().await,
    }
}
