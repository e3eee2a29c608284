//! What must hold whatever a node answers.
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what it is for")]

use bitboot_rpc::{Refusal, Unread, read};
use serde::de::DeserializeOwned;

use super::Told;
use super::reads::{Found, Line, Whole, bytes_of, listed, stored};
use super::writes::{Latest, State, Status, lifetime_of, state_of};
use crate::fuzzing::PLACE;
use crate::layout::{Entry, HEAD, MAX_VALUE};
use crate::purse::told;
use crate::wire::{Key, Signature};

/// JSON, as the answer to each question that there is.
pub fn answers(json: &[u8]) {
    let Some(said) = Unread::of(json) else { return };
    for found in is::<Vec<Found>>(&said).unwrap_or_default() {
        let Some(stored) = stored(&found, &Entry::start(PLACE)) else { continue };
        assert!(stored.data.len() <= HEAD + MAX_VALUE && stored.data.starts_with(&Entry::start(PLACE)));
        let entry = Entry::of_bytes(PLACE, &stored.data);
        assert!(entry.is_none_or(|entry| entry.value.len() + HEAD <= stored.data.len()));
    }
    for line in is::<Vec<Line>>(&said).unwrap_or_default() {
        let Some(listed) = listed(&line) else { continue };
        assert_eq!(Signature::of_text(&listed.id.to_string()), Some(listed.id));
    }
    if let Some(text) = is::<String>(&said) {
        // One text for each key.
        assert!(Key::of_text(&text).is_none_or(|key| key.to_string() == text));
        assert!(Signature::of_text(&text).is_none_or(|id| id.to_string() == text));
    }
    if let Some(lifetime) = is::<Told<Latest>>(&said).and_then(|told| lifetime_of(&told.value)) {
        assert_eq!(Key::of_text(&lifetime.blockhash.to_string()), Some(lifetime.blockhash));
    }
    for status in is::<Told<Vec<Option<Status>>>>(&said).into_iter().flat_map(|told| told.value).flatten() {
        assert!(!matches!(state_of(status), State::Failed(why) if why.chars().count() > 200));
    }
    if let Some(bytes) = is::<Whole>(&said).and_then(|whole| bytes_of(&whole)) {
        crate::fuzzing::chain(&[&[0][..], &bytes].concat());
    }
    if let Some(lamports) = is::<u64>(&said) {
        let text = told(lamports);
        let number = text.split(' ').next().unwrap_or_default();
        let (whole, places) = number.split_once('.').unwrap_or((number, ""));
        assert_eq!(format!("{whole}{places:0<9}").parse(), Ok(lamports));
    }
    if let Some(refusal) = is::<Refusal>(&said) {
        let line = refusal.to_string();
        assert!(line.chars().count() <= 330 && !line.chars().any(char::is_control));
    }
}

fn is<T: DeserializeOwned>(said: &Unread) -> Option<T> {
    read(said.clone()).ok()
}
