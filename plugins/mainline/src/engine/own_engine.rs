use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bitboot_plugin_api::Result;
use ed25519_dalek::{Signer, SigningKey};
use futures_lite::Stream;
use tokio::sync::oneshot;

use super::{Answers, Engine, Facts, InfoHash, Item, Seed, Setup, Untaken, cannot_bind};
use crate::config::NodeMode;
use crate::dht::krpc::bencode::{Value, Writer};
use crate::dht::{Dht, Event, Family, Goal, Id, Mode, Outcome, Searching, Settings, Start, Stored};
use crate::dht::{signable, target_of_key};

/// A node of `src/dht`, IPv4.
pub(crate) struct OwnEngine {
    dht: Dht,
    heard: Heard,
}

/// When somebody answered last, and where.
type Heard = Arc<Mutex<Option<Instant>>>;

/// For so long, who has answered is taken to be there.
const TRUST: Duration = Duration::from_secs(5);

impl Engine for OwnEngine {
    async fn start(setup: Setup) -> Result<Self> {
        let ip = setup.bind.unwrap_or(std::net::Ipv4Addr::UNSPECIFIED);
        let at = SocketAddrV4::new(ip, setup.port.unwrap_or(0));
        let settings = Settings {
            wide: setup.wide,
            mode: if setup.mode == NodeMode::Server { Mode::Server } else { Mode::Client },
            patience: setup.patience,
            public: [setup.public_address.map(IpAddr::V4), None],
            ..Settings::default()
        };
        let start = Start {
            settings,
            bind: [Some(at.into()), None],
            bootstrap: setup.bootstrap.into_iter().map(SocketAddr::V4).collect(),
            kept: setup.kept,
        };
        // A node that was dropped a moment ago may still hold its port.
        let mut tries = 0;
        let dht = loop {
            match Dht::start(start.clone()) {
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && tries < 10 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                outcome => break outcome.map_err(|error| cannot_bind(at, &error))?,
            }
        };
        Ok(Self { dht, heard: Heard::default() })
    }

    async fn announce(&self, hash: InfoHash, ports: &[u16]) -> Result<u32, Untaken> {
        let outcome = self.run(Goal::Announce(Id(hash), ports.to_vec())).await;
        taken(&outcome)
    }

    fn lookup(&self, hash: InfoHash) -> impl Stream<Item = Vec<SocketAddr>> + Send + Unpin + 'static {
        Peers { search: self.dht.search(Goal::Peers(Id(hash)), Family::V4), heard: Arc::clone(&self.heard) }
    }

    async fn items(
        &self,
        seed: &Seed,
    ) -> (impl Stream<Item = Item> + Send + Unpin + 'static, impl Future<Output = u32> + Send + 'static) {
        let key = SigningKey::from_bytes(seed).verifying_key().to_bytes();
        let search = self.dht.search(Goal::Get(target_of_key(&key, b"")), Family::V4);
        let (ended, end) = oneshot::channel();
        let items = Items { search, heard: Arc::clone(&self.heard), ended: Some(ended) };
        (items, async move { end.await.unwrap_or(0) })
    }

    async fn put(&self, seed: &Seed, item: &Item, cas: Option<i64>) -> Result<u32, Untaken> {
        let outcome = self.run(Goal::Put(Box::new(signed(seed, item, cas)))).await;
        if outcome.stored <= outcome.conflicts && outcome.conflicts > 0 {
            return Err(Untaken::Conflict("most of the nodes hold another item".into()));
        }
        taken(&outcome)
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

    async fn facts(&self) -> Facts {
        let facts = self.dht.facts().await;
        let bound = self.dht.bound(Family::V4);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
        let network_size = facts.size.unwrap_or(0.0) as usize;
        Facts {
            nodes: facts.nodes,
            public_address: facts.seen_at[0].and_then(v4),
            firewalled: !facts.reached,
            network_size,
            bound_to: bound.and_then(v4).unwrap_or(SocketAddrV4::new(std::net::Ipv4Addr::UNSPECIFIED, 0)),
        }
    }

    async fn ask_around(&self, enough: impl FnOnce(usize) -> usize + Send) -> Answers {
        let is_lately = self.lock().is_some_and(|heard| heard.elapsed() < TRUST);
        if is_lately && enough(SAMPLE) == 1 {
            return Answers { answered: 1, asked: 1 };
        }
        let outcome = self.ask().await;
        Answers { answered: outcome.answered, asked: outcome.asked }
    }
}

/// About so many nodes a search asks.
const SAMPLE: usize = 16;

impl OwnEngine {
    /// Asks nodes somewhere in the DHT whether they are there.
    async fn ask(&self) -> Outcome {
        let mut target = [0; 20];
        // Anywhere will do when the system gives no chance.
        let _ = getrandom::fill(&mut target);
        self.run(Goal::Nodes(Id(target))).await
    }

    async fn run(&self, goal: Goal) -> Outcome {
        let outcome = self.dht.search(goal, Family::V4).done().await;
        note(&self.heard, &outcome);
        outcome
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn note(heard: &Heard, outcome: &Outcome) {
    if outcome.answered > 0 {
        *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

fn v4(at: SocketAddr) -> Option<SocketAddrV4> {
    if let SocketAddr::V4(at) = at { Some(at) } else { None }
}

fn taken(outcome: &Outcome) -> Result<u32, Untaken> {
    match outcome {
        Outcome { stored: 1.., .. } => Ok(u32::try_from(outcome.stored).unwrap_or(u32::MAX)),
        Outcome { answered: 0, offered: 0, refusal: None, .. } => Err(Untaken::Nobody),
        Outcome { refusal: Some(why), .. } => Err(Untaken::Unacknowledged(why.clone())),
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

/// The peers that a search finds.
struct Peers {
    search: Searching,
    heard: Heard,
}

impl Stream for Peers {
    type Item = Vec<SocketAddr>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match self.search.poll_next(cx) {
                Poll::Ready(Some(Event::Peers(_, peers))) => {
                    *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                    return Poll::Ready(Some(peers));
                }
                Poll::Ready(Some(Event::Done(_, outcome))) => {
                    note(&self.heard, &outcome);
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Event::Item(..))) => {}
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// The items that a search finds; at its end it tells how many nodes have answered.
struct Items {
    search: Searching,
    heard: Heard,
    ended: Option<oneshot::Sender<u32>>,
}

impl Stream for Items {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        loop {
            match self.search.poll_next(cx) {
                Poll::Ready(Some(Event::Item(_, item))) => {
                    // Only strings are ours.
                    let value = Value::split(&item.value).ok().and_then(|(value, _)| value.bytes());
                    if let Some(value) = value {
                        return Poll::Ready(Some(Item { value: value.to_vec(), seq: item.seq }));
                    }
                }
                Poll::Ready(Some(Event::Done(_, outcome))) => {
                    note(&self.heard, &outcome);
                    if let Some(ended) = self.ended.take() {
                        let _ = ended.send(u32::try_from(outcome.answered).unwrap_or(u32::MAX));
                    }
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Event::Peers(..))) => {}
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
