//! Where the records of a network lie on one medium in one epoch, and the keys to them.

use bitboot_plugin_api::{Author, Locator};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::bundle::{self, BundleError};
use super::epoch::Epoch;
use super::identity::PublicKey;
use super::merge::Newest;
use super::name::Network;
use super::note::{self, Note};
use super::record::Record;

/// A network on one medium in one epoch.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Place {
    #[zeroize(skip)]
    locator: Locator,
    /// From which the slots' locators are derived.
    pub(super) slots: [u8; 32],
    /// With which bundles are sealed.
    pub(super) seal: [u8; 32],
    /// With which notes are sealed.
    pub(super) note: note::Key,
    /// What records are signed for; the same on all media and in all epochs, and never sent.
    binding: [u8; 32],
}

/// One register of several, in a tree: level 0 has one, level 1 two, level 2 four ...
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot {
    pub(crate) level: u8,
    pub(crate) index: u16,
}

impl Slot {
    pub(crate) const ROOT: Self = Self { level: 0, index: 0 };
    /// The deepest level: 127 slots in all, room for about a thousand writers in 1000 bytes each.
    pub(crate) const DEEPEST: u8 = 6;

    /// The slot of a signer on a level: the first bits of its key.
    pub(crate) fn of(signer: &PublicKey, level: u8) -> Self {
        let level = level.min(Self::DEEPEST);
        Self { level, index: signer.bits().checked_shr(16 - u32::from(level)).unwrap_or(0) }
    }

    /// The two slots below; none below the deepest.
    pub(crate) fn children(self) -> impl Iterator<Item = Self> {
        let below = (self.level < Self::DEEPEST).then_some(self.level + 1);
        below.into_iter().flat_map(move |level| [0, 1].map(|bit| Self { level, index: self.index * 2 + bit }))
    }
}

impl Place {
    /// `medium` is what all peers of a medium call it, see `medium` in the registry.
    pub(crate) fn new(network: &Network, medium: &str, epoch: Epoch) -> Self {
        // The name of an open network is known, so there is nothing to hide by changing; and its peers meet whatever they call a medium.
        let (epoch, medium) = if network.secret().is_some() { (epoch.0, medium) } else { (0, "") };
        let root = root(network);
        let derive = |label: &str| -> [u8; 32] { expand(&root, &info(label, epoch, medium)) };
        let note = expand(&root, &info("note", epoch, medium));
        let locator = match network.secret() {
            None => network.locator().clone(),
            Some(_) => locator(&derive("locator")[..20]),
        };
        Self {
            locator,
            slots: derive("slots"),
            seal: derive("seal"),
            note,
            binding: expand(&root, b"bitboot/1 binding"),
        }
    }

    /// 20 bytes: where endpoints are announced, and values on media that hold many.
    pub(crate) fn locator(&self) -> &Locator {
        &self.locator
    }

    /// What records are signed for.
    pub(crate) fn binding(&self) -> &[u8; 32] {
        &self.binding
    }

    /// 32 bytes: where a register lies.
    pub(crate) fn slot(&self, slot: Slot) -> Locator {
        let hkdf = Hkdf::<Sha256>::from_prk(&self.slots);
        let mut bytes = [0; 32];
        let [high, low] = slot.index.to_be_bytes();
        // 32 bytes of key and of output are lengths that HKDF always takes.
        let _ = hkdf.map(|hkdf| hkdf.expand(&[slot.level, high, low], &mut bytes));
        locator(&bytes)
    }

    /// What tells a signer from others at this place, to somebody who does not know it: 16 bytes.
    pub(crate) fn pseudonym(&self, signer: &PublicKey) -> [u8; 16] {
        let mut bytes = [0; 16];
        // 32 bytes of key and 16 of output are lengths that HKDF always takes.
        let _ = Hkdf::<Sha256>::from_prk(&self.slots)
            .map(|hkdf| hkdf.expand(&[b"writer", &signer.0[..]].concat(), &mut bytes));
        bytes
    }

    /// Seals the records that fit into `room` bytes, in the order given, for a locator of this place; also how many fitted.
    pub(crate) fn seal<'a>(
        &self,
        at: &Locator,
        nonce: [u8; 24],
        records: impl Iterator<Item = &'a Record>,
        room: usize,
    ) -> (Vec<u8>, usize) {
        bundle::seal(&self.seal, at.as_bytes(), nonce, records, room)
    }

    /// Seals a note for this place's locator.
    pub(crate) fn seal_note(&self, note: &Note) -> Vec<u8> {
        note.seal(&self.note, &self.locator)
    }

    /// Opens what an author wrote at this place's locator; `None` where it is no note, or one of another place or author.
    pub(crate) fn open_note(&self, author: &Author, bytes: &[u8]) -> Option<Note> {
        Note::open(&self.note, &self.locator, author, bytes)
    }

    /// Opens a bundle that lay at a locator of this place: its records that verify, and how many did not.
    pub(crate) fn open(&self, at: &Locator, bytes: &[u8]) -> Result<(Newest, usize), BundleError> {
        bundle::open(&self.seal, at.as_bytes(), &self.binding, bytes)
    }
}

/// Never another one instead: that could be public.
fn locator(bytes: &[u8]) -> Locator {
    Locator::new(bytes).unwrap_or_else(|| unreachable!("20 and 32 bytes are a locator"))
}

/// HKDF-Extract (RFC 5869) over what makes the network.
fn root(network: &Network) -> Hkdf<Sha256> {
    match network.secret() {
        None => Hkdf::new(Some(b"bitboot/1 open"), network.name().as_bytes()),
        Some(secret) => {
            let mut material = [secret.expose(), network.name().as_bytes()].concat();
            let root = Hkdf::new(Some(b"bitboot/1 secret"), &material);
            material.zeroize();
            root
        }
    }
}

fn expand<const N: usize>(root: &Hkdf<Sha256>, info: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    // 32 and 64 bytes are lengths that HKDF always gives.
    let _ = root.expand(info, &mut bytes);
    bytes
}

/// `bitboot/1 LABEL`, the epoch as eight bytes, the medium's name behind a byte of its length.
fn info(label: &str, epoch: u64, medium: &str) -> Vec<u8> {
    let medium = medium.as_bytes();
    let length = u8::try_from(medium.len()).unwrap_or(u8::MAX);
    [b"bitboot/1 ", label.as_bytes(), &epoch.to_be_bytes(), &[length], &medium[..length.into()]].concat()
}
