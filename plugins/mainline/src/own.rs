use std::net::{IpAddr, UdpSocket};

use crate::config::MainlineConfig;

/// What an IP address is to this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// This machine's own.
    Ours,
    /// This machine's own for itself only, while the DHT spans others.
    OursAlone,
    /// Somebody else's, or nobody's.
    Others,
}

/// Judges by the configuration and by what the system lets a socket be bound to; asks nobody.
pub(crate) fn whose(ip: IpAddr, config: &MainlineConfig) -> Whose {
    let told = config.bind.iter().chain(config.public_address.iter()).any(|own| own == ip);
    if told {
        return Whose::Ours;
    }
    if ip.is_loopback() && !config.is_loopback_only() {
        return Whose::OursAlone;
    }
    // Sockets can be bound to these as well, which makes them nobody's address.
    let of_no_machine = ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::from([255; 4]);
    if !of_no_machine && UdpSocket::bind((ip, 0)).is_ok() { Whose::Ours } else { Whose::Others }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_ours_when_the_system_or_the_user_says_so() {
        let lab = json!({ "bootstrap": ["127.0.0.1:1"], "public_address": "203.0.113.7" });
        let public = json!({ "bootstrap": ["dht.example:1"] });
        for (config, ip, expected) in [
            (&lab, "127.0.0.1", Whose::Ours),
            (&lab, "203.0.113.7", Whose::Ours),
            (&lab, "203.0.113.8", Whose::Others),
            (&lab, "0.0.0.0", Whose::Others),
            (&lab, "224.0.0.1", Whose::Others),
            (&lab, "255.255.255.255", Whose::Others),
            (&lab, "2001:db8::7", Whose::Others),
            (&public, "127.0.0.1", Whose::OursAlone),
            (&public, "203.0.113.7", Whose::Others),
        ] {
            let config = serde_json::from_value(config.clone()).unwrap();
            assert_eq!(whose(ip.parse().unwrap(), &config), expected, "{ip}");
        }
    }
}
