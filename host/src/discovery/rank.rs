//! The order in which peers are shown when all are known. Pure.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;

use super::Peer;

/// Among the first so many, no neighbourhood has more than its share: one party cannot fill what a program tries first.
const FIRST: usize = 16;
const SHARE: usize = 2;

/// Signed before unsigned, seen by more backends before fewer, fresher before older; of the first sixteen at most two from one /24 (IPv6 /48).
pub(crate) fn rank(mut peers: Vec<Peer>) -> Vec<Peer> {
    peers.sort_by_key(|peer| {
        (peer.signed_by.is_none(), Reverse(peer.backends.len()), Reverse(peer.expires), peer.endpoint.clone())
    });
    let (mut first, mut rest, mut shares) = (Vec::new(), Vec::new(), HashMap::new());
    for peer in peers {
        let share: &mut usize = shares.entry(neighbourhood(&peer)).or_default();
        *share += 1;
        if first.len() < FIRST && *share <= SHARE { first.push(peer) } else { rest.push(peer) }
    }
    first.extend(rest);
    first
}

fn neighbourhood(peer: &Peer) -> Vec<u8> {
    match peer.endpoint.ip() {
        Some(IpAddr::V4(ip)) => ip.octets()[..3].to_vec(),
        Some(IpAddr::V6(ip)) => ip.octets()[..6].to_vec(),
        None => peer.endpoint.to_string().into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn no_neighbourhood_fills_the_first_places() {
        let peer = |text: String, backends: &[&str]| {
            let backends = backends.iter().map(ToString::to_string).collect();
            Peer::new(text.parse().unwrap(), backends, SystemTime::UNIX_EPOCH)
        };
        let mut peers: Vec<_> =
            (1..=60).map(|host| peer(format!("203.0.113.{host}:1"), &["a", "b"])).collect();
        peers.extend((1..=5).map(|net| peer(format!("198.51.{net}.1:1"), &["a"])));
        let ranked = rank(peers);
        assert_eq!(ranked.len(), 65);
        let crowd = |peers: &[Peer]| {
            peers.iter().filter(|peer| peer.endpoint.to_string().starts_with("203.")).count()
        };
        assert_eq!((crowd(&ranked[..7]), crowd(&ranked)), (2, 60));
    }
}
