//! The record: signed bytes that describe one peer. See `README.md` in this folder for the bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use bitboot_plugin_api::Endpoint;

use super::address;
use super::identity::{Identity, PublicKey};
use super::wire::{Reader, put_short};

/// What a peer says about itself besides its addresses: short texts by short names.
pub type Metadata = BTreeMap<String, String>;

/// What a node wants to say in a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Where it can be reached, best first.
    pub(crate) endpoints: Vec<Endpoint>,
    /// What else it says.
    pub(crate) metadata: Metadata,
    /// How long the record holds, in steps of 30 s, at most 22 days. That of a withdrawal reaches at least as far as the record that it takes back.
    pub(crate) lifetime: Duration,
    /// It takes back what it said before.
    pub(crate) withdrawn: bool,
}

/// A record whose signature has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) signer: PublicKey,
    /// Seconds since 1970 by the writer's clock; of two records of one signer the later one holds.
    pub(crate) time: u32,
    pub(crate) lifetime: Duration,
    pub(crate) withdrawn: bool,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) metadata: Metadata,
    /// As it was signed, with whatever a newer version put in it.
    bytes: Vec<u8>,
}

/// Why bytes are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordError {
    /// Too long, cut, or with something behind its end.
    Malformed,
    /// Of a version that is not known here.
    Unknown,
    /// Not signed by the key that it names, or not for this network.
    Forged,
}

/// How a record stands at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Live,
    Withdrawn,
    Expired,
    /// Dated further ahead than a clock may be.
    FromTheFuture,
}

impl Standing {
    /// What is dated further ahead than this is not believed.
    const AHEAD: u64 = 3600;

    /// How something of a time and with an end stands.
    pub(super) fn of(time: u32, expires: Duration, withdrawn: bool, since_1970: Duration) -> Self {
        if u64::from(time) > since_1970.as_secs().saturating_add(Self::AHEAD) {
            Self::FromTheFuture
        } else if expires <= since_1970 {
            Self::Expired
        } else if withdrawn {
            Self::Withdrawn
        } else {
            Self::Live
        }
    }
}

impl Record {
    /// The longest record, in bytes.
    pub(crate) const MAX: usize = 480;
    /// The shortest bundle of one record with an address, in bytes.
    pub(super) const SMALLEST: usize = 24 + 16 + 2 + 113;
    /// Lifetimes are counted in this.
    const TICK: u64 = 30;
    const VERSION: u8 = 1;
    const WITHDRAWN: u8 = 1;
    const DOMAIN: &'static [u8] = b"bitboot/1 record";

    /// Signs a claim for the network of a binding, at a time. `None` when it does not fit into [`Record::MAX`] bytes.
    pub(crate) fn sign(
        identity: &Identity,
        binding: &[u8; 32],
        claim: &Claim,
        since_1970: Duration,
    ) -> Option<Self> {
        let ticks = claim.lifetime.as_millis().div_ceil(u128::from(Self::TICK) * 1000);
        let ticks = u16::try_from(ticks).unwrap_or(u16::MAX);
        let mut bytes = vec![Self::VERSION << 4 | if claim.withdrawn { Self::WITHDRAWN } else { 0 }];
        bytes.extend_from_slice(&identity.public().0);
        bytes.extend_from_slice(&u32::try_from(since_1970.as_secs()).ok()?.to_be_bytes());
        bytes.extend_from_slice(&ticks.to_be_bytes());
        bytes.push(u8::try_from(claim.endpoints.len()).ok()?);
        for (kind, address) in claim.endpoints.iter().map(address::encode) {
            bytes.push(kind);
            put_short(&mut bytes, &address).then_some(())?;
        }
        bytes.push(u8::try_from(claim.metadata.len()).ok()?);
        for (name, value) in &claim.metadata {
            (put_short(&mut bytes, name.as_bytes()) && put_short(&mut bytes, value.as_bytes()))
                .then_some(())?;
        }
        let signature = identity.sign(&Self::signed(binding, &bytes));
        bytes.extend_from_slice(&signature);
        Self::parse(&bytes).ok()
    }

    /// Reads a record and verifies that it was signed for the network of a binding.
    pub(crate) fn verify(bytes: &[u8], binding: &[u8; 32]) -> Result<Self, RecordError> {
        let record = Self::parse(bytes)?;
        let (said, signature) = bytes.split_last_chunk::<64>().ok_or(RecordError::Malformed)?;
        if record.signer.verifies(&Self::signed(binding, said), signature) {
            Ok(record)
        } else {
            Err(RecordError::Forged)
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.len() > Self::MAX {
            return Err(RecordError::Malformed);
        }
        let (said, _) = bytes.split_last_chunk::<64>().ok_or(RecordError::Malformed)?;
        let head = *said.first().ok_or(RecordError::Malformed)?;
        if head >> 4 != Self::VERSION {
            return Err(RecordError::Unknown);
        }
        Self::fields(head, &said[1..])
            .map(|record| Self { bytes: bytes.to_vec(), ..record })
            .ok_or(RecordError::Malformed)
    }

    fn fields(head: u8, said: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(said);
        let signer = PublicKey(reader.array()?);
        let time = reader.u32()?;
        let lifetime = Duration::from_secs(u64::from(reader.u16()?) * Self::TICK);
        let mut endpoints = Vec::new();
        for _ in 0..reader.u8()? {
            let (kind, bytes) = (reader.u8()?, reader.short()?);
            endpoints.extend(address::decode(kind, bytes));
        }
        let mut metadata = Metadata::new();
        for _ in 0..reader.u8()? {
            let (name, value) = (reader.short()?, reader.short()?);
            // What is no text is a newer version's.
            if let (Ok(name), Ok(value)) = (std::str::from_utf8(name), std::str::from_utf8(value)) {
                metadata.insert(name.to_owned(), value.to_owned());
            }
        }
        let withdrawn = head & Self::WITHDRAWN != 0;
        reader.is_empty().then_some(Self {
            signer,
            time,
            lifetime,
            withdrawn,
            endpoints,
            metadata,
            bytes: Vec::new(),
        })
    }

    fn signed(binding: &[u8; 32], said: &[u8]) -> Vec<u8> {
        [Self::DOMAIN, binding, said].concat()
    }

    /// Whether it has room alone in a bundle of so many bytes.
    pub(crate) fn fits(&self, room: usize) -> bool {
        super::bundle::fits(self, room)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// When it ends, as time since 1970.
    pub(crate) fn expires(&self) -> Duration {
        Duration::from_secs(self.time.into()) + self.lifetime
    }

    pub(crate) fn standing(&self, since_1970: Duration) -> Standing {
        Standing::of(self.time, self.expires(), self.withdrawn, since_1970)
    }

    /// Whether this one holds against another of the same signer. Of the same second, the withdrawal holds, and then any fixed order will do.
    pub(super) fn holds_against(&self, other: &Self) -> bool {
        (self.time, self.withdrawn, &self.bytes) > (other.time, other.withdrawn, &other.bytes)
    }
}
