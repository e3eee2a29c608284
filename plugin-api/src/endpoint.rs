use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a peer can be reached: an address and a port.
///
/// Its text form, which is also its form in messages, is `203.0.113.7:4001`, `[2001:db8::7]:4001` or `peer.example:4001`.
/// The port is never 0 and the text is never longer than [`Endpoint::MAX_TEXT`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Endpoint {
    address: Address,
    port: u16,
}

/// The address part of an [`Endpoint`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
    /// A DNS name in lower case, letters, digits, `-`, `_` and `.` only, no label with a `-` at an end (RFC 1123 section 2.1 with
    /// the underscore).
    Dns(String),
}

/// Why a text is no [`Endpoint`], in one sentence without the text itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointError(&'static str);

impl Endpoint {
    /// The longest text form: a DNS name of 253 bytes, a colon and five digits.
    pub const MAX_TEXT: usize = 259;

    /// An endpoint at an IP address; `None` when the port is 0.
    #[must_use]
    pub fn new(ip: IpAddr, port: u16) -> Option<Self> {
        (port != 0).then_some(Self { address: Address::Ip(ip), port })
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The IP address, unless the address is a DNS name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self.address {
            Address::Ip(ip) => Some(ip),
            Address::Dns(_) => None,
        }
    }

    /// The port, 1 to 65535.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Ip(ip) => SocketAddr::new(*ip, self.port).fmt(f),
            Address::Dns(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if text.len() > Self::MAX_TEXT {
            return Err(EndpointError("it is longer than 259 bytes"));
        }
        if let Ok(at) = text.parse::<SocketAddr>() {
            return Self::new(at.ip(), at.port()).ok_or(EndpointError("the port is 0"));
        }
        let (host, port) = text.rsplit_once(':').ok_or(EndpointError("it has no `:PORT`"))?;
        if host.contains(':') {
            return Err(EndpointError("an IPv6 address wants brackets, as in [::1]:4001"));
        }
        let port = match port.parse::<u16>() {
            Ok(0) => return Err(EndpointError("the port is 0")),
            Ok(port) if port_is_plain(text) => port,
            _ => return Err(EndpointError("the port is no number from 1 to 65535")),
        };
        Ok(Self { address: Address::Dns(dns_name(host)?), port })
    }
}

/// `u16::from_str` takes a leading `+`, which no other program would.
fn port_is_plain(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn dns_name(host: &str) -> Result<String, EndpointError> {
    if host.is_empty() || host.len() > 253 {
        return Err(EndpointError("the host is empty or longer than 253 bytes"));
    }
    // No label has a hyphen at an end: as the name of a program's option it would be one (RFC 952, RFC 1123 section 2.1).
    let letters = |label: &str| {
        !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if !host.split('.').all(|label| !label.is_empty() && label.len() <= 63 && letters(label)) {
        return Err(EndpointError("the host is neither an IP address nor a DNS name"));
    }
    // A name whose last label is a number is an IPv4 address gone wrong (WHATWG URL, "ends in a number").
    if host.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(EndpointError("the host is no valid IPv4 address"));
    }
    Ok(host.to_ascii_lowercase())
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for EndpointError {}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: String) -> Result<Self, EndpointError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_family_is_read_and_printed_alike() {
        for text in ["203.0.113.7:4001", "[2001:db8::7]:1", "[::1]:65535", "peer.example:80", "a_b-c:9"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        assert_eq!("Peer.EXAMPLE:80".parse::<Endpoint>().unwrap().to_string(), "peer.example:80");
    }

    #[test]
    fn what_is_no_endpoint_says_why() {
        for (text, why) in [
            ("", "no `:PORT`"),
            ("203.0.113.7", "no `:PORT`"),
            ("203.0.113.7:0", "port is 0"),
            ("peer.example:0", "port is 0"),
            ("peer.example:70000", "no number"),
            ("peer.example:+80", "no number"),
            ("2001:db8::7:4001", "brackets"),
            (":4001", "empty"),
            ("300.1.1.1:80", "IPv4"),
            ("peer..example:80", "neither"),
            ("pe er:80", "neither"),
            ("--help.example.com:80", "neither"),
            ("peer.-x:80", "neither"),
            ("peer-.example:80", "neither"),
            ("pe\u{1b}[31mer:80", "neither"),
        ] {
            let told = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(told.contains(why), "{text:?}: {told}");
        }
        assert!(format!("{}:80", "a".repeat(10_000)).parse::<Endpoint>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_read_prints_to_what_reads_the_same(text in ".{0,300}") {
            if let Ok(endpoint) = text.parse::<Endpoint>() {
                prop_assert_eq!(endpoint.to_string().parse::<Endpoint>().unwrap(), endpoint);
            }
        }

        #[test]
        fn every_ip_endpoint_survives_its_text(ip: IpAddr, port in 1u16..) {
            let endpoint = Endpoint::new(ip, port).unwrap();
            prop_assert_eq!(endpoint.to_string().parse::<Endpoint>().unwrap(), endpoint);
        }
    }
}
