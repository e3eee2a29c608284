use bitboot_plugin_api::Author;

use super::*;
use crate::network::place::Place as Somewhere;

fn author(number: u8) -> Author {
    Author::new(&[number; 33]).unwrap()
}

fn note(number: u8, endpoint: &str, seconds: i64) -> Note {
    let withdrawn = endpoint.is_empty();
    let endpoints = if withdrawn { Vec::new() } else { vec![endpoint.parse().unwrap()] };
    let claim = Claim { endpoints, withdrawn, lifetime: HOUR, ..Claim::default() };
    Note::of_claim(&claim, author(number), at(seconds)).unwrap()
}

fn places() -> [Somewhere; 3] {
    [open_network("demo"), open_network("other"), secret_network("demo", 1)]
        .map(|network| Place::new(&network, "medium", Epoch::at(NOW)))
}

#[test]
fn a_note_opens_for_its_author_in_its_network_only() {
    let [place, ..] = places();
    for (endpoint, length) in [("203.0.113.7:4001", 27), ("[2001:db8::7]:1", 39), ("", 27)] {
        let (note, others) = (note(1, endpoint, 0), &places()[1..]);
        let sealed = place.seal_note(&note);
        assert_eq!((sealed.len(), place.open_note(&author(1), &sealed)), (length, Some(note)));
        assert_eq!(place.open_note(&author(2), &sealed), None);
        assert!(others.iter().all(|other| other.open_note(&author(1), &sealed).is_none()));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(place.open_note(&author(1), &changed), None);
        }
    }
}

#[test]
fn names_have_no_room_and_lifetimes_are_enough() {
    let claim = |texts: &[&str], lifetime| Claim {
        endpoints: texts.iter().map(|text| text.parse().unwrap()).collect(),
        lifetime,
        ..Claim::default()
    };
    assert_eq!(Note::of_claim(&claim(&["peer.example:80"], HOUR), author(1), NOW), None);
    let both = Note::of_claim(&claim(&["peer.example:80", "8.8.8.8:1"], HOUR), author(1), NOW).unwrap();
    assert_eq!(both.endpoint.unwrap().to_string(), "8.8.8.8:1");
    for seconds in [0, 1, 60, 61, 3600, 7200, 86_400, 1_966_050] {
        let wanted = Duration::from_secs(seconds);
        let note = Note::of_claim(&claim(&["8.8.8.8:1"], wanted), author(1), NOW).unwrap();
        assert!(
            note.lifetime >= wanted && (note.lifetime * 2 <= wanted * 3 || seconds < 60),
            "{seconds}: {:?}",
            note.lifetime
        );
    }
}

#[test]
fn the_newest_of_each_author_holds_and_what_takes_back_goes_first() {
    let mut notes = Notes::default();
    assert!(notes.add(note(1, "8.8.8.8:1", 5)) && notes.add(note(2, "8.8.8.8:2", 1)));
    assert!(
        !notes.add(note(1, "8.8.8.8:3", 4))
            && notes.add(note(1, "", 5))
            && !notes.add(note(1, "8.8.8.8:1", 5))
    );
    assert_eq!(notes.iter().map(|note| note.endpoint.is_none()).collect::<Vec<_>>(), [true, false]);
    let gone = note(1, "", 0);
    assert!(gone.standing(NOW) == Standing::Withdrawn && gone.standing(NOW + HOUR * 2) == Standing::Expired);
    assert_eq!(note(1, "8.8.8.8:1", 3601).standing(NOW), Standing::FromTheFuture);
}

proptest! {
    #[test]
    fn bytes_of_strangers_are_no_notes(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        prop_assert_eq!(places()[0].open_note(&author(1), &bytes), None);
    }
}
