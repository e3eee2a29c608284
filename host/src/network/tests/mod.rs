//! The room as a whole: what a member writes all members read, and nobody else reads or writes anything.

mod bundle;
mod merge;
mod note;
mod place;
mod record;
mod refused;
mod secrecy;
mod vectors;

use std::time::Duration;

use proptest::prelude::*;

use super::bundle::{BundleError, MAX_BUNDLE};
use super::record::RecordError;
use super::*;

/// The beginning of an hour.
const NOW: Duration = Duration::from_secs(1_800_000_000);
const HOUR: Duration = Duration::from_secs(3600);
const BINDING: [u8; 32] = [9; 32];

/// So many seconds after `NOW`.
fn at(seconds: i64) -> Duration {
    Duration::from_secs(NOW.as_secs().checked_add_signed(seconds).unwrap())
}

fn identity(seed: u8) -> Identity {
    Identity::new(&[seed; 32])
}

fn secret_network(name: &str, secret: u8) -> Network {
    Network::with_secret(name, Secret::new([secret; 32])).unwrap()
}

fn open_network(name: &str) -> Network {
    name.parse().unwrap()
}

fn place(network: &Network) -> Place {
    Place::new(network, "medium", Epoch::at(NOW))
}

fn claim(endpoints: &[&str]) -> Claim {
    let endpoints = endpoints.iter().map(|text| text.parse().unwrap()).collect();
    Claim { endpoints, lifetime: 2 * HOUR, ..Claim::default() }
}

/// A record of the common kind: one IPv4 address.
fn record(seed: u8, binding: &[u8; 32], time: Duration) -> Record {
    Record::sign(&identity(seed), binding, &claim(&["203.0.113.7:4001"]), time).unwrap()
}

/// Signs whatever bytes, by the words of `README.md` and not by the code.
fn signed(identity: &Identity, binding: &[u8; 32], said: &[u8]) -> Vec<u8> {
    let signature = identity.sign(&[b"bitboot/1 record", &binding[..], said].concat());
    [said, &signature].concat()
}

/// What a record says before its addresses.
fn head(identity: &Identity, first: u8) -> Vec<u8> {
    let time = u32::try_from(NOW.as_secs()).unwrap();
    [&[first], &identity.public().0[..], &time.to_be_bytes(), &[0, 240]].concat()
}

fn some_endpoint() -> impl Strategy<Value = String> {
    prop_oneof![
        (any::<[u8; 4]>(), 1u16..).prop_map(|(ip, port)| format!("{}:{port}", std::net::Ipv4Addr::from(ip))),
        (any::<[u8; 16]>(), 1u16..)
            .prop_map(|(ip, port)| format!("[{}]:{port}", std::net::Ipv6Addr::from(ip))),
        ("[a-z]([a-z0-9-]{0,59}[a-z0-9])?\\.[a-z]{2,9}", 1u16..)
            .prop_map(|(name, port)| format!("{name}:{port}")),
    ]
}

prop_compose! {
    fn some_claim()(
        endpoints in prop::collection::vec(some_endpoint(), 0..6),
        metadata in prop::collection::btree_map(".{0,20}", ".{0,40}", 0..4),
        ticks in 0u64..=65535,
        withdrawn: bool,
    ) -> Claim {
        let endpoints = endpoints.iter().map(|text| text.parse().unwrap()).collect();
        Claim { endpoints, metadata, lifetime: Duration::from_secs(ticks * 30), withdrawn }
    }
}
