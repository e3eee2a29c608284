//! One search in both families at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use futures_lite::future;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::bootstrap::Found;
use crate::dht::{Dht, Event, Family, Goal, Outcome};

/// A node, and how it searches in the families that it has.
#[derive(Clone)]
pub(super) struct Both {
    dht: Dht,
    hosts: watch::Receiver<Found>,
    patience: Duration,
    /// Families of which nothing was ever heard, though it was waited for once.
    silent: Arc<[AtomicBool; 2]>,
}

/// What is told of a search.
pub(super) enum Told {
    Event(Event),
    /// The last: what came of it in each family that was searched.
    Done([Outcome; 2]),
}

type Tell = mpsc::UnboundedSender<Told>;

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

impl Both {
    pub(super) fn new(dht: Dht, hosts: watch::Receiver<Found>, patience: Duration) -> Self {
        Self { dht, hosts, patience, silent: Arc::default() }
    }

    /// Searches for each family's goal; ends when nobody listens any more.
    pub(super) fn search(&self, goals: [Option<Goal>; 2]) -> mpsc::UnboundedReceiver<Told> {
        let (tell, told) = mpsc::unbounded_channel();
        let both = self.clone();
        tokio::spawn(async move {
            let end = async {
                let outcomes = both.run(&goals, &tell).await;
                let _ = tell.send(Told::Done(outcomes));
            };
            future::or(end, tell.closed()).await;
        });
        told
    }

    async fn run(&self, goals: &[Option<Goal>; 2], tell: &Tell) -> [Outcome; 2] {
        let [v4, v6] =
            FAMILIES.map(|family| Box::pin(self.run_one(family, goals[family.index()].as_ref(), tell)));
        let (first, outcome, other) = either(v4, v6).await;
        let rest = match self.grace(first.other(), &outcome) {
            None => other.await,
            Some(grace) => timeout(grace, other).await.unwrap_or_default(),
        };
        let mut outcomes = [outcome, rest];
        if first == Family::V6 {
            outcomes.swap(0, 1);
        }
        // Whoever knew nobody in a family may have been told of some by the other's nodes (BEP 32).
        for family in FAMILIES {
            let at = family.index();
            self.silent[at].store(self.dht.wire(family).sent > 0 && self.never_heard(family), Relaxed);
            if outcomes[at].asked == 0 && outcomes[1 - at].answered > 0 && self.knows(family).await {
                outcomes[at] = self.run_one(family, goals[at].as_ref(), tell).await;
            }
        }
        outcomes
    }

    /// Searches in one family, and again as long as nobody has answered and the DNS finds more to ask.
    async fn run_one(&self, family: Family, goal: Option<&Goal>, tell: &Tell) -> Outcome {
        let Some(goal) = goal.filter(|_| self.dht.bound(family).is_some()) else { return Outcome::default() };
        loop {
            let known = count(&self.hosts.borrow(), family);
            let mut search = self.dht.search(goal.clone(), family);
            let outcome = loop {
                match search.next().await {
                    Some(Event::Done(_, outcome)) => break outcome,
                    Some(event) => drop(tell.send(Told::Event(event))),
                    None => break Outcome::default(),
                }
            };
            let is_heard = outcome.answered > 0 || outcome.stored > 0;
            if is_heard || !self.finds_more(family, known).await {
                return outcome;
            }
        }
    }

    /// Waits for hosts beyond those known before; whether there are any.
    async fn finds_more(&self, family: Family, known: usize) -> bool {
        let mut hosts = self.hosts.clone();
        let found = hosts.wait_for(|found| count(found, family) > known || found.pending == 0).await;
        found.is_ok_and(|found| count(&found, family) > known)
    }

    /// How long to wait for a family when the other has come to its end; `None` for as long as it takes.
    ///
    /// Many machines have an IPv6 address that leads nowhere. A family of which nothing was ever heard is not waited for to its end when
    /// the other has answered, and after the first time not at all.
    fn grace(&self, family: Family, other: &Outcome) -> Option<Duration> {
        if other.answered == 0 || !self.never_heard(family) {
            return None;
        }
        let was_waited_for = self.silent[family.index()].load(Relaxed);
        Some(if was_waited_for { Duration::ZERO } else { self.patience / 2 })
    }

    fn never_heard(&self, family: Family) -> bool {
        self.dht.wire(family).received == 0
    }

    async fn knows(&self, family: Family) -> bool {
        self.dht.bound(family).is_some() && self.dht.facts().await.sides[family.index()].known > 0
    }
}

/// The outcome of whoever is done first, and the other one.
async fn either<T: Future<Output = Outcome> + Unpin>(mut v4: T, mut v6: T) -> (Family, Outcome, T) {
    let first = async { (Family::V4, (&mut v4).await) };
    let second = async { (Family::V6, (&mut v6).await) };
    let (family, outcome) = future::or(first, second).await;
    (family, outcome, if family == Family::V4 { v6 } else { v4 })
}

fn count(found: &Found, family: Family) -> usize {
    found.addresses.iter().filter(|at| Family::of(**at) == family).count()
}
