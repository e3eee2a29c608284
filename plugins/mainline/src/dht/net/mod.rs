//! What gives a node its sockets and its time: a task that carries datagrams between them.

mod driver;
mod socket;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use self::driver::Driver;
pub use self::wire::Wire;
use self::wire::Wires;
use super::node::{Event, Facts, Family, Goal, Node, Outcome, Settings};

/// A node with a socket. The last clone that is dropped closes it.
#[derive(Debug, Clone)]
pub struct Dht {
    commands: mpsc::UnboundedSender<Command>,
    bound: Arc<[Option<SocketAddr>; 2]>,
    keys: Arc<AtomicU64>,
    wires: Arc<Wires>,
}

/// What a node is started with.
#[derive(Clone)]
pub struct Start {
    /// The node's own settings; families and secret are set by [`Dht::start`].
    pub settings: Settings,
    /// Where to listen in each family; a family without an address is not used. Port 0 is any free one.
    pub bind: [Option<SocketAddr>; 2],
    /// Whom to ask when nobody else is known.
    pub bootstrap: Vec<SocketAddr>,
    /// What an earlier node kept.
    pub kept: Option<Vec<u8>>,
}

/// A search that runs; dropping it ends it.
#[derive(Debug)]
pub struct Searching {
    key: u64,
    events: mpsc::UnboundedReceiver<Event>,
    commands: mpsc::UnboundedSender<Command>,
}

/// What a handle asks of its task.
enum Command {
    Search { key: u64, goal: Goal, family: Family, listener: mpsc::UnboundedSender<Event> },
    Cancel(u64),
    Facts(oneshot::Sender<Facts>),
    Keep(oneshot::Sender<Vec<u8>>),
    Hosts(Vec<SocketAddr>),
}

impl Dht {
    /// Binds the sockets and starts the node on the runtime that this is called on, without asking anybody anything.
    ///
    /// # Errors
    /// When no socket can be bound, or the system gives no chance.
    pub fn start(start: Start) -> io::Result<Self> {
        let sockets = socket::bind(start.bind)?;
        let bound = [0, 1].map(|at| sockets[at].as_ref().and_then(|socket| socket.local_addr().ok()));
        let mut settings = start.settings;
        settings.families = bound.map(|at| at.is_some());
        let mut seed = [0; 8];
        getrandom::fill(&mut settings.secret)?;
        getrandom::fill(&mut seed)?;
        let now = std::time::Instant::now();
        let mut node = Node::new(settings, u64::from_le_bytes(seed), now);
        node.set_clock(now, std::time::SystemTime::now());
        node.start_from(&start.bootstrap);
        if let Some(kept) = &start.kept {
            node.remember(kept);
        }
        let (commands, inbox) = mpsc::unbounded_channel();
        let wires = Arc::<Wires>::default();
        tokio::spawn(Driver::new(node, sockets, inbox, Arc::clone(&wires)).run());
        Ok(Self { commands, bound: Arc::new(bound), keys: Arc::new(AtomicU64::new(0)), wires })
    }

    /// Begins a search in one family.
    #[must_use]
    pub fn search(&self, goal: Goal, family: Family) -> Searching {
        let (listener, events) = mpsc::unbounded_channel();
        let key = self.keys.fetch_add(1, Ordering::Relaxed);
        // A task that is gone drops the listener, which ends the search.
        let _ = self.commands.send(Command::Search { key, goal, family, listener });
        Searching { key, events, commands: self.commands.clone() }
    }

    /// The families that it has sockets for.
    pub fn families(&self) -> impl Iterator<Item = Family> + use<> {
        let bound = Arc::clone(&self.bound);
        [Family::V4, Family::V6].into_iter().filter(move |family| bound[family.index()].is_some())
    }

    /// Where it listens in a family.
    #[must_use]
    pub fn bound(&self, family: Family) -> Option<SocketAddr> {
        self.bound[family.index()]
    }

    /// Takes more addresses to ask when nobody else is known; the next search may begin there.
    pub fn add_hosts(&self, hosts: Vec<SocketAddr>) {
        let _ = self.commands.send(Command::Hosts(hosts));
    }

    /// What went through the socket of a family.
    #[must_use]
    pub fn wire(&self, family: Family) -> Wire {
        self.wires.of(family.index())
    }

    /// What the node knows of itself.
    pub async fn facts(&self) -> Facts {
        let (answer, facts) = oneshot::channel();
        let _ = self.commands.send(Command::Facts(answer));
        facts.await.unwrap_or_default()
    }

    /// What makes the next start quick: bytes for [`Start::kept`].
    pub async fn keep(&self) -> Vec<u8> {
        let (answer, kept) = oneshot::channel();
        let _ = self.commands.send(Command::Keep(answer));
        kept.await.unwrap_or_default()
    }
}

impl Searching {
    /// The next thing that is found; [`Event::Done`] is the last one. `None` when the node is gone.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// The same for whoever polls.
    pub fn poll_next(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<Event>> {
        self.events.poll_recv(cx)
    }

    /// Waits for the end.
    pub async fn done(mut self) -> Outcome {
        loop {
            match self.next().await {
                Some(Event::Done(_, outcome)) => return outcome,
                Some(_) => {}
                None => return Outcome::default(),
            }
        }
    }
}

impl Drop for Searching {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Cancel(self.key));
    }
}
