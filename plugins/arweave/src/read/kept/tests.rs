use super::*;

fn record(number: u16, owner: u8, height: u64) -> Record {
    let mut id = [0; 32];
    id[..2].copy_from_slice(&number.to_be_bytes());
    Record { id, owner: [owner; 32], height: Some(height), value: vec![1; 168] }
}

const ONE: Mark = [1; 8];
const OTHER: Mark = [2; 8];

fn by(mark: Mark, records: impl IntoIterator<Item = Record>) -> Vec<(Mark, Record)> {
    records.into_iter().map(|record| (mark, record)).collect()
}

fn heights(pile: &Pile) -> BTreeSet<u64> {
    pile.records.values().flat_map(|listed| listed.by.values().copied()).collect()
}

fn walked(floor: u64, listed: &[&Record]) -> Walked {
    let listed = listed.iter().filter_map(|record| Some((record.id, record.height?))).collect();
    Walked { mark: ONE, tip: 1000, floor, listed, is_whole: true, missing: None }
}

#[test]
fn what_is_kept_comes_back_and_fits_into_the_cache() {
    let mut kept = Kept::default();
    for topic in 1..=30 {
        let pile = kept.pile(Topic([topic; 32]));
        let of = |number: u16| record(u16::from(topic) * 250 + number, (number % 250) as u8, number.into());
        for mark in [ONE, OTHER] {
            pile.add(by(mark, (0..250).map(of)));
            pile.came(mark, 1000, true);
        }
    }
    kept.bound(&[ONE, OTHER]);
    let bytes = kept.to_bytes();
    assert!((MOST_BYTES / 2..message::MAX - 1024).contains(&bytes.len()), "{}", bytes.len());
    assert!((5..30).contains(&kept.0.len()) && kept.0[0].topic == Topic([30; 32]));
    assert_eq!(kept.0[0].records.len(), 250);
    assert_eq!(Kept::of_bytes(&bytes), Some(kept));
    assert_eq!(Kept::of_bytes(&bytes[..bytes.len() - 1]), None);
    assert_eq!(Kept::of_bytes(b"junk"), None);
}

#[test]
fn what_had_no_room_is_read_again() {
    let mut kept = Kept::default();
    let pile = kept.pile(Topic([1; 32]));
    let full = |number: u16| Record {
        value: vec![1; 1024],
        ..record(number, (number % 60) as u8, 100 + u64::from(number))
    };
    pile.add(by(ONE, (0..900).map(full)));
    pile.came(ONE, 2000, true);
    assert_eq!(pile.read_to(ONE, 1), Some(2000));
    kept.bound(&[ONE]);
    let mut kept = Kept::of_bytes(&kept.to_bytes()).unwrap();
    let pile = kept.pile(Topic([1; 32]));
    let lowest = *heights(pile).first().unwrap();
    assert!(lowest > 100 && pile.records.len() < 900);
    assert_eq!(pile.read_to(ONE, 1), None, "some are gone");
    assert_eq!(pile.read_to(ONE, lowest - 1), None, "the last of those");
    assert_eq!(pile.read_to(ONE, lowest), Some(2000), "nobody looks so far back");
    // One that tells an absurd height is not read again for ever.
    pile.cut.insert(ONE, u64::MAX);
    pile.forget(&walked(950, &[]));
    assert_eq!(pile.read_to(ONE, 1001), Some(2000));
    // Of one owner only the last ones are looked at: nothing is to be read again for the others.
    let mut kept = Kept::default();
    kept.pile(Topic([1; 32])).add(by(ONE, (0..100).map(|number| record(number, 1, number.into()))));
    kept.bound(&[ONE]);
    assert!(kept.0[0].cut.is_empty());
}

#[test]
fn one_gateway_takes_no_room_of_another_and_its_heights_are_its_own_word() {
    let mut kept = Kept::default();
    let pile = kept.pile(Topic([1; 32]));
    let honest = || (0..600).map(|number| record(number, (number % 100) as u8, 100));
    pile.add(by(ONE, honest()));
    pile.came(ONE, 1000, true);
    // Each by an owner of its own, of one byte, all newer; and what the other one has, in blocks that are to come.
    let mut invented: Vec<Record> = honest().map(|of| Record { height: Some(5000), ..of }).collect();
    for number in 1000..12_000_u16 {
        let mut owner = [9; 32];
        owner[..2].copy_from_slice(&number.to_be_bytes());
        invented.push(Record { owner, value: vec![1], ..record(number, 9, 2000) });
    }
    pile.add(by(OTHER, invented));
    pile.came(OTHER, 6000, true);
    kept.bound(&[ONE, OTHER]);
    let pile = &kept.0[0];
    assert_eq!((pile.settled(ONE).len(), pile.read_to(ONE, 1)), (600, Some(1000)));
    assert_eq!((pile.settled(OTHER).len(), pile.read_to(OTHER, 1)), (MOST_RECORDS / 2, None));
    // It is asked no more: what it alone has listed is gone, and the other one has all the room.
    kept.bound(&[ONE]);
    assert_eq!((kept.0[0].records.len(), kept.0[0].settled(OTHER).len()), (600, 0));
    assert_eq!((kept.0[0].read_to(ONE, 1), kept.0[0].read_to(OTHER, 6000)), (Some(1000), None));
}

#[test]
fn one_owner_crowds_out_nobody() {
    let mut kept = Kept::default();
    let pile = kept.pile(Topic([1; 32]));
    pile.add(by(ONE, [record(0, 1, 1)]));
    pile.add(by(ONE, (1..200).map(|number| record(number, 2, number.into()))));
    kept.bound(&[ONE]);
    let heights = heights(&kept.0[0]);
    assert_eq!(heights.len(), 1 + MOST_OF_ONE);
    assert_eq!((heights.first(), heights.last()), (Some(&1), Some(&199)));
}

#[test]
fn what_is_settled_stays_and_what_is_not_has_to_be_listed() {
    let mut pile = Pile::new(Topic([1; 32]));
    let [old, stays, goes, others] =
        [record(1, 1, 10), record(2, 2, 990), record(3, 3, 995), record(4, 4, 995)];
    pile.add(by(ONE, [old.clone(), stays.clone(), goes, others.clone()]));
    pile.add(by(OTHER, [others.clone()]));
    pile.came(ONE, 1000, true);
    assert_eq!(pile.settled(ONE), [(old.id, old.value)]);
    let mut cut = walked(950, &[]);
    cut.is_whole = false;
    pile.forget(&cut);
    assert_eq!(pile.records.len(), 4, "a list that was not read to its end says nothing");
    pile.forget(&walked(950, &[&stays]));
    assert_eq!(pile.records.keys().copied().collect::<Vec<_>>(), [old.id, stays.id, others.id]);
}

#[test]
fn what_waits_for_a_block_is_not_kept() {
    let mut pile = Pile::new(Topic([1; 32]));
    pile.add(by(ONE, [Record { height: None, ..record(1, 1, 1) }]));
    assert!(pile.records.is_empty());
}
