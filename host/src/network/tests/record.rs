use super::*;

proptest! {
    #[test]
    fn what_is_signed_is_read(claim in some_claim(), seed: u8, time: u32) {
        let time = Duration::from_secs(time.into());
        let Some(record) = Record::sign(&identity(seed), &BINDING, &claim, time) else {
            // An address of `some_claim` has at most 74 bytes and a pair of metadata at most 242.
            prop_assert!(claim.endpoints.len() * 74 + claim.metadata.len() * 242 > Record::MAX - 105);
            return Ok(());
        };
        prop_assert!(record.as_bytes().len() <= Record::MAX);
        let read = Record::verify(record.as_bytes(), &BINDING).unwrap();
        prop_assert_eq!(&read, &record);
        prop_assert_eq!(read.signer, identity(seed).public());
        prop_assert_eq!(read.time, u32::try_from(time.as_secs()).unwrap());
        let said = Claim {
            endpoints: read.endpoints,
            metadata: read.metadata,
            lifetime: read.lifetime,
            withdrawn: read.withdrawn,
        };
        prop_assert_eq!(said, claim);
    }

    #[test]
    fn bytes_of_strangers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Record::verify(&bytes, &BINDING).is_err());
    }

    #[test]
    fn bytes_of_members_never_panic(
        flags in 0u8..16,
        rest in prop::collection::vec(any::<u8>(), 0..400),
        now: u64,
    ) {
        let identity = identity(1);
        let bytes = signed(&identity, &BINDING, &[head(&identity, 0x10 | flags), rest].concat());
        if let Ok(record) = Record::verify(&bytes, &BINDING) {
            prop_assert_eq!(record.as_bytes(), &bytes);
            let _ = record.standing(Duration::from_secs(now));
        }
    }
}

#[test]
fn the_common_record_has_113_bytes() {
    assert_eq!(record(1, &BINDING, NOW).as_bytes().len(), 113);
    // Version and flags, key, time, lifetime, two counts, signature.
    assert_eq!(Record::sign(&identity(1), &BINDING, &claim(&[]), NOW).unwrap().as_bytes().len(), 105);
}

#[test]
fn what_is_too_long_is_not_signed() {
    let mut said = claim(&[]);
    // 105 bytes of the empty record, and two lengths.
    let room = Record::MAX - 105 - 2 * 2 - 2;
    said.metadata = [("a".into(), "x".repeat(200)), ("b".into(), "x".repeat(room - 200))].into();
    assert_eq!(Record::sign(&identity(1), &BINDING, &said, NOW).unwrap().as_bytes().len(), Record::MAX);
    said.metadata.insert("b".into(), "x".repeat(room - 199));
    assert_eq!(Record::sign(&identity(1), &BINDING, &said, NOW), None);
    for (name, value) in [("x".repeat(256), String::new()), ("a".into(), "x".repeat(256))] {
        said.metadata = [(name, value)].into();
        assert_eq!(Record::sign(&identity(1), &BINDING, &said, NOW), None);
    }
    let many = vec!["203.0.113.7:1"; 256];
    assert_eq!(Record::sign(&identity(1), &BINDING, &claim(&many), NOW), None);
}

#[test]
fn what_is_too_long_is_not_read() {
    let identity = identity(1);
    for (value, wanted) in [(114, Ok(Record::MAX)), (115, Err(RecordError::Malformed))] {
        let pairs =
            [&[2, 1, b'a', 255][..], &[b'x'; 255], &[1, b'b', value], &vec![b'x'; value.into()]].concat();
        let bytes = signed(&identity, &BINDING, &[&head(&identity, 0x10)[..], &[0][..], &pairs].concat());
        assert_eq!(Record::verify(&bytes, &BINDING).map(|record| record.as_bytes().len()), wanted);
    }
}

#[test]
fn times_and_lifetimes_stay_in_their_fields() {
    let sign = |claim: &Claim, time| Record::sign(&identity(1), &BINDING, claim, Duration::from_secs(time));
    let lived = |lifetime| sign(&Claim { lifetime, ..claim(&[]) }, 0).unwrap().lifetime;
    assert_eq!(lived(Duration::ZERO), Duration::ZERO);
    assert_eq!(lived(Duration::from_millis(1)), Duration::from_secs(30));
    assert_eq!(lived(Duration::from_millis(30_001)), Duration::from_secs(60));
    assert_eq!(lived(Duration::MAX), Duration::from_secs(65535 * 30));
    // 2106; until then nobody has to think of it.
    let last = sign(&claim(&[]), u32::MAX.into()).unwrap();
    assert_eq!(last.expires(), Duration::from_secs(u64::from(u32::MAX)) + 2 * HOUR);
    assert_eq!(last.standing(Duration::MAX), Standing::Expired);
    assert_eq!(sign(&claim(&[]), u64::from(u32::MAX) + 1), None);
}

#[test]
fn what_is_not_known_is_kept_and_skipped() {
    let identity = identity(1);
    let said = [
        // Flags of a newer version.
        &head(&identity, 0x1e)[..],
        // An onion address, the known one, a kind nobody knows, an IPv4 address of five bytes, port 0, an IP address as a name.
        &[6, 4, 3, 1, 2, 3],
        &[1, 6, 203, 0, 113, 7, 15, 161],
        &[200, 0],
        &[1, 7, 1, 2, 3, 4, 5, 0, 80],
        &[1, 6, 1, 2, 3, 4, 0, 0],
        &[3, 9, b'1', b'.', b'2', b'.', b'3', b'.', b'4', 0, 80],
        // What is no text, and what is.
        &[2, 1, 0xff, 1, b'x'],
        &[4, b'n', b'a', b'm', b'e', 3, b'n', b'o', b'w'],
    ]
    .concat();
    let bytes = signed(&identity, &BINDING, &said);
    let record = Record::verify(&bytes, &BINDING).unwrap();
    assert_eq!(record.endpoints, claim(&["203.0.113.7:4001"]).endpoints);
    assert_eq!(record.metadata, Metadata::from([("name".into(), "now".into())]));
    assert!(!record.withdrawn);
    // Whoever merges hands on all of it.
    let place = place(&open_network("demo"));
    let newest: Newest = [record].into_iter().collect();
    let (sealed, count) = place.seal(place.locator(), [0; 24], newest.iter(), 1000);
    assert_eq!(count, 1);
    let binding_differs = place.open(place.locator(), &sealed).unwrap();
    assert_eq!((binding_differs.0.len(), binding_differs.1), (0, 1));
    assert_eq!(newest.iter().next().unwrap().as_bytes(), bytes);
}

#[test]
fn a_newer_version_is_unknown() {
    let identity = identity(1);
    for version in (0..16).filter(|version| *version != 1) {
        let bytes = signed(&identity, &BINDING, &[head(&identity, version << 4), vec![0, 0]].concat());
        assert_eq!(Record::verify(&bytes, &BINDING), Err(RecordError::Unknown));
    }
}

#[test]
fn a_record_stands_by_the_clock() {
    let standing = |time, withdrawn| {
        let claim = Claim { withdrawn, ..claim(&[]) };
        Record::sign(&identity(1), &BINDING, &claim, at(time)).unwrap().standing(NOW)
    };
    assert_eq!(standing(0, false), Standing::Live);
    assert_eq!(standing(0, true), Standing::Withdrawn);
    // It holds for two hours.
    assert_eq!(standing(-7199, false), Standing::Live);
    assert_eq!(standing(-7200, false), Standing::Expired);
    assert_eq!(standing(-7200, true), Standing::Expired);
    // A clock may be an hour ahead.
    assert_eq!(standing(3600, false), Standing::Live);
    assert_eq!(standing(3601, false), Standing::FromTheFuture);
    assert_eq!(standing(3601, true), Standing::FromTheFuture);
    // Clocks that are off by 50 minutes, and announcements that are 15 minutes old.
    for minutes in [-50, 50, -65] {
        assert_eq!(standing(minutes * 60, false), Standing::Live);
        assert_eq!(standing(minutes * 60, true), Standing::Withdrawn);
    }
}
