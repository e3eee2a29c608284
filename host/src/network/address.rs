//! Addresses inside a record: kind, length, bytes. Kinds that are not known here are skipped, never an error.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bitboot_plugin_api::{Address, Endpoint};

use super::wire::Reader;

/// Four bytes and a port.
const IPV4: u8 = 1;
/// Sixteen bytes and a port.
const IPV6: u8 = 2;
/// A DNS name in ASCII and a port.
const DNS: u8 = 3;
// 4 onion address, 5 multiaddr, 6 relay URL: given out, not read by this version.

/// An endpoint as kind and bytes; the port is the last two of them, big end first.
pub(super) fn encode(endpoint: &Endpoint) -> (u8, Vec<u8>) {
    let (kind, mut bytes) = match endpoint.address() {
        Address::Ip(IpAddr::V4(ip)) => (IPV4, ip.octets().to_vec()),
        Address::Ip(IpAddr::V6(ip)) => (IPV6, ip.octets().to_vec()),
        Address::Dns(name) => (DNS, name.as_bytes().to_vec()),
        // `Address` may grow; what this version cannot write is a kind that nobody reads.
        _ => (0, Vec::new()),
    };
    bytes.extend_from_slice(&endpoint.port().to_be_bytes());
    (kind, bytes)
}

/// The endpoint, if its kind is known and its bytes make sense.
pub(super) fn decode(kind: u8, bytes: &[u8]) -> Option<Endpoint> {
    let (address, port) = bytes.split_at_checked(bytes.len().checked_sub(2)?)?;
    let port = Reader::new(port).u16()?;
    match kind {
        IPV4 => Endpoint::new(IpAddr::from(<[u8; 4]>::try_from(address).ok().map(Ipv4Addr::from)?), port),
        IPV6 => Endpoint::new(IpAddr::from(<[u8; 16]>::try_from(address).ok().map(Ipv6Addr::from)?), port),
        DNS => {
            let endpoint: Endpoint = format!("{}:{port}", std::str::from_utf8(address).ok()?).parse().ok()?;
            // An IP address in letters would be a second form of the same.
            matches!(endpoint.address(), Address::Dns(_)).then_some(endpoint)
        }
        _ => None,
    }
}
