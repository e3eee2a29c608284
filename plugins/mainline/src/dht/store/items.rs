use std::collections::BTreeMap;
use std::time::Instant;

use super::item::{Item, target_of, verify};
use crate::dht::Id;
use crate::dht::krpc::{Put, codes};

/// The items that are kept for others: values that are found by their own hash, and values that a key's owner may
/// replace (BEP 44).
///
/// An item is kept for 2 hours after it was last put. When there are too many, the one whose put is oldest makes room:
/// whoever cares for an item puts it again every hour (BEP 44), so that one is likely to be nobody's. A flood of puts
/// that are allowed still pushes out what others put; what holds it back are tokens and limits, not this.
///
/// An item takes its value (1000 bytes at most) and about 250 bytes; 2000 of them 2.5 MB at most.
pub(crate) struct Items {
    limit: usize,
    kept: BTreeMap<Id, Item>,
}

/// An error of BEP 44 as it is told to who put: a code, and a sentence.
type Refusal = (i64, &'static str);

/// The largest value, in encoded bytes (BEP 44).
const MAX_VALUE: usize = 1000;
/// The longest salt, in bytes (BEP 44).
const MAX_SALT: usize = 64;

impl Items {
    /// For so many items; 2000 are usual.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, kept: BTreeMap::new() }
    }

    /// Keeps an item under its `target_of`, or renews the one that is there.
    ///
    /// # Errors
    /// With a code of BEP 44: 205 a value, 207 a salt that is too long, 206 a signature that does not fit, 301 the item
    /// is not the one that `cas` names, 302 the item is older than the one that is there, or as old and another. And
    /// 203 where the other kind of item is: a value can be crafted that reads as a key and a salt.
    pub(crate) fn put(&mut self, put: &Put<'_>, now: Instant) -> Result<(), Refusal> {
        check(put)?;
        let target = target_of(put);
        if let Some(there) = self.get(&target, now) {
            may_replace(there, put)?;
        } else if self.kept.len() >= self.limit && !self.kept.contains_key(&target) {
            self.make_room();
        }
        if self.limit > 0 {
            self.kept.insert(target, Item::new(put, now));
        }
        Ok(())
    }

    /// The item under a target, unless its time is over.
    pub(crate) fn get(&self, target: &Id, now: Instant) -> Option<&Item> {
        self.kept.get(target).filter(|item| item.is_alive(now))
    }

    /// Forgets those whose time is over; to be called every few minutes. `get` and `put` do not need it.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.kept.retain(|_, item| item.is_alive(now));
    }

    #[cfg(test)]
    /// How many there are, those included that `expire` has not yet seen.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    fn make_room(&mut self) {
        if let Some(oldest) =
            self.kept.iter().min_by_key(|(_, item)| item.last_put()).map(|(target, _)| *target)
        {
            self.kept.remove(&oldest);
        }
    }
}

/// What can be said of a put without knowing what is there; the cheap first.
fn check(put: &Put<'_>) -> Result<(), Refusal> {
    if put.value.len() > MAX_VALUE {
        return Err((codes::TOO_BIG, "the value has more than 1000 bytes"));
    }
    if put.salt.len() > MAX_SALT {
        return Err((codes::SALT, "the salt has more than 64 bytes"));
    }
    match &put.signed {
        Some(held) if !verify(held, put.salt, put.value) => {
            Err((codes::SIGNATURE, "the signature does not fit"))
        }
        _ => Ok(()),
    }
}

fn may_replace(there: &Item, put: &Put<'_>) -> Result<(), Refusal> {
    match (&there.signed, &put.signed) {
        // Under one target there is one value.
        (None, None) => Ok(()),
        (Some(old), Some(new)) => {
            if put.cas.is_some_and(|cas| cas != old.seq) {
                Err((codes::CAS, "the item there is not the one that cas names"))
            } else if new.seq < old.seq {
                Err((codes::SEQ, "a newer item is there"))
            } else if new.seq == old.seq && *put.value != *there.value {
                Err((codes::SEQ, "another item with this seq is there"))
            } else {
                Ok(())
            }
        }
        _ => Err((codes::PROTOCOL, "an item of the other kind is there")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::{signable, target_of_key};
    use super::*;
    use crate::dht::krpc::Held;
    use ed25519_dalek::{Signer, SigningKey};
    use proptest::prelude::*;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn immutable(value: &[u8]) -> Put<'_> {
        Put { value, signed: None, salt: b"", cas: None, target: None }
    }

    /// Signs and puts, and gives the error's code or 0. Which item it is follows from the salt.
    fn put(items: &mut Items, salt: &[u8], seq: i64, value: &[u8], cas: Option<i64>, now: Instant) -> i64 {
        let own = SigningKey::from_bytes(&[7; 32]);
        let signature = own.sign(&signable(salt, seq, value)).to_bytes();
        let key = own.verifying_key().to_bytes();
        let signed = Some(Held { key: &key, seq, signature: &signature });
        items.put(&Put { value, signed, salt, cas, target: None }, now).map_or_else(|(code, _)| code, |()| 0)
    }

    fn target(salt: &[u8]) -> Id {
        target_of_key(&SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes(), salt)
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let (mut items, now) = (Items::new(9), Instant::now());
        let [fits, over] =
            [996, 997].map(|length| [format!("{length}:").as_bytes(), &vec![b'x'; length]].concat());
        assert_eq!(items.put(&immutable(&fits), now), Ok(()));
        assert_eq!(items.put(&immutable(&over), now).unwrap_err().0, 205);
        assert_eq!(put(&mut items, b"", 1, &over, None, now), 205);
        assert_eq!(put(&mut items, &[b'x'; 64], 1, b"1:a", None, now), 0);
        assert_eq!(put(&mut items, &[b'x'; 65], 1, b"1:a", None, now), 207);
        assert_eq!(items.len(), 2);
    }

    #[test]
    fn what_is_not_signed_well_is_refused() {
        let (mut items, now) = (Items::new(9), Instant::now());
        let key = SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
        let signed = Some(Held { key: &key, seq: 1, signature: &[1; 64] });
        let refusal = items.put(&Put { signed, ..immutable(b"1:a") }, now).unwrap_err();
        assert_eq!((refusal.0, items.len()), (206, 0));
    }

    #[test]
    fn cas_names_the_item_that_may_be_replaced() {
        let (mut items, now) = (Items::new(9), Instant::now());
        assert_eq!(put(&mut items, b"", 1, b"1:a", Some(5), now), 0, "nothing is there");
        assert_eq!(put(&mut items, b"", 2, b"1:b", Some(0), now), 301);
        assert_eq!(put(&mut items, b"", 0, b"1:b", Some(0), now), 301, "before the seq is looked at");
        assert_eq!(put(&mut items, b"", 2, b"1:b", Some(1), now), 0);
        assert_eq!(put(&mut items, b"", 1, b"1:c", Some(7), now + 2 * HOUR), 0, "nothing is there any more");
    }

    #[test]
    fn what_is_newer_stays() {
        let (mut items, now) = (Items::new(9), Instant::now());
        assert_eq!(put(&mut items, b"", 2, b"1:a", None, now), 0);
        assert_eq!(put(&mut items, b"", 1, b"1:a", None, now), 302);
        assert_eq!(put(&mut items, b"", 2, b"1:b", None, now), 302);
        assert_eq!(&*items.get(&target(b""), now).unwrap().value, b"1:a");
        assert_eq!(put(&mut items, b"salt", 1, b"1:b", None, now), 0, "another item");
        assert_eq!(put(&mut items, b"", i64::MAX, b"1:c", None, now), 0);
        assert_eq!(items.get(&target(b""), now).unwrap().held().unwrap().seq, i64::MAX);
    }

    #[test]
    fn what_is_put_again_is_kept_2_hours_more() {
        let (mut items, start) = (Items::new(9), Instant::now());
        let value = target_of(&immutable(b"1:a"));
        for now in [start, start + HOUR] {
            assert_eq!(items.put(&immutable(b"1:a"), now), Ok(()));
            assert_eq!(put(&mut items, b"", 1, b"1:a", None, now), 0);
        }
        let (last, end) = (start + Duration::from_secs(3 * 3600 - 1), start + 3 * HOUR);
        items.expire(last);
        assert!(items.get(&value, last).is_some() && items.get(&target(b""), last).is_some());
        assert!(items.get(&value, end).is_none() && items.get(&target(b""), end).is_none());
        items.expire(end);
        assert_eq!(items.len(), 0);
    }

    #[test]
    fn the_oldest_put_makes_room() {
        let (mut items, mut now) = (Items::new(2), Instant::now());
        for value in [b"1:a", b"1:b", b"1:a", b"1:c"] {
            assert_eq!(items.put(&immutable(value), now), Ok(()));
            now += HOUR / 4;
        }
        let left =
            [b"1:a", b"1:b", b"1:c"].map(|value| items.get(&target_of(&immutable(value)), now).is_some());
        assert_eq!((items.len(), left), (2, [true, false, true]));
        let mut none = Items::new(0);
        assert_eq!((none.put(&immutable(b"1:a"), now), none.len()), (Ok(()), 0));
    }

    /// A key that begins with `29:` is a string of 29 bytes as well. To find one takes millions of tries; the store
    /// does not look into values, so here any key will do.
    #[test]
    fn one_kind_does_not_take_the_place_of_the_other() {
        let (mut items, now) = (Items::new(9), Instant::now());
        let key = SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
        assert_eq!(put(&mut items, b"", 1, b"1:a", None, now), 0);
        assert_eq!(items.put(&immutable(&key), now).unwrap_err().0, 203);
        assert_eq!(items.put(&immutable(&key), now + 2 * HOUR), Ok(()));
        assert_eq!(put(&mut items, b"", 1, b"1:a", None, now + 2 * HOUR), 203);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_seq_never_goes_down_and_what_is_there_verifies(
            puts in prop::collection::vec((0..2_u8, -2..4_i64, 0..3_u8, prop::option::of(-2..4_i64)), 1..30),
        ) {
            let (mut items, mut now, mut seqs) = (Items::new(2), Instant::now(), [i64::MIN; 2]);
            for (which, seq, value, cas) in puts {
                now += Duration::from_secs(60);
                let salt = vec![b's'; which.into()];
                let code = put(&mut items, &salt, seq, &[b'1', b':', b'a' + value], cas, now);
                for (salt, last) in [&b""[..], b"s"].into_iter().zip(&mut seqs) {
                    let Some(item) = items.get(&target(salt), now) else { continue };
                    let held = item.held().unwrap();
                    prop_assert!(verify(&held, salt, &item.value));
                    prop_assert!(held.seq >= *last);
                    *last = held.seq;
                }
                prop_assert!(code != 0 || seqs[usize::from(which)] == seq);
            }
        }
    }
}
