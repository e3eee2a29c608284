use std::collections::HashSet;

use super::*;

const MEDIA: [&str; 2] = ["first medium", "second medium"];

fn slots() -> impl Iterator<Item = Slot> {
    let mut all = vec![Slot::ROOT];
    let mut at = 0;
    while let Some(slot) = all.get(at).copied() {
        all.extend(slot.children());
        at += 1;
    }
    all.into_iter()
}

/// Everything that somebody can see of a place, and its keys.
fn shown(place: &Place) -> Vec<Vec<u8>> {
    let locators = slots().map(|slot| place.slot(slot).as_bytes().to_vec());
    let keys = [place.locator().as_bytes(), &place.seal, &place.slots].map(<[u8]>::to_vec);
    let writers = (0..9).map(|seed| place.pseudonym(&identity(seed).public()).to_vec());
    keys.into_iter().chain(locators).chain(writers).collect()
}

/// No six bytes in a row that are in both, and none twice in one of them.
fn have_nothing_in_common(places: &[Place]) {
    let mut seen = HashSet::new();
    for bytes in places.iter().flat_map(shown) {
        for window in bytes.windows(6) {
            assert!(seen.insert(window.to_vec()), "{window:02x?} twice");
        }
    }
}

#[test]
fn media_and_epochs_have_nothing_in_common() {
    let network = secret_network("demo", 7);
    let epochs = [Epoch::at(NOW), Epoch::at(NOW + HOUR)];
    let places = epochs.map(|epoch| MEDIA.map(|medium| Place::new(&network, medium, epoch)));
    have_nothing_in_common(&places.concat());
}

#[test]
fn networks_have_nothing_in_common() {
    let networks = [
        secret_network("demo", 7),
        secret_network("demo", 8),
        secret_network("other", 7),
        open_network("demo"),
        open_network("other"),
        open_network(&open_network("an info hash").locator().to_hex()),
    ];
    have_nothing_in_common(&networks.each_ref().map(place));
    let bindings: HashSet<[u8; 32]> = networks.iter().map(|network| *place(network).binding()).collect();
    assert_eq!(bindings.len(), networks.len());
}

#[test]
fn a_binding_is_the_same_everywhere() {
    for network in [secret_network("demo", 7), open_network("demo")] {
        let bindings: HashSet<[u8; 32]> = MEDIA
            .iter()
            .flat_map(|medium| [1, 2].map(|hour| *Place::new(&network, medium, Epoch(hour)).binding()))
            .collect();
        assert_eq!(bindings.len(), 1);
    }
}

#[test]
fn an_open_network_lies_where_every_client_looks() {
    let network = open_network("demo");
    let [one, other] = [1, 2].map(|hour| Place::new(&network, "medium", Epoch(hour)));
    assert_eq!(one.locator(), network.locator());
    assert_eq!(shown(&one), shown(&other), "the hours of an open network are one");
}

#[test]
fn a_medium_may_have_any_name() {
    let network = secret_network("demo", 7);
    for medium in ["", "x", &"x".repeat(255), &"x".repeat(1000), "日本"] {
        assert_eq!(Place::new(&network, medium, Epoch(1)).locator().as_bytes().len(), 20);
    }
}

#[test]
fn only_the_same_place_opens_a_bundle() {
    let network = secret_network("demo", 7);
    let here = place(&network);
    let record = record(1, here.binding(), NOW);
    let slot = here.slot(Slot::ROOT);
    let (bundle, _) = here.seal(&slot, [1; 24], [&record].into_iter(), 1000);
    assert_eq!(here.open(&slot, &bundle).unwrap(), ([record].into_iter().collect(), 0));
    let elsewhere = [
        ("a wrong secret", place(&secret_network("demo", 8))),
        ("the name without the secret", place(&open_network("demo"))),
        ("another network", place(&secret_network("other", 7))),
        ("the next epoch", Place::new(&network, "medium", Epoch::at(NOW + HOUR))),
        ("the epoch before", Place::new(&network, "medium", Epoch(Epoch::at(NOW).0 - 1))),
        ("another medium", Place::new(&network, "another", Epoch::at(NOW))),
    ];
    for (what, place) in elsewhere {
        assert_eq!(place.open(&slot, &bundle), Err(BundleError::Sealed), "{what}");
        assert_eq!(place.open(&place.slot(Slot::ROOT), &bundle), Err(BundleError::Sealed), "{what}");
    }
    for other in slots().filter(|slot| *slot != Slot::ROOT).map(|slot| here.slot(slot)) {
        assert_eq!(here.open(&other, &bundle), Err(BundleError::Sealed), "another slot");
    }
    assert_eq!(here.open(here.locator(), &bundle), Err(BundleError::Sealed), "the locator of values");
}

#[test]
fn the_slots_are_a_tree() {
    let all: Vec<Slot> = slots().collect();
    assert_eq!(all.len(), 127);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 127);
    assert!(all.iter().all(|slot| slot.index < 1 << slot.level));
    assert_eq!(Slot::of(&identity(1).public(), 0), Slot::ROOT);
}

proptest! {
    #[test]
    fn a_signer_keeps_to_its_branch(key: [u8; 32], level in 0u8..Slot::DEEPEST) {
        let signer = PublicKey(key);
        prop_assert!(Slot::of(&signer, level).children().any(|slot| slot == Slot::of(&signer, level + 1)));
        prop_assert_eq!(Slot::of(&signer, u8::MAX), Slot::of(&signer, Slot::DEEPEST));
        prop_assert_eq!(Slot::of(&signer, Slot::DEEPEST).children().count(), 0);
    }

    /// A writer whose clock is off writes; a quarter of an hour later at most, somebody with a right clock reads.
    #[test]
    fn the_change_of_the_hour_loses_nobody(second in 0i64..7200, off in -50i64 * 60..=50 * 60, age in 0u64..=15 * 60) {
        let network = secret_network("demo", 7);
        let wrote = at(second);
        let clock = Duration::from_secs(wrote.as_secs().checked_add_signed(off).unwrap());
        let place = Place::new(&network, "medium", Epoch::at(clock));
        let record = record(1, place.binding(), clock);
        let (bundle, _) = place.seal(place.locator(), [1; 24], [&record].into_iter(), 1000);

        let reads = wrote + Duration::from_secs(age);
        let found: Vec<Record> = Epoch::window(reads)
            .into_iter()
            .map(|epoch| Place::new(&network, "medium", epoch))
            .filter(|here| here.locator() == place.locator())
            .flat_map(|here| here.open(here.locator(), &bundle).unwrap().0.iter().cloned().collect::<Vec<_>>())
            .collect();
        prop_assert_eq!(&found, &[record]);
        prop_assert_eq!(found[0].standing(reads), Standing::Live);
    }
}
