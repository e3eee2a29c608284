//! Addresses and nodes in their compact forms: big endian, the address before the port (BEP 5, BEP 32).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::dht::Id;

/// A node as others tell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Contact {
    /// Its id, as far as others know.
    pub id: Id,
    /// Where it listens.
    pub at: SocketAddr,
}

/// Which length the nodes of a list have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contacts {
    /// `nodes`: 26 bytes each.
    V4,
    /// `nodes6`: 38 bytes each.
    V6,
}

/// An address of 6 bytes (IPv4) or 18 (IPv6); `None` for any other length.
#[must_use]
pub fn address(bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = bytes.split_last_chunk::<2>()?;
    let ip: IpAddr = match ip.len() {
        4 => <[u8; 4]>::try_from(ip).ok()?.into(),
        16 => Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes(*port)))
}

/// The nodes of a list; a rest that is too short for one is passed over.
pub fn contacts(bytes: &[u8], form: Contacts) -> impl Iterator<Item = Contact> + '_ {
    let each = match form {
        Contacts::V4 => 26,
        Contacts::V6 => 38,
    };
    bytes.chunks_exact(each).filter_map(|bytes| {
        let (id, at) = bytes.split_at(Id::LENGTH);
        Some(Contact { id: Id::from_slice(id)?, at: address(at)? })
    })
}

/// Appends an address.
pub fn push_address(out: &mut Vec<u8>, at: SocketAddr) {
    match at.ip() {
        IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
    }
    out.extend_from_slice(&at.port().to_be_bytes());
}

/// Appends a node.
pub fn push_contact(out: &mut Vec<u8>, contact: &Contact) {
    out.extend_from_slice(&contact.id.0);
    push_address(out, contact.at);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_nodes_keep_their_form() {
        for (text, length) in [("203.0.113.7:4001", 6), ("[2001:db8::7]:65535", 18)] {
            let at: SocketAddr = text.parse().unwrap();
            let mut bytes = Vec::new();
            push_address(&mut bytes, at);
            assert_eq!((bytes.len(), address(&bytes)), (length, Some(at)));
            let contact = Contact { id: Id([7; 20]), at };
            let mut list = Vec::new();
            push_contact(&mut list, &contact);
            push_contact(&mut list, &contact);
            list.push(0);
            let form = if at.is_ipv4() { Contacts::V4 } else { Contacts::V6 };
            assert_eq!(contacts(&list, form).collect::<Vec<_>>(), [contact, contact]);
        }
        assert!([0, 1, 2, 5, 7, 17, 19].iter().all(|length| address(&vec![1; *length]).is_none()));
    }
}
