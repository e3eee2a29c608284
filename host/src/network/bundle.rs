//! The bundle: several records, sealed for one place and padded. See `README.md` in this folder for the bytes.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::merge::Newest;
use super::record::Record;
use super::wire::Reader;

/// The longest bundle that is read, in bytes.
pub(crate) const MAX_BUNDLE: usize = 16 << 10;
const NONCE: usize = 24;
const TAG: usize = 16;
/// Padding hides how many records there are, and how long.
const BLOCK: usize = 64;

/// Why bytes are no bundle of this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BundleError {
    /// Too long or too short.
    Size,
    /// Sealed with another key, for another place, or changed.
    Sealed,
    /// Sealed by a member, but its inside cannot be read.
    Malformed,
}

/// Whether a record alone fits into a bundle of `room` bytes.
pub(super) fn fits(record: &Record, room: usize) -> bool {
    NONCE + TAG + 2 + record.as_bytes().len() <= room.min(MAX_BUNDLE)
}

/// Seals the records that fit into `room` bytes, in the order given; also how many fitted. Nothing where not even an empty bundle fits.
pub(super) fn seal<'a>(
    key: &[u8; 32],
    place: &[u8],
    nonce: [u8; NONCE],
    records: impl Iterator<Item = &'a Record>,
    room: usize,
) -> (Vec<u8>, usize) {
    let Some(room) = room.min(MAX_BUNDLE).checked_sub(NONCE + TAG) else { return (Vec::new(), 0) };
    let mut plain = Vec::new();
    let mut count = 0;
    for record in records {
        let bytes = record.as_bytes();
        if plain.len() + 2 + bytes.len() > room {
            break;
        }
        plain.extend_from_slice(&u16::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
        plain.extend_from_slice(bytes);
        count += 1;
    }
    // The last block ends with the room, which hides as much.
    plain.resize(plain.len().next_multiple_of(BLOCK).max(BLOCK).min(room), 0);
    let cipher = XChaCha20Poly1305::new(key.into());
    let payload = Payload { msg: &plain, aad: &associated(place) };
    // Only a message of 256 GiB could fail.
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload).unwrap_or_default();
    ([&nonce[..], &sealed].concat(), count)
}

/// Opens a bundle: its records that verify, and how many did not.
pub(super) fn open(
    key: &[u8; 32],
    place: &[u8],
    binding: &[u8; 32],
    bytes: &[u8],
) -> Result<(Newest, usize), BundleError> {
    if bytes.len() > MAX_BUNDLE {
        return Err(BundleError::Size);
    }
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or(BundleError::Size)?;
    let cipher = XChaCha20Poly1305::new(key.into());
    let payload = Payload { msg: sealed, aad: &associated(place) };
    let plain = cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| BundleError::Sealed)?;
    inside(&plain, binding)
}

/// What a bundle contains.
pub(super) fn inside(plain: &[u8], binding: &[u8; 32]) -> Result<(Newest, usize), BundleError> {
    let mut reader = Reader::new(plain);
    let (mut records, mut bad) = (Newest::default(), 0);
    // Two zero bytes are padding: no record is empty.
    while let Some(length) = reader.u16().filter(|length| *length > 0) {
        let record = reader.take(length.into()).ok_or(BundleError::Malformed)?;
        match Record::verify(record, binding) {
            Ok(record) => drop(records.add(record)),
            Err(_) => bad += 1,
        }
    }
    Ok((records, bad))
}

fn associated(place: &[u8]) -> Vec<u8> {
    [b"bitboot/1 bundle", place].concat()
}
