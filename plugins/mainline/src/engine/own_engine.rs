use std::net::SocketAddr;
use std::time::Duration;

use bitboot_plugin_api::Result;
use ed25519_dalek::{Signer, SigningKey};
use futures_lite::Stream;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use super::both::{Both, Told};
use super::told::{Heard, Items, Peers};
use super::{Answers, Engine, Facts, InfoHash, Item, Seed, Setup, Untaken, cannot_bind};
use crate::bootstrap::Found;
use crate::config::NodeMode;
use crate::dht::krpc::bencode::Writer;
use crate::dht::{Dht, Family, Goal, Id, Mode, Outcome, Settings, Start, Stored};
use crate::dht::{signable, target_of_key};

/// A node of `src/dht`, in each family that is used.
pub(crate) struct OwnEngine {
    dht: Dht,
    both: Both,
    heard: Heard,
    /// Hands the bootstrap hosts over as the DNS finds them; ends with the engine.
    _feeder: JoinSet<()>,
}

/// For so long, who has answered is taken to be there.
const TRUST: Duration = Duration::from_secs(5);
/// How long a node is there before it tries whether others reach it. A private DHT is small, and has few strangers to spare.
const TRIES_AFTER: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(10 * 60)];

impl Engine for OwnEngine {
    async fn start(setup: Setup) -> Result<Self> {
        let mode = match setup.mode {
            NodeMode::Auto => Mode::Auto,
            NodeMode::Client => Mode::Client,
            NodeMode::Server => Mode::Server,
        };
        let settings = Settings {
            wide: setup.wide,
            mode,
            tries_after: TRIES_AFTER[usize::from(setup.wide)],
            patience: setup.patience,
            public: setup.public_address.by_family(),
            ..Settings::default()
        };
        let hosts = setup.bootstrap.watch();
        let known = hosts.borrow().addresses.clone();
        let start = Start { settings, bind: setup.listen, bootstrap: known.clone(), kept: setup.kept };
        // A node that was dropped a moment ago may still hold its port.
        let mut tries = 0;
        let dht = loop {
            match Dht::start(start.clone()) {
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && tries < 10 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                outcome => break outcome.map_err(|error| cannot_bind(&setup.listen, &error))?,
            }
        };
        let mut feeder = JoinSet::new();
        feeder.spawn(feed(dht.clone(), hosts.clone(), known.len()));
        let both = Both::new(dht.clone(), hosts, setup.patience);
        Ok(Self { dht, both, heard: Heard::default(), _feeder: feeder })
    }

    async fn announce(&self, hash: InfoHash, ports: &[Vec<u16>; 2]) -> Result<u32, Untaken> {
        let goals = ports.each_ref().map(|ports| {
            let is_some = !ports.is_empty();
            is_some.then(|| Goal::Announce(Id(hash), ports.clone()))
        });
        taken(self.run(goals).await)
    }

    fn lookup(&self, hash: InfoHash) -> impl Stream<Item = Vec<SocketAddr>> + Send + Unpin + 'static {
        Peers { search: self.both.search(twice(&Goal::Peers(Id(hash)))), heard: self.heard.clone() }
    }

    async fn items(
        &self,
        seed: &Seed,
    ) -> (impl Stream<Item = Item> + Send + Unpin + 'static, impl Future<Output = u32> + Send + 'static) {
        let key = SigningKey::from_bytes(seed).verifying_key().to_bytes();
        let search = self.both.search(twice(&Goal::Get(target_of_key(&key, b""))));
        let (ended, end) = oneshot::channel();
        let items = Items { search, heard: self.heard.clone(), ended: Some(ended) };
        (items, async move { end.await.unwrap_or(0) })
    }

    async fn put(&self, seed: &Seed, item: &Item, cas: Option<i64>) -> Result<u32, Untaken> {
        let outcomes = self.run(twice(&Goal::Put(Box::new(signed(seed, item, cas))))).await;
        // Each family is a DHT of its own, and somebody may have written in one of them only.
        if outcomes.iter().any(|outcome| outcome.conflicts > 0 && outcome.stored <= outcome.conflicts) {
            return Err(Untaken::Conflict("most of the nodes hold another item".into()));
        }
        taken(outcomes)
    }

    fn refusal(&self) -> Option<std::io::Error> {
        let error = || [Family::V4, Family::V6].into_iter().find_map(|family| self.dht.wire(family).error);
        self.heard.nothing_went_out().then(error).flatten().map(std::io::Error::from_raw_os_error)
    }

    fn heals(&self) -> bool {
        true
    }

    async fn keep(&self) -> Option<Vec<u8>> {
        Some(self.dht.keep().await)
    }

    async fn entered(&self) {
        self.ask().await;
    }

    async fn facts(&self) -> [Facts; 2] {
        let facts = self.dht.facts().await;
        [Family::V4, Family::V6].map(|family| {
            let side = facts.sides[family.index()];
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
            let network_size = side.size.unwrap_or(0.0) as usize;
            Facts {
                bound_to: self.dht.bound(family),
                nodes: side.nodes,
                known: side.known,
                public_address: facts.seen_at[family.index()],
                votes: Some((side.agree, side.votes)),
                reachable: side.reachable,
                serves: side.serves,
                network_size,
                questions: Some((side.answered, side.asked)),
                wire: Some(self.dht.wire(family)),
            }
        })
    }

    async fn ask_around(&self, enough: impl FnOnce(usize) -> usize + Send) -> Answers {
        let is_lately = self.heard.last().is_some_and(|heard| heard.elapsed() < TRUST);
        if is_lately && enough(SAMPLE) == 1 {
            return Answers { answered: 1, asked: 1 };
        }
        let outcome = sum(self.ask().await);
        Answers { answered: outcome.answered, asked: outcome.asked }
    }
}

/// About so many nodes a search asks.
const SAMPLE: usize = 16;

impl OwnEngine {
    /// Asks nodes somewhere in the DHT whether they are there.
    async fn ask(&self) -> [Outcome; 2] {
        let mut target = [0; 20];
        // Anywhere will do when the system gives no chance.
        let _ = getrandom::fill(&mut target);
        self.run(twice(&Goal::Nodes(Id(target)))).await
    }

    async fn run(&self, goals: [Option<Goal>; 2]) -> [Outcome; 2] {
        let mut search = self.both.search(goals);
        while let Some(told) = search.recv().await {
            if let Told::Done(outcomes) = told {
                self.heard.note(&outcomes);
                return outcomes;
            }
        }
        Default::default()
    }
}

/// Those that were known when it started it has already.
async fn feed(dht: Dht, mut hosts: watch::Receiver<Found>, mut known: usize) {
    loop {
        let new = hosts.borrow_and_update().addresses.get(known..).unwrap_or_default().to_vec();
        known += new.len();
        if !new.is_empty() {
            dht.add_hosts(new);
        }
        if hosts.changed().await.is_err() {
            return;
        }
    }
}

fn twice(goal: &Goal) -> [Option<Goal>; 2] {
    [Some(goal.clone()), Some(goal.clone())]
}

fn sum([v4, v6]: [Outcome; 2]) -> Outcome {
    Outcome {
        asked: v4.asked + v6.asked,
        answered: v4.answered + v6.answered,
        unsent: v4.unsent + v6.unsent,
        offered: v4.offered + v6.offered,
        sent_after: v4.sent_after.max(v6.sent_after),
        stored: v4.stored + v6.stored,
        conflicts: v4.conflicts + v6.conflicts,
        refusal: v4.refusal.or(v6.refusal),
    }
}

fn taken(outcomes: [Outcome; 2]) -> Result<u32, Untaken> {
    match sum(outcomes) {
        Outcome { stored: stored @ 1.., .. } => Ok(u32::try_from(stored).unwrap_or(u32::MAX)),
        Outcome { answered: 0, offered: 0, refusal: None, .. } => Err(Untaken::Nobody),
        Outcome { refusal: Some(why), .. } => Err(Untaken::Unacknowledged(why)),
        Outcome { offered: 0, .. } => {
            Err(Untaken::Unacknowledged("none of the nodes found gives a token".into()))
        }
        _ => Err(Untaken::Unacknowledged("the nodes that were asked to store it did not answer".into())),
    }
}

fn signed(seed: &Seed, item: &Item, cas: Option<i64>) -> Stored {
    let key = SigningKey::from_bytes(seed);
    let mut value = Writer::new();
    value.bytes(&item.value);
    let value = value.finish();
    let signature = key.sign(&signable(b"", item.seq, &value)).to_bytes();
    let public = key.verifying_key().to_bytes();
    Stored { target: target_of_key(&public, b""), key: public, seq: item.seq, signature, value, cas }
}
