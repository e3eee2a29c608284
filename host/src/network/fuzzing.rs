//! What must hold whatever bytes come, as strangers send them and as members could.

use std::time::Duration;

use super::{Epoch, Identity, Network, Place, Record, bundle, is_sane};

/// A stranger's bytes are no record; a member's may be one, and is then handed on byte by byte.
pub fn record(bytes: &[u8]) {
    let binding = [9; 32];
    let _ = Record::verify(bytes, &binding);
    // The same bytes, signed by whoever they name: half of what is read is behind the signature.
    let identity = Identity::new(&[1; 32]);
    let mut said = bytes.to_vec();
    if let Some(key) = said.get_mut(1..33) {
        key.copy_from_slice(&identity.public().0);
    }
    let signature = identity.sign(&[b"bitboot/1 record", &binding[..], &said].concat());
    said.extend_from_slice(&signature);
    let Ok(record) = Record::verify(&said, &binding) else { return };
    assert!(record.as_bytes() == said && said.len() <= Record::MAX);
    for endpoint in &record.endpoints {
        assert!(endpoint.to_string().parse().as_ref() == Ok(endpoint));
        // What may come from afar may come from nearby.
        assert!(!is_sane(endpoint, true) || is_sane(endpoint, false));
    }
    for now in [0, u64::from(record.time), record.expires().as_secs(), u64::MAX] {
        let _ = record.standing(Duration::from_secs(now));
    }
    assert!(Record::verify(&said, &[8; 32]).is_err());
}

/// The first bit says whether the bytes are a bundle, or what is inside of one.
pub fn bundle(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let Ok(network) = "demo".parse::<Network>() else { return };
    let place = Place::new(&network, "medium", Epoch(0));
    if first & 1 == 0 {
        assert!(place.open(place.locator(), rest).is_err());
    } else if let Ok((newest, bad)) = bundle::inside(rest, place.binding()) {
        assert!(newest.len() * 107 + bad * 3 <= rest.len());
        let room = rest.len() + 104;
        let (sealed, count) = place.seal(place.locator(), [0; 24], newest.iter(), room);
        assert!(sealed.len() <= room && count == newest.len());
        assert!(place.open(place.locator(), &sealed) == Ok((newest, 0)));
    }
}

/// What is an invite leads to a network whose invite leads there too, and is never taken for a name.
pub fn invite(text: &str) {
    if let Ok(network) = Network::of_invite(text) {
        let again = network.invite().and_then(|invite| Network::of_invite(&invite).ok());
        assert!(again.as_ref() == Some(&network) && Network::is_invite(text));
    }
    assert!(!Network::is_invite(text) || text.parse::<Network>().is_err());
    if let Ok(network) = text.parse::<Network>() {
        assert!(network.name().parse::<Network>().as_ref() == Ok(&network));
    }
}
