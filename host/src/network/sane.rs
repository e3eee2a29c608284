use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bitboot_plugin_api::Endpoint;

/// Whether an endpoint can be that of a peer. `wide` says that the medium spans the internet: private and loopback addresses there are
/// mistakes, or attempts to make others connect inside their own networks.
pub(crate) fn is_sane(endpoint: &Endpoint, wide: bool) -> bool {
    match endpoint.ip() {
        None => !wide || is_public_name(&endpoint.to_string()),
        Some(IpAddr::V4(ip)) => is_sane_v4(ip, wide),
        Some(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => is_sane_v4(ip, wide),
            None => is_sane_v6(ip, wide),
        },
    }
}

fn is_sane_v4(ip: Ipv4Addr, wide: bool) -> bool {
    let [a, b, c, _] = ip.octets();
    // 0.0.0.0/8 "this network"; 240.0.0.0/4 reserved, with the broadcast address (RFC 6890).
    let nobody = a == 0 || ip.is_multicast() || a >= 240;
    // 100.64.0.0/10 is shared by the customers of a provider (RFC 6598); 198.18.0.0/15 is for benchmarks (RFC 2544);
    // 192.0.0.0/24 is for protocols (RFC 6890).
    let inside = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || (a, b, c) == (192, 0, 0)
        || (a == 100 && b & 0xc0 == 64)
        || (a == 198 && b & 0xfe == 18);
    !(nobody || (wide && inside))
}

fn is_sane_v6(ip: Ipv6Addr, wide: bool) -> bool {
    let [first, second, third, ..] = ip.segments();
    let nobody = ip.is_unspecified() || ip.is_multicast();
    // The internet is 2000::/3 (RFC 4291, section 2.4), but for documentation: 2001:db8::/32 (RFC 3849), 3fff::/20 (RFC 9637).
    let outside = first & 0xe000 == 0x2000
        && !(first == 0x2001 && second == 0xdb8)
        && !(first == 0x3fff && second & 0xf000 == 0);
    // 2002::/16 leads to the IPv4 address that it contains (RFC 3056).
    let leads =
        first != 0x2002 || is_sane_v4(Ipv4Addr::from(u32::from(second) << 16 | u32::from(third)), wide);
    !nobody && leads && (outside || !wide)
}

/// Names that mean something on one machine or one link only: RFC 6761, 6762, 8375. No top-level domain begins with a digit (RFC 3696,
/// section 2), but `0x7f.1` is 127.0.0.1 to many a resolver.
fn is_public_name(endpoint: &str) -> bool {
    let name = endpoint.rsplit_once(':').map_or(endpoint, |(name, _)| name);
    let last = name.rsplit('.').next().unwrap_or(name);
    let inside = ["localhost", "local", "invalid", "test", "internal"].contains(&last)
        || name == "home.arpa"
        || name.ends_with(".home.arpa");
    name.contains('.') && !inside && last.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sane(text: &str, wide: bool) -> bool {
        is_sane(&text.parse().unwrap(), wide)
    }

    #[test]
    fn nobody_lives_there() {
        for text in [
            "0.0.0.0:1",
            "0.1.2.3:1",
            "224.0.0.1:1",
            "255.255.255.255:1",
            "[::]:1",
            "[ff02::1]:1",
            "[::ffff:224.0.0.1]:1",
        ] {
            assert!(!sane(text, false), "{text}");
        }
    }

    #[test]
    fn what_is_inside_does_not_come_from_afar() {
        for text in [
            "127.0.0.1:1",
            "10.0.0.1:1",
            "192.168.1.1:1",
            "172.16.0.1:1",
            "169.254.1.1:1",
            "100.64.0.1:1",
            "198.18.0.1:1",
            "[::1]:1",
            "[fe80::1]:1",
            "[fc00::1]:1",
            "[::ffff:10.0.0.1]:1",
            "[2002:a00:1::1]:1",
            "[64:ff9b::a00:1]:1",
            "[::7f00:1]:1",
            "[2001:db8::1]:1",
            "[3fff::1]:1",
            "192.0.0.8:1",
            "0x7f.0x1:1",
            "router.home.arpa:1",
            "localhost:1",
            "printer.local:1",
            "nas:1",
            "203.0.113.7:1",
        ] {
            assert!(sane(text, false) && !sane(text, true), "{text}");
        }
        for text in
            ["8.8.8.8:1", "100.128.0.1:1", "[2606:4700::1]:1", "[2002:808:808::1]:1", "peer.example.org:1"]
        {
            assert!(sane(text, true), "{text}");
        }
    }
}
