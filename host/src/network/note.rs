//! The note, the compact profile of a record: for media on which a signature has no room, and which prove by themselves who wrote what. See
//! `README.md` in this folder for the bytes.

use std::net::IpAddr;
use std::time::Duration;

use aes_siv::KeyInit;
use aes_siv::siv::Aes256Siv;
use bitboot_plugin_api::{Author, Endpoint, Locator};

use super::record::{Claim, Record, Standing};
use super::wire::Reader;

/// What an author says in a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) author: Author,
    /// Seconds since 1970 by the writer's clock; of two notes of one author the later one holds.
    pub(crate) time: u32,
    pub(crate) lifetime: Duration,
    /// `None` takes back what was said before.
    pub(crate) endpoint: Option<Endpoint>,
}

/// The keys of AES-256-SIV (RFC 5297): 64 bytes.
pub(super) type Key = [u8; 64];

const SIV: usize = 16;
const TICK: u64 = 30;
const NONE: u8 = 0;
const IPV4: u8 = 1;
const IPV6: u8 = 2;

impl Note {
    /// With an IPv6 address; one with an IPv4 address, or none, has 12 less.
    pub(crate) const MAX: usize = SIV + 5 + 16 + 2;
    const MIN: usize = SIV + 5 + 4 + 2;

    /// The note of a claim's first IP address; `None` where it has none.
    pub(crate) fn of_claim(claim: &Claim, author: Author, since_1970: Duration) -> Option<Self> {
        let endpoint = claim.endpoints.iter().find(|endpoint| endpoint.ip().is_some()).cloned();
        (claim.withdrawn || endpoint.is_some()).then_some(())?;
        let lifetime = of_power(power_of(claim.lifetime));
        let time = u32::try_from(since_1970.as_secs()).ok()?;
        Some(Self { author, time, lifetime, endpoint: endpoint.filter(|_| !claim.withdrawn) })
    }

    /// Whether a medium that keeps values of so many bytes is told notes: no signed record has room there.
    pub(crate) fn is_for(room: u32) -> bool {
        (Self::MAX..Record::SMALLEST).contains(&(room as usize))
    }

    pub(super) fn seal(&self, key: &Key, at: &Locator) -> Vec<u8> {
        // A message of this size cannot fail.
        Aes256Siv::new(key.into()).encrypt(headers(at, &self.author), &self.said()).unwrap_or_default()
    }

    pub(super) fn open(key: &Key, at: &Locator, author: &Author, bytes: &[u8]) -> Option<Self> {
        matches!(bytes.len(), Self::MIN | Self::MAX).then_some(())?;
        let said = Aes256Siv::new(key.into()).decrypt(headers(at, author), bytes).ok()?;
        Self::read(&said, author.clone())
    }

    fn said(&self) -> Vec<u8> {
        let (kind, address) = match self.endpoint.as_ref().and_then(Endpoint::ip) {
            None => (NONE, vec![0; 4]),
            Some(IpAddr::V4(ip)) => (IPV4, ip.octets().to_vec()),
            Some(IpAddr::V6(ip)) => (IPV6, ip.octets().to_vec()),
        };
        let port = self.endpoint.as_ref().map_or(0, Endpoint::port);
        let mut said = vec![kind << 6 | power_of(self.lifetime)];
        said.extend_from_slice(&self.time.to_be_bytes());
        said.extend_from_slice(&address);
        said.extend_from_slice(&port.to_be_bytes());
        said
    }

    fn read(said: &[u8], author: Author) -> Option<Self> {
        let mut reader = Reader::new(said);
        let head = reader.u8()?;
        let time = reader.u32()?;
        let ip: Option<IpAddr> = match head >> 6 {
            NONE => reader.array::<4>().map(|_| None)?,
            IPV4 => Some(reader.array::<4>()?.into()),
            IPV6 => Some(reader.array::<16>()?.into()),
            _ => return None,
        };
        let port = reader.u16()?;
        reader.is_empty().then_some(())?;
        let endpoint = match ip {
            None => None,
            Some(ip) => Some(Endpoint::new(ip, port)?),
        };
        Some(Self { author, time, lifetime: of_power(head & 0x1f), endpoint })
    }

    /// When it ends, as time since 1970.
    pub(crate) fn expires(&self) -> Duration {
        Duration::from_secs(self.time.into()) + self.lifetime
    }

    pub(crate) fn standing(&self, since_1970: Duration) -> Standing {
        Standing::of(self.time, self.expires(), self.endpoint.is_none(), since_1970)
    }

    /// Whether this one holds against another of the same author: as with records.
    pub(crate) fn holds_against(&self, other: &Self) -> bool {
        let rank = |note: &Self| (note.time, note.endpoint.is_none(), note.said());
        rank(self) > rank(other)
    }
}

fn headers<'a>(at: &'a Locator, author: &'a Author) -> [&'a [u8]; 3] {
    [b"bitboot/1 note", at.as_bytes(), author.as_bytes()]
}

/// Lifetimes in five bits: 1 and 1.5 minutes, times a power of two; the least that is enough.
fn power_of(lifetime: Duration) -> u8 {
    (0..31).find(|power| of_power(*power) >= lifetime).unwrap_or(31)
}

fn of_power(power: u8) -> Duration {
    Duration::from_secs((TICK * (2 + u64::from(power & 1))) << (power >> 1))
}
