//! What must not verify, bit by bit.

use super::*;

/// The order of ed25519's base point, least byte first (RFC 8032, section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn flipped(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    })
}

/// Everything that is not the whole.
fn cut_or_longer(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).map(|length| bytes[..length].to_vec()).chain([[bytes, &[0]].concat()])
}

fn rich_record(binding: &[u8; 32]) -> Record {
    let mut claim = claim(&["203.0.113.7:4001", "[2001:db8::7]:4001", "peer.example:80"]);
    claim.metadata.insert("name".into(), "alice".into());
    Record::sign(&identity(1), binding, &claim, NOW).unwrap()
}

#[test]
fn a_record_with_a_flipped_bit() {
    for record in [record(1, &BINDING, NOW), rich_record(&BINDING)] {
        for bytes in flipped(record.as_bytes()).chain(cut_or_longer(record.as_bytes())) {
            assert!(Record::verify(&bytes, &BINDING).is_err());
        }
    }
}

#[test]
fn a_record_of_another_network() {
    let record = rich_record(&BINDING);
    for binding in flipped(&BINDING) {
        let binding = binding.try_into().unwrap();
        assert_eq!(Record::verify(record.as_bytes(), &binding), Err(RecordError::Forged));
    }
}

#[test]
fn a_bundle_with_a_flipped_bit() {
    let place = place(&secret_network("demo", 7));
    let records = [rich_record(place.binding()), record(2, place.binding(), NOW)];
    let (bundle, count) = place.seal(place.locator(), [5; 24], records.iter(), 1000);
    assert_eq!(count, 2);
    for bytes in flipped(&bundle) {
        assert_eq!(place.open(place.locator(), &bytes), Err(BundleError::Sealed));
    }
    for bytes in cut_or_longer(&bundle) {
        assert!(place.open(place.locator(), &bytes).is_err());
    }
}

#[test]
fn the_second_form_of_a_signature() {
    assert_eq!(Record::verify(&second_form(&record(1, &BINDING, NOW)), &BINDING), Err(RecordError::Forged));
}

/// S and S + L are the same number to whoever does not look (RFC 8032, section 5.1.7).
pub(super) fn second_form(record: &Record) -> Vec<u8> {
    let mut bytes = record.as_bytes().to_vec();
    let (at, mut carry) = (bytes.len() - 32, 0);
    for (byte, added) in bytes[at..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        [_, *byte] = sum.to_be_bytes();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    bytes
}

#[test]
fn a_key_that_signs_everything() {
    assert_eq!(Record::verify(&signed_by_nobody(), &BINDING), Err(RecordError::Forged));
}

/// The neutral point as key and as R, and S = 0, satisfy S·B = R + k·A whatever was said.
pub(super) fn signed_by_nobody() -> Vec<u8> {
    let neutral: [u8; 32] = std::array::from_fn(|at| u8::from(at == 0));
    let said = [&[0x10][..], &neutral, &[0x6b, 0x49, 0xd2, 0, 0, 240, 0, 0]].concat();
    [&said[..], &neutral, &[0; 32]].concat()
}

#[test]
fn a_record_signed_for_another_purpose() {
    let identity = identity(1);
    let said = [head(&identity, 0x10), vec![0, 0]].concat();
    let signature = identity.sign(&[&BINDING[..], &said].concat());
    assert_eq!(Record::verify(&[&said[..], &signature].concat(), &BINDING), Err(RecordError::Forged));
}
