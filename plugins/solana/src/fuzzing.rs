//! What must hold whatever nodes answer and whatever stands in the chain. `fuzz/` feeds it for as long as one likes, the tests below with its
//! corpus and with chance.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};

use crate::delivery::Parcel;
use crate::layout::{Entry, HEAD, MAX_VALUE, of_transaction};
pub use crate::memos::fuzzing::memos;
use crate::memos::fuzzing::one_memo;
pub use crate::node::fuzzing::answers;
use crate::wire::{Instruction, Key, LARGEST, Message, Signature, Transaction};

/// Whose announcements are looked for.
pub(crate) const PLACE: Key = Key([5; 32]);

/// What stands in the chain: the first byte says whether a transaction, a memo that somebody has signed, or an account.
pub fn chain(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    match first % 3 {
        0 => transaction(rest),
        1 => says_what_is_signed(&String::from_utf8_lossy(rest)),
        _ => account(rest),
    }
}

/// What is kept: the first byte says whether memos, or a transaction that is on its way.
pub fn kept(bytes: &[u8]) {
    match bytes.split_first() {
        Some((0, rest)) => memos(rest),
        Some((_, rest)) => {
            let Some(parcel) = Parcel::of_bytes(rest) else { return };
            assert_eq!(Parcel::of_bytes(&parcel.to_bytes()).as_ref(), Some(&parcel));
        }
        None => {}
    }
}

/// Bytes are a transaction in one way only.
fn transaction(bytes: &[u8]) {
    if let Some(message) = Message::of_bytes(bytes) {
        assert!(message.to_bytes() == bytes && message.signers() <= message.keys.len());
    }
    let Some(transaction) = Transaction::of_bytes(bytes) else { return };
    assert!(transaction.to_bytes() == bytes && bytes.len() <= LARGEST);
    let (Some(id), Some(payer)) = (transaction.id(), transaction.payer()) else { panic!("{transaction:?}") };
    for place in &transaction.message.keys {
        let said = of_transaction(*place, &transaction);
        assert_eq!(said, one_memo(*place, id, bytes));
        let Some((author, value)) = said else { continue };
        assert!(author == payer && (1..=MAX_VALUE).contains(&value.len()) && transaction.verifies());
    }
}

/// What the owner of a key has signed is found with that key, and no other transaction is.
fn says_what_is_signed(text: &str) {
    let owner = SigningKey::from_bytes(&[7; 32]);
    let payer = Key(owner.verifying_key().to_bytes());
    let steps = [Instruction::name(payer, PLACE), Instruction::memo(text.to_owned())];
    let signed = |block: Key, signed: Key| {
        let signature = owner.sign(&Message::new(payer, &steps, signed).to_bytes()).to_bytes();
        Transaction::new(Message::new(payer, &steps, block), vec![Signature(signature)])
    };
    let of_bytes = |transaction: Option<Transaction>| Transaction::of_bytes(&transaction?.to_bytes());
    let Some(good) = of_bytes(signed(PLACE, PLACE)) else { return };
    let value = STANDARD_NO_PAD.decode(text).ok().filter(|value| (1..=MAX_VALUE).contains(&value.len()));
    assert_eq!(of_transaction(PLACE, &good), value.map(|value| (payer, value)));
    assert_eq!(of_transaction(Key([6; 32]), &good), None);
    let other = of_bytes(signed(PLACE, Key([6; 32])));
    assert!(other.is_some_and(|other| of_transaction(PLACE, &other).is_none()));
}

/// What an account of the place says is written as it was read. Behind it anything may stand.
fn account(bytes: &[u8]) {
    let bytes = [&Entry::start(PLACE)[..], bytes].concat();
    assert_eq!(Entry::of_bytes(Key([6; 32]), &bytes), None);
    let Some(entry) = Entry::of_bytes(PLACE, &bytes) else { return };
    assert!(bytes.len() >= HEAD && (1..=MAX_VALUE).contains(&entry.value.len()));
    assert!(bytes.starts_with(&entry.to_bytes(PLACE)));
    assert!(bytes.starts_with(&Entry::start_of(PLACE, entry.writer, entry.mark)));
}

#[cfg(test)]
mod tests {
    use bitboot_rpc::testing::hold;

    #[test]
    fn the_checks_hold() {
        hold(
            env!("CARGO_MANIFEST_DIR"),
            512,
            &[("answers", super::answers), ("chain", super::chain), ("kept", super::kept)],
        );
    }
}
