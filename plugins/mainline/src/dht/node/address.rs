use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Whether something may be sent to an address on a DHT that spans the internet, or not.
///
/// Port 0, multicast and unspecified addresses are nobody's anywhere. On the internet, private, loopback, link-local, shared (RFC 6598),
/// documentation and reserved ones are nobody's either: whoever tells of them would have us knock at our own network's doors.
pub(super) fn is_usable(at: SocketAddr, wide: bool) -> bool {
    if at.port() == 0 {
        return false;
    }
    match at.ip() {
        IpAddr::V4(ip) => {
            let nobody = ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast();
            !(nobody || wide && is_inside(ip))
        }
        IpAddr::V6(ip) => {
            let nobody = ip.is_unspecified() || ip.is_multicast() || ip.to_ipv4_mapped().is_some();
            !nobody && (!wide || is_global(ip))
        }
    }
}

/// What counts as one owner: an IPv4 /24, an IPv6 /48.
pub(super) fn subnet(ip: IpAddr) -> u64 {
    match ip {
        IpAddr::V4(ip) => u64::from(u32::from(ip) >> 8),
        IpAddr::V6(ip) => u64::try_from(u128::from(ip) >> 80).unwrap_or(u64::MAX) | 1 << 63,
    }
}

fn is_inside(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || a == 0
        || a >= 240
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 198 && (b & 0xfe == 18 || (b == 51 && c == 100)))
        || (a == 203 && b == 0 && c == 113)
}

/// Global unicast is `2000::/3`, less what documents and tunnels have.
fn is_global(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    first & 0xe000 == 0x2000 && !(first == 0x2001 && (second == 0x0db8 || second == 0)) && first != 0x2002
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_the_internet_only_the_internet_is_sent_to() {
        for (at, lab, wide) in [
            ("8.8.8.8:6881", true, true),
            ("[2a00:1450::1]:6881", true, true),
            ("127.0.0.1:1", true, false),
            ("10.1.2.3:1", true, false),
            ("100.64.0.1:1", true, false),
            ("100.128.0.1:1", true, true),
            ("169.254.1.1:1", true, false),
            ("192.168.1.1:1", true, false),
            ("198.18.0.1:1", true, false),
            ("203.0.113.7:1", true, false),
            ("240.0.0.1:1", true, false),
            ("[::1]:1", true, false),
            ("[fe80::1]:1", true, false),
            ("[fd00::1]:1", true, false),
            ("[2001:db8::1]:1", true, false),
            ("[::ffff:8.8.8.8]:1", false, false),
            ("224.0.0.1:1", false, false),
            ("255.255.255.255:1", false, false),
            ("0.0.0.0:1", false, false),
            ("[ff02::1]:1", false, false),
            ("8.8.8.8:0", false, false),
        ] {
            let at = at.parse().unwrap();
            assert_eq!((is_usable(at, false), is_usable(at, true)), (lab, wide), "{at}");
        }
    }
}
