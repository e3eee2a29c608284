use std::io::ErrorKind::AddrInUse;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use futures_lite::future::zip;
use futures_lite::{Stream, StreamExt};
use mainline::async_dht::AsyncDht;
use mainline::errors::{PutMutableError, PutQueryError};
use mainline::{Dht, Id, MutableItem, SigningKey};

use super::turns::Turns;
use super::{Answers, Engine, Facts, InfoHash, Item, Seed, Setup, Untaken, acks, cannot_bind, probe};
use crate::dht::Reachable;

/// A node of the `mainline` crate: a thread that looks for commands every 50 ms.
pub(crate) struct MainlineCrate {
    dht: AsyncDht,
    bind: Ipv4Addr,
    patience: Duration,
    turns: Turns,
}

/// How many nodes are asked whether they are there: enough that some of them are after a quarter of an hour of silence.
const SAMPLE: usize = 16;

impl Engine for MainlineCrate {
    async fn start(setup: Setup) -> Result<Self> {
        let Some(SocketAddr::V4(at)) = setup.listen[0] else {
            return Err(Error::new(
                ErrorKind::Config,
                "the `mainline` crate is IPv4 only, and IPv4 is not used",
            ));
        };
        // It takes its bootstrap hosts when it is built, and not later.
        let hosts = setup.bootstrap.all().await?.addresses;
        let hosts: Vec<_> = hosts.into_iter().filter_map(v4).collect();
        let (bind, patience, listen) = (*at.ip(), setup.patience, setup.listen);
        let built = tokio::task::spawn_blocking(move || {
            wait_until_free(at)?;
            build(&setup, at, &hosts)
        });
        // The crate panics when the port is taken in the moment between.
        let dht = built.await.unwrap_or_else(|_| Err(AddrInUse.into()));
        let dht = dht.map_err(|error| cannot_bind(&listen, &error))?;
        Ok(Self { dht: dht.as_async(), bind, patience, turns: Turns::new() })
    }

    async fn announce(&self, hash: InfoHash, [ports, _]: &[Vec<u16>; 2]) -> Result<u32, Untaken> {
        let hash = Id::from(hash);
        // The crate's own search asks for BEP 44 values and gets no token of nodes without them; this one gets everybody's.
        self.dht.get_peers(hash).for_each(drop).await;
        if self.dht.to_bootstrap().await.is_empty() {
            return Err(Untaken::Nobody);
        }
        let mut fewest = u32::MAX;
        for port in ports {
            let (stored, outcome) = acks::counted(&hash, self.announce_one(hash, *port)).await;
            outcome?;
            // One at least has acknowledged it when it succeeds.
            fewest = fewest.min(stored.unwrap_or(1));
        }
        Ok(fewest)
    }

    fn lookup(&self, hash: InfoHash) -> impl Stream<Item = Vec<SocketAddr>> + Send + Unpin + 'static {
        self.dht.get_peers(Id::from(hash)).map(|peers| peers.into_iter().map(SocketAddr::V4).collect())
    }

    fn refusal(&self) -> Option<std::io::Error> {
        None
    }

    fn heals(&self) -> bool {
        false
    }

    async fn keep(&self) -> Option<Vec<u8>> {
        None
    }

    async fn items(
        &self,
        seed: &Seed,
    ) -> (impl Stream<Item = Item> + Send + Unpin + 'static, impl Future<Output = u32> + Send + 'static) {
        let key = SigningKey::from_bytes(seed).verifying_key();
        let turn = self.turns.clone().take().await;
        let search = self.dht.get_mutable_detailed(key.as_bytes(), None, None);
        let items = search.items.map(|item| Item { value: item.value().to_vec(), seq: item.seq() });
        let answered = async move {
            let outcome = search.outcome.recv().await;
            drop(turn);
            outcome.responded()
        };
        (items, answered)
    }

    async fn put(&self, seed: &Seed, item: &Item, cas: Option<i64>) -> Result<u32, Untaken> {
        let signed = MutableItem::new(SigningKey::from_bytes(seed), &item.value, item.seq, None);
        let _turn = self.turns.clone().take().await;
        match self.dht.put_mutable(signed, cas).await {
            Ok(outcome) => Ok(outcome.stored_at),
            Err(PutMutableError::Concurrency(error)) => Err(Untaken::Conflict(error.to_string())),
            Err(PutMutableError::Query(PutQueryError::NoClosestNodes)) => {
                if self.dht.to_bootstrap().await.is_empty() {
                    return Err(Untaken::Nobody);
                }
                Err(Untaken::Unacknowledged("none of the nodes found stores values (BEP 44)".into()))
            }
            Err(PutMutableError::Query(error)) => Err(Untaken::Unacknowledged(error.to_string())),
        }
    }

    async fn entered(&self) {
        self.dht.bootstrapped().await;
    }

    async fn facts(&self) -> [Facts; 2] {
        let (info, nodes) = zip(self.dht.info(), self.dht.to_bootstrap()).await;
        let v4 = Facts {
            bound_to: Some(info.local_addr().into()),
            nodes: nodes.len(),
            known: nodes.len(),
            public_address: info.public_address().map(Into::into),
            reachable: if info.firewalled() { Reachable::Unknown } else { Reachable::Yes },
            serves: info.server_mode(),
            network_size: info.dht_size_estimate().0,
            ..Facts::default()
        };
        [v4, Facts::default()]
    }

    async fn ask_around(&self, enough: impl FnOnce(usize) -> usize + Send) -> Answers {
        let (info, nodes) = zip(self.dht.info(), self.dht.to_bootstrap()).await;
        // The table is sorted by distance: take some of each.
        let some = nodes.iter().step_by(nodes.len().div_ceil(SAMPLE).max(1));
        let some = some.filter_map(|node| node.parse().ok()).collect::<Vec<SocketAddrV4>>();
        let enough = enough(some.len());
        let answered = probe::ping(self.bind, info.id().as_bytes(), &some, enough, self.patience).await;
        Answers { answered, asked: some.len() }
    }
}

impl MainlineCrate {
    async fn announce_one(&self, hash: Id, port: u16) -> Result<(), Untaken> {
        let dht = self.dht.clone();
        // The crate panics when the nodes answer with an error that belongs to values, such as 301: that must stay in its own task.
        match tokio::spawn(async move { dht.announce_peer(hash, Some(port)).await }).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(PutQueryError::NoClosestNodes)) => Err(Untaken::Nobody),
            Ok(Err(error)) => Err(Untaken::Unacknowledged(error.to_string())),
            Err(_) => Err(Untaken::Unacknowledged("the nodes answer with errors of another protocol".into())),
        }
    }
}

fn build(setup: &Setup, at: SocketAddrV4, hosts: &[SocketAddrV4]) -> std::io::Result<Dht> {
    let mut builder = Dht::builder();
    // Port 0 is any free one; left out, the crate would take 6881 from the user's BitTorrent client.
    builder.bootstrap(hosts).bind_address(*at.ip()).port(at.port()).request_timeout(setup.patience);
    if let Some(ip) = setup.public_address.v4 {
        builder.public_ip(ip);
    }
    builder.build()
}

fn v4(at: SocketAddr) -> Option<SocketAddrV4> {
    if let SocketAddr::V4(at) = at { Some(at) } else { None }
}

/// A node that was dropped a moment ago still holds its port for up to 50 ms.
fn wait_until_free(at: SocketAddrV4) -> std::io::Result<()> {
    const TRIES: u32 = 10;
    for _ in 1..TRIES {
        match UdpSocket::bind(at) {
            Err(error) if error.kind() == AddrInUse => std::thread::sleep(Duration::from_millis(20)),
            outcome => return outcome.map(drop),
        }
    }
    UdpSocket::bind(at).map(drop)
}
