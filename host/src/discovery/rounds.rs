//! From one lookup to the next: who came, who is gone. Pure.

use std::collections::{BTreeMap, BTreeSet};

use bitboot_plugin_api::Endpoint;

use super::Peer;

/// What changed among the peers of a watched network.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A peer that was not there before.
    Added(Peer),
    /// A peer that no backend tells of any more.
    Expired(Peer),
}

/// The peers of a network over several lookups.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    known: BTreeMap<Endpoint, (Peer, u32)>,
    seen: BTreeSet<Endpoint>,
}

impl Rounds {
    /// A medium may miss a peer once: it is gone when this many lookups in a row did not find it.
    const MISSES: u32 = 2;

    /// So many peers that were not found stay because a backend failed: one that brings others each time and then fails must not fill the
    /// memory.
    const MAX_UNSEEN: usize = 10_000;

    /// Notes a sighting in the current round; a change when the peer is new.
    pub(crate) fn saw(&mut self, peer: &Peer) -> Option<Change> {
        self.seen.insert(peer.endpoint.clone());
        let is_new = self.known.insert(peer.endpoint.clone(), (peer.clone(), 0)).is_none();
        is_new.then(|| Change::Added(peer.clone()))
    }

    /// Ends a round. A backend that failed says nothing about the peers that it had found before.
    pub(crate) fn end(&mut self, failed: &BTreeSet<String>) -> Vec<Change> {
        let seen = std::mem::take(&mut self.seen);
        let (mut gone, mut unseen) = (Vec::new(), BTreeMap::<_, usize>::new());
        self.known.retain(|endpoint, (peer, misses)| {
            if seen.contains(endpoint) {
                return true;
            }
            let may_stay = peer.backends.iter().filter_map(|backend| failed.get(backend)).any(|backend| {
                let stay = unseen.entry(backend).or_default();
                *stay += 1;
                *stay <= Self::MAX_UNSEEN
            });
            if may_stay {
                return true;
            }
            *misses += 1;
            let stays = *misses < Self::MISSES;
            if !stays {
                gone.push(Change::Expired(peer.clone()));
            }
            stays
        });
        gone
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn peer(text: &str) -> Peer {
        Peer::new(text.parse().unwrap(), vec!["lab".into()], SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn who_comes_is_told_once_and_who_goes_after_two_misses() {
        let (mut rounds, a) = (Rounds::default(), peer("[::1]:80"));
        assert_eq!(rounds.saw(&a), Some(Change::Added(a.clone())));
        assert_eq!(rounds.saw(&a), None);
        assert!(rounds.end(&BTreeSet::new()).is_empty());
        assert!(rounds.end(&BTreeSet::new()).is_empty());
        assert_eq!(rounds.end(&BTreeSet::new()), [Change::Expired(a.clone())]);
        assert!(rounds.saw(&a).is_some());
    }

    #[test]
    fn a_backend_that_failed_takes_nobody_away() {
        let mut rounds = Rounds::default();
        rounds.saw(&peer("[::1]:80"));
        rounds.end(&BTreeSet::new());
        let failed = BTreeSet::from(["lab".to_owned()]);
        assert!((0..9).all(|_| rounds.end(&failed).is_empty()));
    }

    #[test]
    fn a_backend_that_brings_others_each_time_and_fails_fills_no_memory() {
        let mut rounds = Rounds::default();
        let failed = BTreeSet::from(["lab".to_owned()]);
        for round in 0..6 {
            for number in 0..10_000 {
                rounds.saw(&peer(&format!("[::{round}:{number:x}]:80")));
            }
            rounds.end(&failed);
        }
        // Those of the last round, those that stay, and those that are missed once.
        assert!(rounds.known.len() <= 3 * Rounds::MAX_UNSEEN, "{}", rounds.known.len());
    }
}
