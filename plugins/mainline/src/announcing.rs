use std::collections::BTreeSet;
use std::net::IpAddr;

use bitboot_plugin_api::{Announcement, Endpoint, Error, ErrorKind, Receipt, Result};

use crate::own::Whose;

/// What of an announcement the DHT can carry: ports of this machine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// At least one.
    pub(crate) ports: Vec<u16>,
    /// This machine's addresses that came with the ports.
    named: BTreeSet<IpAddr>,
    /// What is left out, for the user.
    notes: Vec<String>,
}

impl Plan {
    /// Sorts what can be carried from what cannot; refuses what would be published as something else than it says.
    pub(crate) fn new(what: &Announcement, whose: impl Fn(IpAddr) -> Whose) -> Result<Self> {
        let mut ports = what.port.into_iter().collect::<BTreeSet<_>>();
        let (mut named, mut not_ipv4) = (BTreeSet::new(), Vec::new());
        for endpoint in &what.endpoints {
            match endpoint.ip().map(|ip| (ip, whose(ip))) {
                Some((_, Whose::Others)) => return Err(foreign(endpoint)),
                Some((_, Whose::OursAlone)) => return Err(loopback(endpoint)),
                Some((ip @ IpAddr::V4(_), Whose::Ours)) => {
                    ports.insert(endpoint.port());
                    named.insert(ip);
                }
                Some((IpAddr::V6(_), Whose::Ours)) | None => not_ipv4.push(endpoint.to_string()),
            }
        }
        if ports.is_empty() {
            return Err(nothing_carried(what, &not_ipv4));
        }
        let mut notes = Vec::new();
        if !not_ipv4.is_empty() {
            notes.push(format!("not announced here, as this medium is IPv4 only: {}", not_ipv4.join(", ")));
        }
        if what.value.is_some() {
            notes.push("the record was not published here: this medium carries endpoints only".into());
        }
        Ok(Self { ports: ports.into_iter().collect(), named, notes })
    }

    /// Completes a receipt with what the user should know of how the announcement looks to others.
    pub(crate) fn tell(self, mut receipt: Receipt, seen_at: Option<IpAddr>) -> Receipt {
        if let Some(seen) = seen_at
            && let Some(named) = self.named.iter().find(|named| **named != seen)
        {
            receipt = receipt.with_note(format!(
                "others are told {seen}, where this machine's messages come from, not {named}"
            ));
        }
        self.notes.into_iter().fold(receipt, Receipt::with_note)
    }
}

fn foreign(endpoint: &Endpoint) -> Error {
    Error::new(
        ErrorKind::Refused,
        format!("{endpoint} is not this machine's, so it cannot be announced here"),
    )
    .because("the BitTorrent DHT stores the address that a message comes from, whatever it says (BEP 5)")
    .fix(format!(
        "announce with --port {} on that host, or use a backend which carries values",
        endpoint.port()
    ))
}

fn loopback(endpoint: &Endpoint) -> Error {
    Error::new(ErrorKind::Refused, format!("{endpoint} cannot be announced on a DHT beyond this machine"))
        .because(
            "nobody else can reach a loopback address, and the DHT would tell another one instead (BEP 5)",
        )
        .fix(format!("announce with --port {} under the address that others see", endpoint.port()))
}

fn nothing_carried(what: &Announcement, not_ipv4: &[String]) -> Error {
    let refused = |message: String| Error::new(ErrorKind::Refused, message);
    if !not_ipv4.is_empty() {
        return refused(format!(
            "{} cannot be announced here: this medium is IPv4 only",
            not_ipv4.join(", ")
        ))
        .fix("announce with --port as well, or use a backend which carries values");
    }
    if what.value.is_some() {
        return refused("a record cannot be published here: this medium carries endpoints only".into())
            .fix("announce with --port as well, or use a backend which carries values");
    }
    refused("there is nothing to announce: no port, no endpoint".into()).fix("announce with --port")
}

#[cfg(test)]
mod tests {
    use bitboot_plugin_api::Locator;

    use super::*;

    fn nothing() -> Announcement {
        Announcement::new(Locator::new(&[7; 20]).unwrap())
    }

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    /// 10.0.0.1 and `::1` are ours.
    fn whose(ip: IpAddr) -> Whose {
        match ip.to_string().as_str() {
            "10.0.0.1" | "::1" => Whose::Ours,
            "127.0.0.1" => Whose::OursAlone,
            _ => Whose::Others,
        }
    }

    #[test]
    fn our_endpoints_are_announced_by_their_ports_once_each() {
        let what = nothing()
            .with_port(9)
            .with_endpoint(endpoint("10.0.0.1:9"))
            .with_endpoint(endpoint("10.0.0.1:8"));
        assert_eq!(Plan::new(&what, whose).unwrap().ports, [8, 9]);
    }

    #[test]
    fn what_is_not_ours_or_cannot_be_carried_alone_is_refused() {
        for (what, told) in [
            (nothing(), "nothing to announce"),
            (nothing().with_value([1]), "endpoints only"),
            (nothing().with_endpoint(endpoint("[::1]:9")), "IPv4 only"),
            (nothing().with_endpoint(endpoint("peer.example:9")), "IPv4 only"),
            (nothing().with_port(9).with_endpoint(endpoint("203.0.113.9:9")), "not this machine's"),
            (nothing().with_port(9).with_endpoint(endpoint("[2001:db8::9]:9")), "not this machine's"),
            (nothing().with_endpoint(endpoint("127.0.0.1:9")), "beyond this machine"),
        ] {
            let error = Plan::new(&what, whose).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Refused);
            assert!(error.message.contains(told) && error.fix.is_some(), "{error:?}");
        }
    }

    #[test]
    fn what_is_left_out_beside_a_port_is_told() {
        let what = nothing()
            .with_endpoint(endpoint("10.0.0.1:9"))
            .with_endpoint(endpoint("[::1]:9"))
            .with_value([1]);
        let plan = Plan::new(&what, whose).unwrap();
        let receipt = plan.tell(Receipt::new(1, 1), Some(IpAddr::from([203, 0, 113, 7])));
        let notes = receipt.notes.join("\n");
        for told in ["others are told 203.0.113.7", "IPv4 only: [::1]:9", "endpoints only"] {
            assert!(notes.contains(told), "{notes}");
        }
    }
}
