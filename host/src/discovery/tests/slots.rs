//! Many writers on a store like the BitTorrent DHT: each register lies at twenty places, and each write and read takes a while to reach
//! each of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use bitboot_plugin_api::ffi::{Event, Kind as Sort};
use bitboot_plugin_api::{Caps, Error, Held, Locator, Stores, message};
use tokio::sync::mpsc;

use super::*;
use crate::backend::{Backend, Inbox};
use crate::discovery::ask::Heard;
use crate::network::{Claim, Epoch, Identity, Network, PublicKey, Secret};

const ROOM: u32 = 996;
/// The middle of an hour, as a network moves every hour.
const NOW: Duration = Duration::from_secs(3600 * 500_000 + 1800);
const PLACES: usize = 20;

type Places = [Option<(u64, Vec<u8>)>; PLACES];

/// Strict: a place takes a value only that goes after the one which it has.
#[derive(Default, Clone)]
struct Store(Arc<Mutex<HashMap<Locator, Places>>>);

impl Store {
    fn change<T>(&self, slot: &Locator, change: impl FnOnce(&mut Places) -> T) -> T {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(slot.clone()).or_default())
    }

    /// All different values of most of the places.
    async fn read(&self, slot: &Locator) -> Vec<Held> {
        let mut held = HashMap::new();
        for at in 0..PLACES {
            on_its_way().await;
            if fastrand::u8(..) < 200 {
                held.extend(self.change(slot, |places| places[at].clone()).map(|(seq, value)| (value, seq)));
            }
        }
        held.into_iter().map(|(value, seq)| Held::new(value, seq)).collect()
    }

    async fn write(&self, what: &Write) -> bitboot_plugin_api::Result<Receipt> {
        let after = what.after.unwrap_or_default();
        let Some(next) = after.checked_add(1) else {
            return Err(Error::new(ErrorKind::Refused, "no revision comes after"));
        };
        let mut stored = 0;
        for at in 0..PLACES {
            on_its_way().await;
            stored += self.change(&what.slot, |places| {
                let takes = places[at].as_ref().is_none_or(|(seq, _)| *seq == after);
                if takes {
                    places[at] = Some((next, what.value.clone()));
                }
                u32::from(takes)
            });
        }
        if stored as usize <= PLACES / 2 {
            return Err(Error::new(ErrorKind::Conflict, "another writer was faster"));
        }
        Ok(Receipt::new(stored, 20))
    }
}

impl Backend for Store {
    fn call(&self, op: &str, body: Vec<u8>, _deadline: Duration) -> Inbox {
        let ((sender, events), waiting) = (mpsc::channel(Inbox::DEPTH), Arc::new(AtomicUsize::new(0)));
        let (store, op, counting) = (self.clone(), op.to_owned(), Arc::clone(&waiting));
        tokio::spawn(async move {
            let tell = async |kind, body: Vec<u8>| {
                counting.fetch_add(body.len(), Ordering::Relaxed);
                let _ = sender.send(Event { kind, body }).await;
            };
            if op == "read" {
                let query: Query = message::decode(&body).unwrap();
                for held in store.read(&query.locator).await {
                    tell(Sort::Held, message::encode(&held)).await;
                }
                return tell(Sort::Done, message::encode(&())).await;
            }
            match store.write(&message::decode(&body).unwrap()).await {
                Ok(receipt) => tell(Sort::Done, message::encode(&receipt)).await,
                Err(error) => tell(Sort::Failed, message::encode(&error)).await,
            }
        });
        Inbox::new(events, waiting, ())
    }
}

async fn on_its_way() {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..4))).await;
}

fn network() -> Network {
    Network::with_secret("crowd", Secret::new([7; 32])).unwrap()
}

fn place() -> Arc<Place> {
    Arc::new(Place::new(&network(), "store", Epoch::at(NOW)))
}

fn listener(store: &Store, sender: mpsc::Sender<Heard>) -> Listener {
    let deadline = Instant::now() + Duration::from_secs(60);
    let caps = Caps::new(Stores::Endpoints, 60);
    Listener::new("store", Arc::new(store.clone()), sender, deadline, NOW, &caps)
}

fn record(writer: u8, withdrawn: bool) -> Record {
    let endpoints = vec![format!("10.0.0.{}:1", writer.max(1)).parse().unwrap()];
    let claim = Claim { endpoints, lifetime: Duration::from_secs(3600), withdrawn, ..Claim::default() };
    Record::sign(&Identity::new(&[writer; 32]), place().binding(), &claim, NOW).unwrap()
}

async fn write_all(store: &Store, writers: u8) -> Vec<Result<Receipt>> {
    let mut writing = JoinSet::new();
    for writer in 0..writers {
        let listener = listener(store, mpsc::channel(1).0);
        writing.spawn(async move { put(&listener, &place(), &record(writer, false), ROOM).await });
    }
    writing.join_all().await
}

async fn seen(store: &Store) -> BTreeSet<PublicKey> {
    let (sender, mut heard) = mpsc::channel(1000);
    walk(listener(store, sender), place()).await.1.unwrap();
    let mut newest = Newest::default();
    while let Some(Heard::Records { records, .. }) = heard.recv().await {
        newest.extend(records);
    }
    newest.iter().filter(|record| !record.withdrawn).map(|record| record.signer).collect()
}

#[tokio::test]
async fn a_crowd_is_seen_whole_and_whoever_leaves_is_gone() {
    let store = Store::default();
    let told = write_all(&store, 40).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!(seen(&store).await.len(), 40);
    let gone = record(3, true);
    let replaced = withdraw(&listener(&store, mpsc::channel(1).0), &place(), &gone, ROOM).await.unwrap();
    assert!(replaced > 0);
    let left = seen(&store).await;
    assert!(left.len() == 39 && !left.contains(&gone.signer));
}

#[tokio::test]
async fn the_change_of_the_hour_and_wrong_clocks_lose_nobody() {
    const MINUTE: u64 = 60;
    let hour = Duration::from_secs(3600 * 500_000);
    // Written at a minute around the full hour, by a clock that is off by so many minutes, and read a quarter of an hour later.
    for minute in [55, 59, 60, 61, 75] {
        for off in [-50_i64, 0, 50] {
            let written = hour + Duration::from_secs(minute * MINUTE);
            let theirs = Duration::from_secs(written.as_secs().checked_add_signed(off * 60).unwrap());
            let ours = written + Duration::from_secs(15 * MINUTE);
            let store = Store::default();
            let at = |now| Listener { now, ..listener(&store, mpsc::channel(1).0) };
            let place_at = |epoch| Arc::new(Place::new(&network(), "store", epoch));
            let claim = Claim { lifetime: Duration::from_secs(7200), ..Claim::default() };
            let place = place_at(Epoch::at(theirs));
            let record = Record::sign(&Identity::new(&[1; 32]), place.binding(), &claim, theirs).unwrap();
            put(&at(theirs), &place, &record, ROOM).await.unwrap();

            let (sender, mut heard) = mpsc::channel(100);
            for epoch in Epoch::window(ours) {
                walk(Listener { sender: sender.clone(), ..at(ours) }, place_at(epoch)).await.1.unwrap();
            }
            let found = heard.try_recv();
            assert!(
                matches!(found, Ok(Heard::Records { .. })),
                "written at {minute}, off by {off}: {found:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_register_that_somebody_has_spoilt_is_gone_round() {
    for revision in [5, u64::MAX] {
        let store = Store::default();
        store.change(&place().slot(Slot::ROOT), |places| places.fill(Some((revision, vec![1; 200]))));
        let told = write_all(&store, 3).await;
        assert!(told.iter().all(Result::is_ok), "{told:?}");
        assert_eq!(seen(&store).await.len(), 3, "{revision}");
    }
}
