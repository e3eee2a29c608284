//! What must hold whatever gateways answer. `fuzz/` feeds it for as long as one likes, the tests below with its corpus and with chance.

use ring::digest::{SHA384, digest};
use serde_json::Value;

use crate::base64url::{decode, decode_hash, encode};
use crate::deep_hash::{Item, deep_hash};
pub use crate::gateway::fuzzing::answers;
pub use crate::read::fuzzing::kept;
use crate::topic::Topic;
use crate::transaction::{Transaction, sha256};

/// What arweave-js signed.
const THEIRS: &str = include_str!("../tests/vector.json");

/// The JSON of a transaction, or of some changes to one that somebody has signed.
pub fn transaction(json: &[u8]) {
    let Ok(said) = serde_json::from_slice::<Value>(json) else { return };
    if let Ok(read) = serde_json::from_value::<Transaction>(said.clone()) {
        written_the_same(&read);
        assert!(!read.is_signed(&[0; 32]));
        assert_eq!(read.is_signed(&sha256(read.signature())), is_theirs(&read));
    }
    let (Value::Object(fields), Some(theirs)) = (said, theirs()) else { return };
    let mut changed = theirs.clone();
    for (field, value) in fields {
        changed[field] = value;
    }
    let (Ok(changed), Ok(theirs)) = (serde_json::from_value(changed), serde_json::from_value(theirs)) else {
        return;
    };
    let (changed, theirs): (Transaction, Transaction) = (changed, theirs);
    written_the_same(&changed);
    let id = decode_hash(&theirs.id()).unwrap_or_default();
    assert!(theirs.is_signed(&id));
    assert!(!changed.is_signed(&id) || changed.message() == theirs.message());
}

/// The tree that is hashed, and text of it: the first byte says which.
pub fn tree(bytes: &[u8]) {
    let Some((first, mut rest)) = bytes.split_first() else { return };
    if first & 1 == 0 {
        let item = item(&mut rest, 0);
        assert_eq!(deep_hash(&item)[..], by_the_letter(&item));
        assert_eq!(decode(&encode(rest)).as_deref(), Some(rest));
    } else if let Ok(text) = std::str::from_utf8(rest) {
        // One text for all bytes.
        assert!(decode(text).is_none_or(|bytes| encode(&bytes) == text));
        assert!(decode_hash(text).is_none_or(|hash| encode(&hash) == text));
    }
}

fn theirs() -> Option<Value> {
    let mut read: Value = serde_json::from_str(THEIRS).ok()?;
    read.get_mut("transaction").map(Value::take)
}

/// Nobody else has signed anything here.
fn is_theirs(read: &Transaction) -> bool {
    let theirs: Option<Transaction> = theirs().and_then(|theirs| serde_json::from_value(theirs).ok());
    theirs.is_some_and(|theirs| read.message() == theirs.message() && read.signature() == theirs.signature())
}

fn written_the_same(read: &Transaction) {
    let again = serde_json::to_value(read).and_then(serde_json::from_value::<Transaction>);
    assert!(again.is_ok_and(|again| again == *read));
    assert_eq!(read.address(), sha256(read.owner()));
    let topic = Topic([7; 32]);
    assert!(topic.is_of(&topic.tags()) && !topic.is_of(&Topic([8; 32]).tags()));
    let _ = (topic.is_of(read.tags()), read.holds(b"data"));
}

/// A tree by a tape: lists of up to three items, and bytes.
fn item<'a>(tape: &mut &'a [u8], depth: usize) -> Item<'a> {
    let Some((first, rest)) = tape.split_first() else { return Item::Blob(&[]) };
    *tape = rest;
    if first & 1 == 1 && depth < 6 {
        return Item::List((0..first >> 6).map(|_| item(tape, depth + 1)).collect());
    }
    let (blob, rest) = tape.split_at(tape.len().min(usize::from(first >> 1)));
    *tape = rest;
    Item::Blob(blob)
}

/// The hash as its description says it: of the hash of a tag and the hash of the bytes; of a list, that of its tag, then with each item.
fn by_the_letter(item: &Item<'_>) -> Vec<u8> {
    let sha384 = |bytes: &[u8]| digest(&SHA384, bytes).as_ref().to_vec();
    match item {
        Item::Blob(bytes) => {
            sha384(&[sha384(format!("blob{}", bytes.len()).as_bytes()), sha384(bytes)].concat())
        }
        Item::List(items) => {
            let mut sum = sha384(format!("list{}", items.len()).as_bytes());
            for item in items {
                sum = sha384(&[sum, by_the_letter(item)].concat());
            }
            sum
        }
    }
}

#[cfg(test)]
mod tests {
    use bitboot_rpc::testing::hold;

    #[test]
    fn the_checks_hold() {
        hold(
            env!("CARGO_MANIFEST_DIR"),
            512,
            &[
                ("answers", super::answers),
                ("transaction", super::transaction),
                ("tree", super::tree),
                ("kept", super::kept),
            ],
        );
    }
}
