use std::collections::BTreeSet;
use std::net::IpAddr;

use bitboot_plugin_api::{Announcement, Endpoint, Error, ErrorKind, Receipt, Result};

use crate::families::NAMES;
use crate::own::Whose;

/// What of an announcement the DHT can carry: ports of this machine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// IPv4's and IPv6's; at least one in all.
    pub(crate) ports: [Vec<u16>; 2],
    /// This machine's addresses that came with the ports.
    named: BTreeSet<IpAddr>,
    /// What is left out, for the user.
    notes: Vec<String>,
}

impl Plan {
    /// Sorts what can be carried in these families from what cannot; refuses what would be published as something else than it says.
    ///
    /// A port alone is announced in each family, an endpoint in its own.
    pub(crate) fn new(
        what: &Announcement,
        families: [bool; 2],
        whose: impl Fn(IpAddr) -> Whose,
    ) -> Result<Self> {
        let everywhere = what.port.into_iter().collect::<BTreeSet<_>>();
        let mut ports = families.map(|used| if used { everywhere.clone() } else { BTreeSet::new() });
        let (mut named, mut not_carried) = (BTreeSet::new(), Vec::new());
        for endpoint in &what.endpoints {
            match endpoint.ip().map(|ip| (ip, usize::from(ip.is_ipv6()), whose(ip))) {
                Some((_, _, Whose::Others)) => return Err(foreign(endpoint)),
                Some((_, _, Whose::OursAlone)) => return Err(loopback(endpoint)),
                Some((ip, side, Whose::Ours)) if families[side] => {
                    ports[side].insert(endpoint.port());
                    named.insert(ip);
                }
                Some((_, _, Whose::Ours)) | None => not_carried.push(endpoint.to_string()),
            }
        }
        let carried = carried(families);
        if ports.iter().all(BTreeSet::is_empty) {
            return Err(nothing_carried(what, &carried, &not_carried));
        }
        let mut notes = Vec::new();
        if !not_carried.is_empty() {
            notes.push(format!(
                "not announced here, as this medium is {carried} only: {}",
                not_carried.join(", ")
            ));
        }
        if what.value.is_some() {
            notes.push("the record was not published here: this medium carries endpoints only".into());
        }
        Ok(Self { ports: ports.map(|ports| ports.into_iter().collect()), named, notes })
    }

    /// Completes a receipt with what the user should know of how the announcement looks to others.
    pub(crate) fn tell(self, mut receipt: Receipt, seen_at: [Option<IpAddr>; 2]) -> Receipt {
        for seen in seen_at.into_iter().flatten() {
            let other = |named: &&IpAddr| named.is_ipv6() == seen.is_ipv6() && **named != seen;
            if let Some(named) = self.named.iter().find(other) {
                receipt = receipt.with_note(format!(
                    "others are told {seen}, where this machine's messages come from, not {named}"
                ));
            }
        }
        self.notes.into_iter().fold(receipt, Receipt::with_note)
    }
}

/// The families by name.
fn carried(families: [bool; 2]) -> String {
    let used = NAMES.iter().zip(families).filter(|(_, used)| *used).map(|(name, _)| *name);
    used.collect::<Vec<_>>().join(" and ")
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

fn nothing_carried(what: &Announcement, carried: &str, not_carried: &[String]) -> Error {
    let refused = |message: String| Error::new(ErrorKind::Refused, message);
    if !not_carried.is_empty() {
        return refused(format!(
            "{} cannot be announced here: this medium is {carried} only",
            not_carried.join(", ")
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

    const V4: [bool; 2] = [true, false];
    const BOTH: [bool; 2] = [true, true];

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
        assert_eq!(Plan::new(&what, V4, whose).unwrap().ports, [vec![8, 9], vec![]]);
    }

    #[test]
    fn a_port_is_announced_in_each_family_and_an_endpoint_in_its_own() {
        let what = nothing().with_port(7);
        assert_eq!(Plan::new(&what, BOTH, whose).unwrap().ports, [vec![7], vec![7]]);
        let what = what.with_endpoint(endpoint("10.0.0.1:8")).with_endpoint(endpoint("[::1]:9"));
        assert_eq!(Plan::new(&what, BOTH, whose).unwrap().ports, [vec![7, 8], vec![7, 9]]);
        let what = nothing().with_endpoint(endpoint("[::1]:9"));
        let plan = Plan::new(&what, BOTH, whose).unwrap();
        assert_eq!((&plan.ports, plan.notes.len()), (&[vec![], vec![9]], 0));
        let v4 = Some(IpAddr::from([203, 0, 113, 7]));
        assert!(plan.tell(Receipt::new(1, 1), [v4, "::1".parse().ok()]).notes.is_empty());
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
            (nothing(), "nothing to announce"),
        ] {
            let error = Plan::new(&what, V4, whose).unwrap_err();
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
        let plan = Plan::new(&what, V4, whose).unwrap();
        let receipt = plan.tell(Receipt::new(1, 1), [Some(IpAddr::from([203, 0, 113, 7])), None]);
        let notes = receipt.notes.join("\n");
        for told in ["others are told 203.0.113.7", "IPv4 only: [::1]:9", "endpoints only"] {
            assert!(notes.contains(told), "{notes}");
        }
    }
}
