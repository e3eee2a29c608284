use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use bitboot_plugin_api::{Announcement, Caps, Endpoint, Locator};

use crate::Finds;

/// Something to announce, in the form that a medium carries.
#[derive(Debug, Clone)]
pub(crate) enum Sample {
    /// For media that publish the sender's own address.
    Port(u16),
    Endpoint(Endpoint),
    Value(Vec<u8>),
}

impl Sample {
    /// A sample for a medium; another number, another sample.
    pub(crate) fn new(caps: &Caps, number: u8) -> Self {
        let port = 4000 + u16::from(number);
        let (v4, v6) = (
            Ipv4Addr::new(203, 0, 113, number),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(number)),
        );
        if caps.source_bound {
            return Self::Port(port);
        }
        let endpoint = if caps.ipv4 {
            Endpoint::new(v4.into(), port)
        } else if caps.ipv6 {
            Endpoint::new(v6.into(), port)
        } else if caps.dns {
            format!("peer{number}.example:{port}").parse().ok()
        } else {
            None
        };
        endpoint.map_or_else(|| Self::Value(vec![number; 40]), Self::Endpoint)
    }

    pub(crate) fn announcement(&self, locator: &Locator) -> Announcement {
        let nothing = Announcement::new(locator.clone()).with_ttl_s(600);
        match self {
            Self::Port(port) => nothing.with_port(*port),
            Self::Endpoint(endpoint) => nothing.with_endpoint(endpoint.clone()),
            Self::Value(value) => nothing.with_value(value.clone()),
        }
    }

    pub(crate) fn is_in(&self, finds: &Finds) -> bool {
        match self {
            Self::Port(port) => finds.peers.iter().any(|peer| peer.endpoint.port() == *port),
            Self::Endpoint(endpoint) => finds.peers.iter().any(|peer| peer.endpoint == *endpoint),
            Self::Value(value) => finds.values.contains(value),
        }
    }

    /// How many different finds there are of the sort that this is.
    pub(crate) fn different(&self, finds: &Finds) -> usize {
        fn count<T: Ord>(all: impl Iterator<Item = T>) -> usize {
            all.collect::<std::collections::BTreeSet<_>>().len()
        }
        match self {
            Self::Port(_) | Self::Endpoint(_) => count(finds.peers.iter().map(|peer| &peer.endpoint)),
            Self::Value(_) => count(finds.values.iter()),
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(f, "the announced port {port}"),
            Self::Endpoint(endpoint) => write!(f, "the announced endpoint {endpoint}"),
            Self::Value(value) => write!(f, "the announced value of {} bytes", value.len()),
        }
    }
}
