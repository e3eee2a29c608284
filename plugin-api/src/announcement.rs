use serde::{Deserialize, Serialize};

use crate::{Endpoint, Error, ErrorKind, Locator, Result};

/// What a backend is asked to publish, or to take back.
///
/// At least one of `port`, `endpoints` and `value` is given. A backend publishes what its medium can carry and refuses, with
/// [`ErrorKind::Refused`](crate::ErrorKind::Refused), what it cannot carry truthfully: a BitTorrent DHT stores the sender's own
/// address (BEP 5), so another host's endpoint is refused there rather than published as this machine's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Announcement {
    /// Where to publish.
    pub locator: Locator,
    /// A port, 1 to 65535, of this machine; the medium or the backend knows under which address others reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Full endpoints, of this machine or of another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<Endpoint>,
    /// Sealed bytes for media that store bytes; at most [`Caps::max_value`](crate::Caps::max_value) of them.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "serde_bytes")]
    pub value: Option<Vec<u8>>,
    /// Who writes: at most 32 bytes that are the same each time that one peer announces itself under this locator. A medium that holds
    /// several values under a locator keeps one for each writer. Empty where nobody is to be told apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "serde_bytes")]
    pub writer: Vec<u8>,
    /// How long the announcement should live, in seconds. A medium with a lifetime of its own keeps to that.
    pub ttl_s: u32,
}

impl Announcement {
    /// An announcement that says nothing yet and lives for an hour.
    #[must_use]
    pub fn new(locator: Locator) -> Self {
        Self { locator, port: None, endpoints: Vec::new(), value: None, writer: Vec::new(), ttl_s: 3600 }
    }

    /// With a port of this machine; 0 says nothing.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.port = (port != 0).then_some(port);
        self
    }

    /// With one more endpoint.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// With sealed bytes.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<Vec<u8>>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// With what tells its writer from others; more than 32 bytes are cut.
    #[must_use]
    pub fn with_writer(mut self, writer: &[u8]) -> Self {
        self.writer = writer.iter().copied().take(32).collect();
        self
    }

    /// With a lifetime in seconds.
    #[must_use]
    pub fn with_ttl_s(mut self, ttl_s: u32) -> Self {
        self.ttl_s = ttl_s;
        self
    }

    /// The sealed bytes, for a medium that carries nothing else: 1 to `most` of them.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] where there are none, or more.
    pub fn sealed(&self, most: usize) -> Result<&[u8]> {
        let refused = |what: String| Error::new(ErrorKind::Refused, what);
        match self.value.as_deref() {
            None => Err(refused("this medium carries records only, and there is none".into())
                .because("no bare address or port can be announced here")
                .fix("name the address where others reach this peer: --peer IP:PORT")),
            Some(value) if (1..=most).contains(&value.len()) => Ok(value),
            Some(value) => Err(refused(format!("a record of {} bytes is not carried here", value.len()))
                .because(format!("this medium has room for 1 to {most}"))
                .fix("announce fewer addresses, and less with --meta")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bytes_that_have_room_are_taken_where_nothing_else_is_carried() {
        let bare = Announcement::new(Locator::new(&[7]).unwrap()).with_port(4001);
        let with = |bytes: usize| bare.clone().with_value(vec![7; bytes]);
        for (bytes, fits) in [(0, false), (1, true), (72, true), (73, false)] {
            assert_eq!(with(bytes).sealed(72).ok().map(<[u8]>::len), fits.then_some(bytes));
        }
        for (what, says) in [(bare.clone(), "there is none"), (with(73), "73 bytes"), (with(0), "0 bytes")] {
            let error = what.sealed(72).unwrap_err();
            assert!(error.kind == ErrorKind::Refused && error.message.contains(says), "{error}");
            assert!(error.why.is_some() && error.fix.is_some(), "{error}");
        }
    }
}
