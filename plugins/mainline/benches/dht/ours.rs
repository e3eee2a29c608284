use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bitboot_mainline::dht::lab::Lab;
use bitboot_mainline::dht::{Dht, Event, Family, Goal, Id, Settings, Start};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{Hash, MISSED};
use crate::figures::{Found, Many, Sent};

/// The engine in this process.
pub(crate) struct Ours {
    pub(crate) ip: IpAddr,
    bootstrap: Vec<SocketAddr>,
    dht: Dht,
    kept: Option<Vec<u8>>,
}

const PORT: u16 = 4001;

impl Ours {
    pub(crate) fn start(lab: &Lab, ip: IpAddr, kept: Option<Vec<u8>>) -> Self {
        let bootstrap = lab.bootstrap().to_vec();
        let dht = start(ip, &bootstrap, kept);
        Self { ip, bootstrap, dht, kept: None }
    }

    pub(crate) async fn lookup(&self, hash: Hash) -> Found {
        look_up(&self.dht, hash, Instant::now()).await
    }

    /// By a new node at the same address.
    pub(crate) async fn cold(&mut self, hash: Hash, with_kept: bool) -> Found {
        if with_kept && self.kept.is_none() {
            self.kept = Some(self.dht.keep().await);
        }
        let start_at = Instant::now();
        let dht = start(self.ip, &self.bootstrap, self.kept.clone().filter(|_| with_kept));
        look_up(&dht, hash, start_at).await
    }

    pub(crate) async fn announce(&self, hash: Hash) -> Sent {
        let start = Instant::now();
        let outcome = self.dht.search(Goal::Announce(Id(hash), vec![PORT]), Family::V4).done().await;
        let acks = u64::try_from(outcome.stored).ok();
        Sent { sent: outcome.sent_after, done: (outcome.stored > 0).then(|| start.elapsed()), acks }
    }

    /// Announces all of them at once, so that others have something to look for.
    pub(crate) async fn announce_all(&self, hashes: &[Hash]) {
        for some in hashes.chunks(64) {
            let announce = |hash: &Hash| self.dht.search(Goal::Announce(Id(*hash), vec![PORT]), Family::V4);
            let running: Vec<_> = some.iter().map(announce).collect();
            for search in running {
                assert_ne!(search.done().await.stored, 0, "nobody has taken an announcement");
            }
        }
    }

    pub(crate) async fn lookups(&self, hashes: Vec<Hash>, parallel: usize, only_first: bool) -> Many {
        let (count, start) = (hashes.len(), Instant::now());
        let left = Arc::new(Mutex::new(hashes));
        let mut workers = JoinSet::new();
        for _ in 0..parallel {
            let (dht, left) = (self.dht.clone(), left.clone());
            workers.spawn(async move {
                let mut missed = 0;
                loop {
                    let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(hash) = next else { return missed };
                    let mut found = false;
                    let walk = async {
                        let mut search = dht.search(Goal::Peers(Id(hash)), Family::V4);
                        while let Some(event) = search.next().await {
                            match event {
                                Event::Peers(..) => found = true,
                                Event::Done(..) => return,
                                Event::Item(..) => {}
                            }
                            if only_first {
                                return;
                            }
                        }
                    };
                    let _ = timeout(MISSED, walk).await;
                    missed += usize::from(!found);
                }
            });
        }
        let missed = workers.join_all().await.into_iter().sum();
        Many { count, took: start.elapsed(), missed }
    }
}

pub(crate) fn start(ip: IpAddr, bootstrap: &[SocketAddr], kept: Option<Vec<u8>>) -> Dht {
    let bind = [Some(SocketAddr::new(ip, 0)), None];
    Dht::start(Start { settings: Settings::default(), bind, bootstrap: bootstrap.to_vec(), kept }).unwrap()
}

async fn look_up(dht: &Dht, hash: Hash, start: Instant) -> Found {
    let mut search = dht.search(Goal::Peers(Id(hash)), Family::V4);
    let mut found = Found::default();
    while let Some(event) = search.next().await {
        match event {
            Event::Peers(..) => drop(found.first.get_or_insert_with(|| start.elapsed())),
            Event::Done(..) => found.done = Some(start.elapsed()),
            Event::Item(..) => {}
        }
    }
    found
}
