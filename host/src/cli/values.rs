//! Words become values here, once.

use std::time::Duration;

use bitboot_plugin_api::Endpoint;

use crate::network::Network;

/// `30s`, `10m`, `2h`, `1d`; more than nothing and at most a year.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text)
        .map_err(|_| "a duration is a number with a unit: 500ms, 30s, 10m, 2h".to_owned())?;
    if span.is_zero() || span > Duration::from_secs(366 * 86_400) {
        return Err("a duration is more than nothing and at most a year".into());
    }
    Ok(span)
}

/// A duration, or none where a variable is empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience(pub(super) Option<Duration>);

pub(super) fn patience(text: &str) -> Result<Patience, String> {
    if text.is_empty() { Ok(Patience(None)) } else { duration(text).map(|span| Patience(Some(span))) }
}

/// A lifetime: at least a second.
pub(super) fn lifetime(text: &str) -> Result<Duration, String> {
    duration(text)
        .and_then(|span| if span.as_secs() == 0 { Err("a lifetime is at least 1s".into()) } else { Ok(span) })
}

/// A network's name, 40 hexadecimal digits, or a magnet link.
pub(super) fn network(text: &str) -> Result<Network, String> {
    if Network::is_invite(text) {
        // Never repeated: it is a secret.
        return Err("this is an invite: hand it to `bitboot network add`, then use the network's name".into());
    }
    text.parse().map_err(|error: crate::Error| match error.fix {
        Some(fix) => format!("{}: {fix}", error.what),
        None => error.what,
    })
}

/// An endpoint at which somebody can be reached.
pub(super) fn endpoint(text: &str) -> Result<Endpoint, String> {
    let endpoint: Endpoint = text.parse().map_err(|error| {
        format!("{error}; the form is 203.0.113.7:4001, [2001:db8::7]:4001 or peer.example:4001")
    })?;
    match endpoint.ip() {
        Some(ip) if ip.is_unspecified() => {
            Err("nobody can connect to the unspecified address; for a port of this machine use --port N"
                .into())
        }
        Some(ip) if ip.is_multicast() => Err("a multicast address is no peer".into()),
        _ => Ok(endpoint),
    }
}

/// The backends that were named; an empty `BITBOOT_VIA` names none.
pub(super) fn backends(named: &[String]) -> Vec<String> {
    named.iter().filter(|name| !name.is_empty()).cloned().collect()
}

/// At least one.
pub(super) fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&count| count > 0).ok_or_else(|| "it takes a whole number above 0".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused_with_a_reason() {
        assert!(duration("0s").is_err() && duration("10").is_err() && duration("500y").is_err());
        assert_eq!(duration("90m").unwrap(), Duration::from_secs(5400));
        assert!(lifetime("10ms").is_err());
        assert!(endpoint("0.0.0.0:80").unwrap_err().contains("--port"));
        assert!(endpoint("[::]:80").is_err() && endpoint("224.0.0.1:80").is_err());
        assert!(endpoint("127.0.0.1:70000").is_err() && endpoint("127.0.0.1:0").is_err());
        assert!(network("").unwrap_err().contains("empty"));
    }
}
