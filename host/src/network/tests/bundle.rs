use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::*;

/// Seals whatever is inside, as a member could who means harm; by the words of `README.md` and not by the code.
fn sealed(key: &[u8; 32], at: &[u8], inside: &[u8]) -> Vec<u8> {
    let aad = [b"bitboot/1 bundle", at].concat();
    let cipher = XChaCha20Poly1305::new(key.into());
    let sealed = cipher.encrypt(&XNonce::from([3; 24]), Payload { msg: inside, aad: &aad }).unwrap();
    [&[3; 24][..], &sealed].concat()
}

fn opened(inside: &[u8]) -> Result<(Newest, usize), BundleError> {
    crate::network::bundle::open(&[1; 32], b"here", &BINDING, &sealed(&[1; 32], b"here", inside))
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

proptest! {
    #[test]
    fn what_fits_is_what_opens(claims in prop::collection::vec(some_claim(), 0..8), room in 0usize..2500, nonce: [u8; 24]) {
        let place = place(&secret_network("demo", 7));
        let records: Vec<Record> = (1..)
            .zip(&claims)
            .filter_map(|(seed, claim)| Record::sign(&identity(seed), place.binding(), claim, NOW))
            .collect();
        let (bundle, count) = place.seal(place.locator(), nonce, records.iter(), room);
        prop_assert!(bundle.len() <= room);
        if room < 40 {
            prop_assert_eq!((bundle.len(), count), (0, 0));
            return Ok(());
        }
        prop_assert!((bundle.len() - 40).is_multiple_of(64) && bundle.len() > 40 || bundle.len() == room);
        let size = |records: &[Record]| records.iter().map(|record| record.as_bytes().len() + 2).sum::<usize>();
        prop_assert!(bundle.len() < 40 + size(&records[..count]).max(1) + 64);
        // The next one would not have fitted.
        prop_assert!(count == records.len() || 40 + size(&records[..=count]) > room);
        let (read, bad) = place.open(place.locator(), &bundle).unwrap();
        prop_assert_eq!(bad, 0);
        prop_assert_eq!(read, records.into_iter().take(count).collect::<Newest>());
    }

    #[test]
    fn bytes_of_strangers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let place = place(&open_network("demo"));
        prop_assert!(place.open(place.locator(), &bytes).is_err());
    }

    #[test]
    fn bytes_of_members_never_panic(inside in prop::collection::vec(any::<u8>(), 0..2000)) {
        if let Ok((read, _)) = opened(&inside) {
            prop_assert_eq!(read.len(), 0);
        }
    }
}

#[test]
fn the_longest_bundle_is_read_and_no_longer_one() {
    let place = place(&open_network("demo"));
    let records: Vec<Record> = (0..=200).map(|seed| record(seed, place.binding(), NOW)).collect();
    let (bundle, count) = place.seal(place.locator(), [0; 24], records.iter(), usize::MAX);
    // Each record of 113 bytes has two of length before it.
    assert_eq!((bundle.len(), count), (MAX_BUNDLE, (MAX_BUNDLE - 40) / 115));
    assert_eq!(place.open(place.locator(), &bundle).unwrap().0.len(), count);
    let longer = vec![0; MAX_BUNDLE + 1];
    assert_eq!(place.open(place.locator(), &longer), Err(BundleError::Size));
    assert_eq!(place.open(place.locator(), &longer[1..]), Err(BundleError::Sealed));
    assert_eq!(place.open(place.locator(), &[0; 23]), Err(BundleError::Size));
    assert_eq!(place.open(place.locator(), &[0; 39]), Err(BundleError::Sealed));
}

#[test]
fn a_value_of_the_medium_holds_eight_common_records() {
    // BEP 44: 1000 bytes, of which four are the length of the string.
    let place = place(&open_network("demo"));
    let records: Vec<Record> = (0..20).map(|seed| record(seed, place.binding(), NOW)).collect();
    let (bundle, count) = place.seal(place.locator(), [0; 24], records.iter(), 996);
    assert_eq!((bundle.len(), count), (996, 8));
}

#[test]
fn how_many_records_there_are_hardly_shows() {
    let place = place(&open_network("demo"));
    let records: Vec<Record> = (0..3).map(|seed| record(seed, place.binding(), NOW)).collect();
    let length = |count: usize| place.seal(place.locator(), [0; 24], records[..count].iter(), 996).0.len();
    assert_eq!([length(0), length(1), length(2), length(3)], [104, 168, 296, 424]);
}

#[test]
fn bad_records_are_counted_and_the_others_are_read() {
    let good = record(1, &BINDING, NOW);
    let strange = record(2, &[8; 32], NOW);
    let newer = signed(&identity(3), &BINDING, &[head(&identity(3), 0x20), vec![0, 0]].concat());
    let inside = [strange.as_bytes(), &[1], &newer, good.as_bytes()].map(with_length).concat();
    // Padding may have any length, also one byte, and what is behind it is not looked at.
    for padding in [&[][..], &[0], &[0, 0], &[0, 0, 0], &[0, 0, 7, 7]] {
        let (read, bad) = opened(&[&inside[..], padding].concat()).unwrap();
        assert_eq!((read.iter().collect::<Vec<_>>(), bad), (vec![&good], 3));
    }
    assert_eq!(opened(&[&inside[..], &[0, 9, 1]].concat()), Err(BundleError::Malformed));
    assert_eq!(opened(&[]).unwrap(), (Newest::default(), 0));
}

#[test]
fn a_record_of_another_network_in_a_bundle_of_this_one() {
    let (here, there) = (place(&secret_network("demo", 7)), place(&secret_network("demo", 8)));
    let record = record(1, there.binding(), NOW);
    let (bundle, _) = here.seal(here.locator(), [0; 24], [&record].into_iter(), 1000);
    let (read, bad) = here.open(here.locator(), &bundle).unwrap();
    assert_eq!((read.len(), bad), (0, 1));
}
