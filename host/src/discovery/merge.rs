//! Each peer once, with who saw it. Pure: time comes as an argument.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::{Duration, SystemTime};

use bitboot_plugin_api::Endpoint;

/// A peer that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// Where it says that it can be reached.
    pub endpoint: Endpoint,
    /// The backends that saw it, sorted.
    pub backends: Vec<String>,
    /// When it was first seen in this lookup.
    pub seen: SystemTime,
    /// When the last medium forgets it, where one tells.
    pub expires: Option<SystemTime>,
}

/// What a sighting adds to what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// Nobody saw this peer before.
    Peer,
    /// Another backend saw it before.
    Backend,
    /// Nothing.
    Nothing,
}

/// All peers of one lookup.
#[derive(Debug, Default)]
pub(crate) struct Peers(BTreeMap<Endpoint, Peer>);

impl Peers {
    /// Adds a sighting; tells what is new, and all that is known of the peer.
    pub(crate) fn add(
        &mut self,
        backend: &str,
        peer: bitboot_plugin_api::Peer,
        now: SystemTime,
    ) -> (News, &Peer) {
        let expires =
            peer.expires_in_s.and_then(|seconds| now.checked_add(Duration::from_secs(seconds.into())));
        match self.0.entry(peer.endpoint) {
            Entry::Vacant(place) => {
                let endpoint = place.key().clone();
                (
                    News::Peer,
                    place.insert(Peer { endpoint, backends: vec![backend.to_owned()], seen: now, expires }),
                )
            }
            Entry::Occupied(place) => {
                let known = place.into_mut();
                known.expires = known.expires.max(expires);
                match known.backends.binary_search_by(|name| name.as_str().cmp(backend)) {
                    Ok(_) => (News::Nothing, known),
                    Err(at) => {
                        known.backends.insert(at, backend.to_owned());
                        (News::Backend, known)
                    }
                }
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use bitboot_plugin_api::Peer as Told;

    use super::*;

    fn told(text: &str) -> Told {
        Told::new(text.parse().unwrap())
    }

    #[test]
    fn each_peer_is_there_once_with_all_who_saw_it() {
        let (mut peers, now) = (Peers::default(), SystemTime::UNIX_EPOCH);
        assert_eq!(peers.add("lab", told("[::1]:80"), now).0, News::Peer);
        assert_eq!(peers.add("lab", told("[::1]:80"), now).0, News::Nothing);
        let (news, peer) = peers.add("a", told("[::1]:80").with_expiry(9), now);
        assert_eq!((news, peer.backends.join(" ")), (News::Backend, "a lab".into()));
        assert_eq!(peer.expires, Some(now + Duration::from_secs(9)));
        assert_eq!(peers.add("lab", told("[::1]:81"), now).0, News::Peer);
        assert_eq!(peers.len(), 2);
    }

    #[test]
    fn an_impossible_expiry_is_none() {
        let mut peers = Peers::default();
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(i64::MAX as u64 - 1);
        assert_eq!(peers.add("a", told("[::1]:80").with_expiry(u32::MAX), far).1.expires, None);
    }
}
