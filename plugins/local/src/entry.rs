use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitboot_plugin_api::{Announcement, Endpoint, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// One announcement, as it lies in its file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) endpoints: Vec<Endpoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Vec<u8>>,
    /// What tells its writer from others, where the host says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    writer: Vec<u8>,
    /// Seconds since 1970 at which it is void.
    expires: u64,
}

impl Entry {
    /// The largest value in bytes: 16 KiB.
    pub(crate) const MAX_VALUE: u32 = 16 << 10;
    /// The largest file that is read: a value as JSON numbers, and a hundred endpoints.
    pub(crate) const MAX_FILE: u64 = 128 << 10;

    pub(crate) fn new(what: &Announcement) -> Result<Self> {
        if what.value.as_ref().is_some_and(|value| value.len() > Self::MAX_VALUE as usize) {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("a value of more than {} bytes is not kept here", Self::MAX_VALUE),
            ));
        }
        // Who can find it is on this machine, so a port alone is one of the loopback address.
        let here = what.port.and_then(|port| Endpoint::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
        let endpoints = here.into_iter().chain(what.endpoints.iter().cloned()).collect::<Vec<_>>();
        if endpoints.is_empty() && what.value.is_none() && what.writer.is_empty() {
            return Err(Error::new(
                ErrorKind::Refused,
                "there is nothing to announce: no port, no endpoint, no value",
            ));
        }
        let (value, writer) = (what.value.clone(), what.writer.clone());
        Ok(Self { endpoints, value, writer, expires: now() + u64::from(what.ttl_s) })
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let bytes = serde_json::to_vec(self)?;
        if bytes.len() as u64 > Self::MAX_FILE {
            return Err(Error::new(ErrorKind::Refused, "these are more endpoints than are kept of one peer"));
        }
        Ok(bytes)
    }

    /// An entry of a file's bytes, if they are one.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.expires <= now()
    }

    pub(crate) fn expires_in_s(&self) -> u32 {
        u32::try_from(self.expires.saturating_sub(now())).unwrap_or(u32::MAX)
    }

    /// The same for the same peer, so that announcing again renews: 16 hexadecimal digits.
    pub(crate) fn file_name(&self) -> String {
        if !self.writer.is_empty() {
            return format!("{:016x}.json", fnv1a(self.writer.iter().copied()));
        }
        let mut name = String::new();
        for endpoint in &self.endpoints {
            let _ = write!(name, "{endpoint},");
        }
        // Without an endpoint the value itself is what tells two announcers apart.
        let value = self.value.as_deref().filter(|_| self.endpoints.is_empty());
        format!("{:016x}.json", fnv1a(name.bytes().chain(value.unwrap_or_default().iter().copied())))
    }
}

/// FNV-1a, 64 bits: no protection against wilful collisions, which the user could only have with themselves.
fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
