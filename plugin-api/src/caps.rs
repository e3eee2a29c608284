use serde::{Deserialize, Serialize};

/// What a backend's medium can do and costs: what the host plans with, and what `bitboot backend info` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each printed in a column of its own")]
pub struct Caps {
    /// What the medium stores under a locator.
    pub stores: Stores,
    /// The largest value in bytes; 0 where the medium stores endpoints only.
    #[serde(default)]
    pub max_value: u32,
    /// The largest value in bytes of a register, where the medium has registers beside what it [stores](Caps::stores); see
    /// [`Write`](crate::Write).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<u32>,
    /// Seconds for which an announcement lives; 0 for ever.
    pub lifetime_s: u32,
    /// Each value comes with who wrote it, proven by the medium's own signature; see [`Authored`](crate::Authored).
    #[serde(default)]
    pub authored: bool,
    /// Writing costs money.
    #[serde(default)]
    pub paid: bool,
    /// Typical milliseconds of a lookup.
    pub lookup_ms: u32,
    /// Typical milliseconds of an announcement.
    pub announce_ms: u32,
    /// Carries IPv4 endpoints.
    pub ipv4: bool,
    /// Carries IPv6 endpoints.
    pub ipv6: bool,
    /// Carries endpoints with a DNS name.
    pub dns: bool,
    /// Publishes the sender's own address, whatever it is told; so only this machine can be announced.
    #[serde(default)]
    pub source_bound: bool,
    /// Spans the internet: private and loopback addresses that are found there are nobody's.
    #[serde(default)]
    pub wide: bool,
    /// Takes announcements back before they expire.
    #[serde(default)]
    pub withdraws: bool,
    /// Tells of new peers by itself, without being polled.
    #[serde(default)]
    pub watches: bool,
    /// What it needs: `files`, `udp`, `tcp`, `key`, `rpc`.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Who learns what when it is used, in one sentence.
    #[serde(default)]
    pub reveals: String,
}

/// What a medium stores under one locator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Stores {
    /// Endpoints of many announcers.
    Endpoints,
    /// Endpoints and values of many announcers.
    Values,
    /// One value; a later write replaces it.
    Register,
    /// One value, replaced only by a writer that has read it (compare and swap).
    CasRegister,
    /// Values in order, none ever replaced.
    Log,
    /// Endpoints found by walking a directory, whatever the locator.
    Directory,
    /// Something that this version of the contract does not know.
    #[serde(other)]
    Other,
}

impl Caps {
    /// Capabilities of a free medium that carries every kind of endpoint for `lifetime_s` seconds.
    #[must_use]
    pub fn new(stores: Stores, lifetime_s: u32) -> Self {
        Self {
            stores,
            max_value: 0,
            register: None,
            lifetime_s,
            authored: false,
            paid: false,
            lookup_ms: 1000,
            announce_ms: 1000,
            ipv4: true,
            ipv6: true,
            dns: true,
            source_bound: false,
            wide: false,
            withdraws: false,
            watches: false,
            needs: Vec::new(),
            reveals: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message;

    #[test]
    fn a_value_of_a_newer_contract_is_read_as_other() {
        #[derive(Serialize)]
        struct Newer {
            stores: &'static str,
        }
        #[derive(Deserialize)]
        struct Older {
            stores: Stores,
        }
        let body = message::encode(&Newer { stores: "hologram" });
        assert_eq!(message::decode::<Older>(&body).unwrap().stores, Stores::Other);
    }
}
