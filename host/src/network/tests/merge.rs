use super::*;

/// Records of few signers and few times, so that they meet.
fn some_records() -> impl Strategy<Value = Vec<Record>> {
    let one = (0u8..4, 0u64..3, any::<bool>(), 0u64..3).prop_map(|(seed, time, withdrawn, lifetime)| {
        let claim = Claim { withdrawn, lifetime: Duration::from_secs(lifetime * 30), ..Claim::default() };
        Record::sign(&identity(seed), &BINDING, &claim, NOW + Duration::from_secs(time)).unwrap()
    });
    prop::collection::vec(one, 0..10)
}

fn newest(records: &[Record]) -> Newest {
    records.iter().cloned().collect()
}

fn merged(sets: [&Newest; 2]) -> Newest {
    sets.into_iter().flat_map(Newest::iter).cloned().collect()
}

proptest! {
    #[test]
    fn it_does_not_matter_who_merges_what_when(a in some_records(), b in some_records(), c in some_records()) {
        let [x, y, z] = [&a, &b, &c].map(|records| newest(records));
        prop_assert_eq!(merged([&x, &y]), merged([&y, &x]));
        prop_assert_eq!(merged([&merged([&x, &y]), &z]), merged([&x, &merged([&y, &z])]));
        prop_assert_eq!(merged([&x, &x]), x.clone());
        // And it is the same as adding one after the other, in any order.
        let mut all = [a, b, c].concat();
        let together = newest(&all);
        all.reverse();
        prop_assert_eq!(newest(&all), together.clone());
        prop_assert_eq!(merged([&merged([&x, &y]), &z]), together);
    }

    #[test]
    fn of_each_signer_the_newest_holds(records in some_records()) {
        let newest = newest(&records);
        for record in &records {
            let holds = newest.get(&record.signer).unwrap();
            prop_assert!((holds.time, holds.withdrawn) >= (record.time, record.withdrawn));
            prop_assert!(records.contains(holds));
            prop_assert!(!newest.clone().add(record.clone()), "nothing of it is news");
        }
    }
}

#[test]
fn a_withdrawal_holds_against_what_came_before_and_in_the_same_second() {
    let gone = Claim { withdrawn: true, ..claim(&[]) };
    let gone = Record::sign(&identity(1), &BINDING, &gone, NOW).unwrap();
    for (time, stays) in [(at(-1), true), (NOW, true), (at(1), false)] {
        let said = record(1, &BINDING, time);
        for records in [[gone.clone(), said.clone()], [said.clone(), gone.clone()]] {
            let standing = newest(&records).get(&said.signer).unwrap().standing(at(1));
            assert_eq!(standing == Standing::Withdrawn, stays);
        }
    }
}

#[test]
fn what_is_older_does_not_come_back() {
    // A short record after a long one: while both are there, the short one holds, and when it has expired nothing is left.
    let long = record(1, &BINDING, NOW);
    let short = Claim { lifetime: Duration::from_secs(30), ..claim(&[]) };
    let short = Record::sign(&identity(1), &BINDING, &short, at(1)).unwrap();
    let newest = newest(&[short, long.clone()]);
    assert_eq!(newest.get(&long.signer).unwrap().standing(NOW + HOUR), Standing::Expired);
}
