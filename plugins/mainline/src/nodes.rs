use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bitboot_plugin_api::{Error, ErrorKind, Host, Level, Result};

use crate::bootstrap::Bootstrap;
use crate::config::MainlineConfig;
use crate::diagnose;
use crate::engine::{Dht, Engine, Setup};
use crate::families;

/// The backend's node: started by the first call that needs it, and replaced when the nodes that it knows are gone.
pub(crate) struct Nodes {
    config: MainlineConfig,
    host: Host,
    running: tokio::sync::Mutex<Option<Arc<Node>>>,
}

/// A running node and where it started from.
pub(crate) struct Node {
    pub(crate) dht: Dht,
    pub(crate) bootstrap: Bootstrap,
    /// When it started, or when somebody answered it last.
    heard: Mutex<Instant>,
}

/// The name of what is kept in the host's cache.
const KEPT: &str = "nodes";
/// For so long, who has answered is taken to be there still.
const TRUST: Duration = Duration::from_secs(5);

impl Nodes {
    pub(crate) fn new(config: MainlineConfig, host: Host) -> Self {
        Self { config, host, running: tokio::sync::Mutex::new(None) }
    }

    pub(crate) fn config(&self) -> &MainlineConfig {
        &self.config
    }

    /// The node that is running, when the nodes that it knows are still there, or a new one.
    ///
    /// The crate goes back to the bootstrap hosts only after a quarter of an hour: too long for a network that was restarted.
    pub(crate) async fn ready(&self) -> Result<Arc<Node>> {
        let mut running = self.running.lock().await;
        if let Some(node) = running.as_ref() {
            if node.dht.heals() || node.heard_lately() || node.knows_enough().await {
                return Ok(Arc::clone(node));
            }
            self.host.log(Level::Info, "too few that the DHT node knew answer any more: starting a new one");
        }
        // The new one may need its port.
        *running = None;
        Ok(Arc::clone(running.insert(Arc::new(self.start().await?))))
    }

    /// Lets go of a node that found nobody, so that the next call starts at the bootstrap hosts.
    pub(crate) async fn forget(&self, node: &Arc<Node>) {
        let mut running = self.running.lock().await;
        running.take_if(|other| Arc::ptr_eq(node, other));
    }

    /// Keeps what makes the next start quick.
    pub(crate) async fn keep(&self) -> Result<()> {
        let running = self.running.lock().await.clone();
        let Some(node) = running else { return Ok(()) };
        match node.dht.keep().await {
            Some(kept) => self.host.cache_put(KEPT, &kept).await,
            None => Ok(()),
        }
    }

    async fn start(&self) -> Result<Node> {
        let (host, listen) = (self.host.clone(), self.listen());
        let families = listen.map(|at| at.is_some());
        let log = move |line| host.log(Level::Warn, line);
        let bootstrap = Bootstrap::begin(&self.config.bootstrap, families, log)?;
        let setup = Setup {
            bootstrap: bootstrap.clone(),
            listen,
            patience: self.config.patience(),
            public_address: self.config.public_address,
            wide: self.config.is_wide(),
            which: self.config.engine,
            mode: self.config.mode,
            // A cache that cannot be read is none.
            kept: self.host.cache_get(KEPT).await.ok().flatten(),
        };
        let node = Node { dht: Dht::start(setup).await?, bootstrap, heard: Mutex::new(Instant::now()) };
        // Who knows nodes from the last time begins with those, whatever the DNS does meanwhile.
        if node.dht.facts().await.iter().all(|side| side.known == 0) {
            node.bootstrap.first().await?;
        }
        Ok(node)
    }

    /// Where to listen in the families that the configuration, the engine and the machine have.
    fn listen(&self) -> [Option<SocketAddr>; 2] {
        let (port, wide, mut bind) = (self.config.port.unwrap_or(0), self.config.is_wide(), self.config.bind);
        // What was asked for and cannot be had is worth a word; most machines have one family only.
        let level = if bind.is_empty() { Level::Info } else { Level::Warn };
        if self.config.families() == [true, false] && bind.is_empty() {
            bind.v4 = Some(Ipv4Addr::UNSPECIFIED);
        }
        families::listen(bind, port, wide, |line| self.host.log(level, line))
    }
}

impl Node {
    /// Whether one at least of the nodes that it knows answers right now.
    pub(crate) async fn is_answered(&self) -> bool {
        self.dht.ask_around(|_| 1).await.answered > 0
    }

    /// Whether enough of the nodes that it knows are there to search with: a quarter.
    ///
    /// One is too few. After a restart of the whole network the bootstrap host alone may be where it was, and a search that starts at
    /// the nearest twenty would not come by it.
    async fn knows_enough(&self) -> bool {
        let quarter = |asked: usize| asked.div_ceil(4);
        let answers = self.dht.ask_around(quarter).await;
        let is_enough = answers.answered > 0 && answers.answered >= quarter(answers.asked);
        if is_enough {
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
        is_enough
    }

    /// The failure of a call that began at `since` and that nobody answered.
    pub(crate) fn unreachable(&self, since: Instant) -> Error {
        if self.bootstrap.found().resolved == 0 {
            return self.bootstrap.failure();
        }
        if let Some(refusal) = self.dht.refusal() {
            let cause = diagnose::of_refusal(refusal);
            return Error::new(ErrorKind::Unreachable, "no message can be sent to the DHT")
                .because(cause.why)
                .fix(cause.fix);
        }
        let seconds = since.elapsed().as_secs_f32().round().max(1.0);
        Error::new(ErrorKind::Unreachable, format!("no bootstrap host answered within {seconds} s"))
            .because(format!("the DHT cannot be entered without one of {}", self.bootstrap.names()))
            .fix("is outgoing UDP blocked? see \"bitboot doctor --online\"")
    }

    fn heard_lately(&self) -> bool {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < TRUST
    }
}
