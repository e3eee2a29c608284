//! Each peer once, with who saw it and who signed for it. Pure: time comes as an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitboot_plugin_api::Endpoint;

use crate::network::{Metadata, Newest, Note, Notes, Record, Signer};

/// A peer that was found: an address that somebody claims.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// Where it says that it can be reached.
    pub endpoint: Endpoint,
    /// The backends that saw it, sorted.
    pub backends: Vec<String>,
    /// Who signed for it, with a signature that was verified; `None` where a medium carries bare addresses.
    pub signed_by: Option<Signer>,
    /// What the node says besides.
    pub metadata: Metadata,
    /// When it was first seen in this lookup.
    pub seen: SystemTime,
    /// When its record ends or the medium forgets it, where that is known.
    pub expires: Option<SystemTime>,
}

/// What a sighting adds to what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// Nobody saw this peer before.
    Peer,
    /// Another backend saw it before, or nobody had signed for it.
    More,
}

/// All peers of one lookup.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    /// By address and signer: two nodes that claim one address are two peers, for who lies is not known here.
    known: BTreeMap<(Endpoint, Option<Signer>), Peer>,
    records: Newest,
    notes: Notes,
    /// Addresses that nobody signed, held back until somebody does.
    held_back: BTreeMap<Endpoint, BTreeSet<String>>,
    only_signed: bool,
}

impl Peer {
    pub(super) fn new(endpoint: Endpoint, backends: Vec<String>, seen: SystemTime) -> Self {
        Self { endpoint, backends, signed_by: None, metadata: Metadata::new(), seen, expires: None }
    }

    /// Whether another is what this one has become: seen by more, or signed for.
    pub(crate) fn is_now(&self, later: &Self) -> bool {
        let signer_is = match (&self.signed_by, &later.signed_by) {
            (None, _) | (Some(Signer::Author(_)), Some(Signer::Node(_))) => true,
            (before, after) => before == after,
        };
        self.endpoint == later.endpoint && signer_is
    }

    fn also_seen_by(&mut self, backend: &str) -> bool {
        match self.backends.binary_search_by(|name| name.as_str().cmp(backend)) {
            Ok(_) => false,
            Err(at) => {
                self.backends.insert(at, backend.to_owned());
                true
            }
        }
    }
}

impl Peers {
    /// With `only_signed`, addresses that nobody signed are not news.
    pub(crate) fn new(only_signed: bool) -> Self {
        Self { only_signed, ..Self::default() }
    }

    /// Adds an address that nobody signed.
    pub(crate) fn add(
        &mut self,
        backend: &str,
        told: bitboot_plugin_api::Peer,
        now: SystemTime,
    ) -> Option<(News, Peer)> {
        let endpoint = told.endpoint;
        let signed =
            self.known.range_mut((endpoint.clone(), None)..).take_while(|((other, _), _)| *other == endpoint);
        let mut is_known = false;
        let mut news = None;
        for (_, peer) in signed {
            is_known = true;
            if peer.also_seen_by(backend) {
                news = Some((News::More, peer.clone()));
            }
        }
        if is_known {
            return news;
        }
        if self.only_signed {
            self.held_back.entry(endpoint).or_default().insert(backend.to_owned());
            return None;
        }
        let mut peer = Peer::new(endpoint.clone(), vec![backend.to_owned()], now);
        peer.expires =
            told.expires_in_s.and_then(|seconds| now.checked_add(Duration::from_secs(seconds.into())));
        self.known.insert((endpoint, None), peer.clone());
        Some((News::Peer, peer))
    }

    /// Adds a record that holds; what is new about each of its addresses.
    pub(crate) fn add_record(
        &mut self,
        backend: &str,
        record: &Record,
        now: SystemTime,
    ) -> Vec<(News, Peer)> {
        self.records.add(record.clone());
        let newest = self.records.get(&record.signer).unwrap_or(record);
        if record.withdrawn || newest.withdrawn {
            return Vec::new();
        }
        // An older record than one that is known, of whatever backend, says nothing new: what both say was seen there too. One announcement
        // is signed for each medium when its turn comes.
        if newest.time > record.time {
            let both = record.endpoints.iter().filter(|endpoint| newest.endpoints.contains(endpoint));
            return both
                .filter_map(|endpoint| {
                    let peer = self.known.get_mut(&(endpoint.clone(), Some(Signer::Node(record.signer))))?;
                    peer.also_seen_by(backend).then(|| (News::More, peer.clone()))
                })
                .collect();
        }
        let sign = |endpoint: &Endpoint| {
            let (news, peer) = self.sign(backend, endpoint, Signer::Node(record.signer), now)?;
            peer.metadata.clone_from(&record.metadata);
            peer.expires = UNIX_EPOCH.checked_add(record.expires());
            Some((news, peer.clone()))
        };
        record.endpoints.iter().filter_map(sign).collect()
    }

    /// Adds a note that holds; what is new about its address.
    pub(crate) fn add_note(&mut self, backend: &str, note: &Note, now: SystemTime) -> Option<(News, Peer)> {
        let endpoint = note.endpoint.as_ref().filter(|_| self.notes.add(note.clone()))?;
        // A node's own signature says more: the note is one more who saw it there.
        let nodes = (endpoint.clone(), None)..;
        let nodes = self.known.range_mut(nodes).take_while(|((other, _), _)| other == endpoint);
        let mut signed = nodes.filter(|((_, signer), _)| matches!(signer, Some(Signer::Node(_)))).peekable();
        if signed.peek().is_some() {
            return signed
                .filter_map(|(_, peer)| peer.also_seen_by(backend).then(|| (News::More, peer.clone())))
                .last();
        }
        let (news, peer) = self.sign(backend, endpoint, Signer::Author(note.author.clone()), now)?;
        peer.expires = UNIX_EPOCH.checked_add(note.expires());
        Some((news, peer.clone()))
    }

    /// The peer of an address for which somebody signs now, if that is news. What was known of it in weaker ways becomes a part of it.
    fn sign(
        &mut self,
        backend: &str,
        endpoint: &Endpoint,
        signer: Signer,
        now: SystemTime,
    ) -> Option<(News, &mut Peer)> {
        let key = (endpoint.clone(), Some(signer.clone()));
        if self.known.contains_key(&key) {
            let known = self.known.get_mut(&key)?;
            return known.also_seen_by(backend).then_some((News::More, known));
        }
        let weaker = self.weaker(endpoint, &signer);
        let news = if weaker.is_empty() { News::Peer } else { News::More };
        let mut peer = Peer::new(endpoint.clone(), vec![backend.to_owned()], now);
        for before in weaker {
            peer.seen = peer.seen.min(before.seen);
            for backend in &before.backends {
                peer.also_seen_by(backend);
            }
        }
        for backend in self.held_back.remove(endpoint).unwrap_or_default() {
            peer.also_seen_by(&backend);
        }
        peer.signed_by = Some(signer);
        Some((news, self.known.entry(key).or_insert(peer)))
    }

    /// Takes out what is known of an address in weaker ways: unsigned, or, for a node, by authors of media.
    fn weaker(&mut self, endpoint: &Endpoint, than: &Signer) -> Vec<Peer> {
        let here =
            self.known.range((endpoint.clone(), None)..).take_while(|((other, _), _)| other == endpoint);
        let is_weaker = |signer: &Option<Signer>| match signer {
            None => true,
            Some(Signer::Author(_)) => matches!(than, Signer::Node(_)),
            Some(Signer::Node(_)) => false,
        };
        let keys: Vec<_> = here.map(|(key, _)| key.clone()).filter(|(_, signer)| is_weaker(signer)).collect();
        keys.iter().filter_map(|key| self.known.remove(key)).collect()
    }

    /// How many addresses nobody has signed for; they are not told twice.
    pub(crate) fn take_held_back(&mut self) -> usize {
        std::mem::take(&mut self.held_back).len()
    }
}

#[cfg(test)]
mod tests {
    use bitboot_plugin_api::Peer as Told;

    use super::*;
    use crate::network::{Claim, Identity};

    fn told(text: &str) -> Told {
        Told::new(text.parse().unwrap())
    }

    fn record(seed: u8, time: u64, endpoint: &str, withdrawn: bool) -> Record {
        let claim = Claim {
            endpoints: vec![endpoint.parse().unwrap()],
            lifetime: Duration::from_secs(60),
            withdrawn,
            ..Claim::default()
        };
        Record::sign(&Identity::new(&[seed; 32]), &[0; 32], &claim, Duration::from_secs(time)).unwrap()
    }

    #[test]
    fn each_peer_is_there_once_with_all_who_saw_it() {
        let (mut peers, now) = (Peers::new(false), UNIX_EPOCH);
        assert_eq!(peers.add("lab", told("[::1]:80"), now).unwrap().0, News::Peer);
        assert!(peers.add("lab", told("[::1]:80"), now).is_none());
        let (news, peer) = peers.add("a", told("[::1]:80"), now).unwrap();
        assert_eq!((news, peer.backends.join(" ")), (News::More, "a lab".into()));
        let (news, peer) = peers.add_record("local", &record(1, 1, "[::1]:80", false), now).pop().unwrap();
        assert_eq!((news, peer.backends.len(), peer.signed_by.is_some()), (News::More, 3, true));
        assert_eq!(peers.add_record("local", &record(2, 1, "[::1]:80", false), now)[0].0, News::Peer);
        assert_eq!(peers.known.len(), 2);
    }

    #[test]
    fn what_is_withdrawn_or_older_is_not_believed_whatever_comes_first() {
        let (mut peers, now) = (Peers::new(false), UNIX_EPOCH);
        assert!(peers.add_record("a", &record(1, 5, "[::1]:80", true), now).is_empty());
        assert!(peers.add_record("b", &record(1, 4, "[::1]:80", false), now).is_empty());
        assert_eq!(peers.add_record("b", &record(1, 6, "[::1]:80", false), now).len(), 1);
    }

    #[test]
    fn an_older_record_tells_only_who_else_has_seen_what_the_newest_says() {
        let (mut peers, now) = (Peers::new(false), UNIX_EPOCH);
        assert_eq!(peers.add_record("a", &record(1, 5, "[::1]:80", false), now).len(), 1);
        assert!(peers.add_record("b", &record(1, 4, "[::1]:81", false), now).is_empty());
        let (news, peer) = peers.add_record("b", &record(1, 4, "[::1]:80", false), now).pop().unwrap();
        assert_eq!((news, peer.backends.join(" ")), (News::More, "a b".into()));
        assert_eq!(peer.expires, UNIX_EPOCH.checked_add(Duration::from_secs(65)));
        assert!(peers.add_record("b", &record(1, 4, "[::1]:80", false), now).is_empty());
    }

    #[test]
    fn in_a_secret_network_only_records_count() {
        let (mut peers, now) = (Peers::new(true), UNIX_EPOCH);
        assert!(peers.add("lab", told("[::1]:80"), now).is_none());
        assert_eq!((peers.known.len(), peers.held_back.len()), (0, 1));
        let (news, peer) = peers.add_record("b", &record(1, 1, "[::1]:80", false), now).pop().unwrap();
        assert_eq!((news, peer.backends.join(" ")), (News::Peer, "b lab".into()));
    }

    #[test]
    fn an_impossible_expiry_is_none() {
        let far = UNIX_EPOCH + Duration::from_secs(i64::MAX as u64 - 1);
        let (_, peer) = Peers::new(false).add("a", told("[::1]:80").with_expiry(u32::MAX), far).unwrap();
        assert_eq!(peer.expires, None);
    }
}
