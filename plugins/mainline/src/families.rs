//! The families of addresses that a backend uses, and its own addresses in them.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Unexpected, Visitor};

/// At most one address of each family; written as one address, or as a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) v4: Option<Ipv4Addr>,
    pub(crate) v6: Option<Ipv6Addr>,
}

/// The families by the names that users know.
pub(crate) const NAMES: [&str; 2] = ["IPv4", "IPv6"];

impl Addresses {
    pub(crate) fn iter(self) -> impl Iterator<Item = IpAddr> {
        self.v4.map(IpAddr::V4).into_iter().chain(self.v6.map(IpAddr::V6))
    }

    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// IPv4, IPv6.
    pub(crate) fn by_family(self) -> [Option<IpAddr>; 2] {
        [self.v4.map(IpAddr::V4), self.v6.map(IpAddr::V6)]
    }

    fn add(&mut self, ip: IpAddr) -> Result<(), String> {
        let twice = match ip.to_canonical() {
            IpAddr::V4(ip) => self.v4.replace(ip).is_some(),
            IpAddr::V6(ip) => self.v6.replace(ip).is_some(),
        };
        if twice { Err(format!("two addresses of one family, {ip} is the second")) } else { Ok(()) }
    }
}

/// Where to listen: the addresses that are set, or any of each family that this machine has. What is left out is told.
pub(crate) fn listen(set: Addresses, port: u16, wide: bool, log: impl Fn(String)) -> [Option<SocketAddr>; 2] {
    let any = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    let chosen = if set.is_empty() { any.map(Some) } else { set.by_family() };
    let failures = chosen.map(|ip| ip.and_then(|ip| UdpSocket::bind((ip, 0)).err()));
    // A family that leads nowhere costs each search the time that it takes to find out.
    let leads = chosen.map(|ip| ip.is_some_and(|ip| !wide || leads_out(ip)));
    let at = |side: usize| {
        let ip = chosen[side]?;
        // When no family is any good, the failure is told by who tries to use it.
        let has_other = chosen[1 - side].is_some() && failures[1 - side].is_none();
        let why = match &failures[side] {
            Some(error) => Some(error.to_string()),
            None if !leads[side] && leads[1 - side] => Some("no way leads out".into()),
            None => None,
        };
        if let Some(why) = why.filter(|_| has_other) {
            log(format!("{} is not used: {why}", NAMES[side]));
            return None;
        }
        Some(SocketAddr::new(ip, port))
    };
    [at(0), at(1)]
}

/// Whether the system knows a way to the internet from an address. Nothing is sent: the addresses are those of a root server of the DNS.
fn leads_out(from: IpAddr) -> bool {
    let root: IpAddr = match from {
        IpAddr::V4(_) => Ipv4Addr::new(198, 41, 0, 4).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30).into(),
    };
    let connected = || -> io::Result<()> { UdpSocket::bind((from, 0))?.connect((root, 53)) };
    connected().is_ok()
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Addresses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an IPv4 address, an IPv6 address, or one of each in a list")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Addresses, E> {
                let mut addresses = Addresses::default();
                let ip = text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))?;
                addresses.add(ip).map_err(E::custom)?;
                Ok(addresses)
            }

            fn visit_unit<E: Error>(self) -> Result<Addresses, E> {
                Ok(Addresses::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Addresses, A::Error> {
                let mut addresses = Addresses::default();
                while let Some(ip) = list.next_element::<IpAddr>()? {
                    addresses.add(ip).map_err(A::Error::custom)?;
                }
                Ok(addresses)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Addresses {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Addresses".into()
    }

    fn inline_schema() -> bool {
        true
    }

    /// A list first, so that a host lets several be set.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["array", "string", "null"], "items": { "type": "string" }, "maxItems": 2 })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use serde_json::json;

    use super::*;

    #[test]
    fn one_address_is_written_as_it_is_and_two_as_a_list() {
        let (v4, v6) = (Some(Ipv4Addr::LOCALHOST), Some(Ipv6Addr::LOCALHOST));
        for (written, read) in [
            (json!("127.0.0.1"), Addresses { v4, v6: None }),
            (json!("::1"), Addresses { v4: None, v6 }),
            (json!("::ffff:127.0.0.1"), Addresses { v4, v6: None }),
            (json!(["::1"]), Addresses { v4: None, v6 }),
            (json!(["::1", "127.0.0.1"]), Addresses { v4, v6 }),
            (json!([]), Addresses::default()),
            (json!(null), Addresses::default()),
        ] {
            assert_eq!(serde_json::from_value::<Addresses>(written).unwrap(), read);
        }
        for (written, told) in [
            (json!(["127.0.0.1", "127.0.0.2"]), "two addresses of one family"),
            (json!("localhost"), "an IPv4 address, an IPv6 address"),
            (json!(["localhost"]), "invalid IP address"),
            (json!(7), "an IPv4 address, an IPv6 address"),
        ] {
            let error = serde_json::from_value::<Addresses>(written).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn a_family_that_this_machine_has_not_is_left_out_and_told() {
        let told = RefCell::new(Vec::new());
        let log = |line| told.borrow_mut().push(line);
        // 203.0.113.9 is a documentation address, of no machine.
        let set: Addresses = serde_json::from_value(json!(["203.0.113.9", "::1"])).unwrap();
        if UdpSocket::bind("[::1]:0").is_ok() {
            assert_eq!(listen(set, 7, false, log), [None, Some("[::1]:7".parse().unwrap())]);
            assert!(told.borrow()[0].starts_with("IPv4 is not used: "), "{told:?}");
        }
        // Alone it stays, so that whoever binds it says what is wrong.
        let set: Addresses = serde_json::from_value(json!("203.0.113.9")).unwrap();
        assert_eq!(listen(set, 7, false, |_| unreachable!()), [Some("203.0.113.9:7".parse().unwrap()), None]);
    }
}
