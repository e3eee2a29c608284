use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use bitboot_mainline::dht::{Dht, Event, Family, Goal, Id, Mode, Settings, Start, Stored};
use ed25519_dalek::SigningKey;
use mainline::MutableItem;
use tokio::runtime::{Builder, Handle};

/// The engine of this repository.
pub(crate) struct Ours {
    pub(crate) at: SocketAddr,
    dht: Dht,
    family: Family,
}

impl Ours {
    pub(crate) fn start(bootstrap: &[SocketAddr], ip: IpAddr, mode: Mode) -> Self {
        let _inside = runtime().enter();
        let at = SocketAddr::new(ip, 0);
        let family = Family::of(at);
        let bind = if ip.is_ipv4() { [Some(at), None] } else { [None, Some(at)] };
        let settings = Settings { mode, ..Settings::default() };
        let dht = Dht::start(Start { settings, bind, bootstrap: bootstrap.to_vec(), kept: None }).unwrap();
        Self { at: dht.bound(family).unwrap(), dht, family }
    }

    pub(crate) fn announce(&self, hash: Id, port: u16) -> usize {
        let search = self.dht.search(Goal::Announce(hash, vec![port]), self.family);
        runtime().block_on(search.done()).stored
    }

    pub(crate) fn lookup(&self, hash: Id) -> BTreeSet<SocketAddr> {
        let mut search = self.dht.search(Goal::Peers(hash), self.family);
        runtime().block_on(async {
            let mut found = BTreeSet::new();
            while let Some(event) = search.next().await {
                if let Event::Peers(_, peers) = event {
                    found.extend(peers);
                }
            }
            found
        })
    }

    pub(crate) fn put(&self, seed: [u8; 32], value: &[u8], seq: i64) -> usize {
        let item = MutableItem::new(SigningKey::from_bytes(&seed), value, seq, None);
        let stored = Stored {
            target: Id(*item.target().as_bytes()),
            key: *item.key(),
            seq,
            signature: *item.signature(),
            value: encoded(value),
            cas: None,
        };
        let search = self.dht.search(Goal::Put(Box::new(stored)), self.family);
        runtime().block_on(search.done()).stored
    }

    pub(crate) fn get(&self, seed: [u8; 32], value: &[u8]) -> bool {
        let target = MutableItem::new(SigningKey::from_bytes(&seed), b"", 1, None);
        let mut search = self.dht.search(Goal::Get(Id(*target.target().as_bytes())), self.family);
        runtime().block_on(async {
            while let Some(event) = search.next().await {
                if matches!(event, Event::Item(_, item) if item.value == encoded(value)) {
                    return true;
                }
            }
            false
        })
    }
}

fn encoded(value: &[u8]) -> Vec<u8> {
    [format!("{}:", value.len()).as_bytes(), value].concat()
}

/// All nodes of ours live on one thread, while the threads of the tests wait for the processes of others.
fn runtime() -> &'static Handle {
    static RUNTIME: OnceLock<Handle> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        std::thread::spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::time::sleep(Duration::from_secs(3600)).await;
                }
            });
        });
        handle
    })
}
