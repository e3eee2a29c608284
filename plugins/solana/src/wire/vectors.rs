//! The same bytes as Solana's own library makes, see `tests/vectors`; and what strangers make of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;

use super::instruction::Instruction;
use super::message::{put_length, take_length};
use super::transaction::LARGEST;
use super::{Key, MEMO_PROGRAM, Message, STORE_PROGRAM, Signature, Transaction};

fn vector(name: &str) -> Vec<u8> {
    let text = include_str!("../../tests/vectors/transactions.txt");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
    (0..line.len()).step_by(2).map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap()).collect()
}

fn signer(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn key(seed: u8) -> Key {
    Key(signer(seed).verifying_key().to_bytes())
}

fn made(instructions: &[Instruction], signers: &[u8]) -> Vec<u8> {
    let message = Message::new(key(7), instructions, Key([3; 32]));
    let sign = |seed: &u8| Signature(signer(*seed).sign(&message.to_bytes()).to_bytes());
    let signatures = signers.iter().map(sign).collect();
    Transaction::new(message, signatures).unwrap().to_bytes()
}

#[test]
fn transactions_are_those_of_solanas_own_library() {
    let (writer, account, data) = (key(7), key(9), (0..200).collect::<Vec<u8>>());
    let (limit, price) = (Instruction::limit(20000), Instruction::price(123_456));
    let create = Instruction::create(writer, account, 2_770_080, 278, STORE_PROGRAM);
    let first = Instruction::store(account, writer, true, data.clone());
    assert_eq!(made(&[limit.clone(), price, create, first], &[7, 9]), vector("create"));
    let again = Instruction::store(account, writer, false, data);
    assert_eq!(made(&[limit.clone(), again], &[7]), vector("update"));
    let text = STANDARD.encode((0..168).collect::<Vec<u8>>());
    let memo = [limit, Instruction::name(writer, Key([5; 32])), Instruction::memo(text)];
    assert_eq!(made(&memo, &[7]), vector("memo"));
}

#[test]
fn transactions_are_read_and_their_signatures_verified() {
    for name in ["create", "update", "memo"] {
        let bytes = vector(name);
        let read = Transaction::of_bytes(&bytes).unwrap();
        assert_eq!((read.to_bytes(), read.payer(), read.verifies()), (bytes.clone(), Some(key(7)), true));
        // Whatever is changed, either it is no transaction any more, or not one that they signed.
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Transaction::of_bytes(&changed).is_none_or(|read| !read.verifies()), "{name} {at}");
        }
    }
    let memo = Transaction::of_bytes(&vector("memo")).unwrap();
    assert_eq!(memo.message.told().filter(|(program, _)| *program == MEMO_PROGRAM).count(), 1);
    assert_eq!(memo.id().unwrap().to_string().len(), 88);
    assert_eq!(Signature::of_text(&memo.id().unwrap().to_string()), memo.id());
}

#[test]
fn lengths_are_those_of_the_documentation_and_have_one_form() {
    let known: [(usize, &[u8]); 7] = [
        (0, &[0]),
        (0x7f, &[0x7f]),
        (0x80, &[0x80, 0x01]),
        (0xff, &[0xff, 0x01]),
        (0x100, &[0x80, 0x02]),
        (0x7fff, &[0xff, 0xff, 0x01]),
        (0xffff, &[0xff, 0xff, 0x03]),
    ];
    for (length, bytes) in known {
        let mut written = Vec::new();
        put_length(&mut written, length);
        assert_eq!((written.as_slice(), take_length(&mut &*bytes)), (bytes, Some(length)));
    }
    let other: [&[u8]; 6] =
        [&[], &[0x80], &[0x80, 0x00], &[0xff, 0x80, 0x00], &[0xff, 0xff, 0x04], &[0x80, 0x80, 0x80, 0x00]];
    for bytes in other {
        assert_eq!(take_length(&mut &*bytes), None, "{bytes:?}");
    }
}

#[test]
fn what_is_cut_longer_later_or_endless_is_no_transaction() {
    let bytes = vector("memo");
    for end in 0..bytes.len() {
        assert!(Transaction::of_bytes(&bytes[..end]).is_none());
    }
    assert!(Transaction::of_bytes(&[&bytes[..], &[0]].concat()).is_none());
    // A later form has the first bit of its message set.
    let mut later = bytes.clone();
    later[65] |= 0x80;
    assert!(Transaction::of_bytes(&later).is_none());
    assert!(Transaction::of_bytes(&vec![0xff; LARGEST]).is_none());
    assert!(Transaction::of_bytes(&vec![0; 1 << 20]).is_none());
}

proptest! {
    #[test]
    fn no_bytes_panic_and_what_is_read_is_written_again(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Some(read) = Transaction::of_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }

    #[test]
    fn no_change_panics(at in 0..500_usize, byte: u8) {
        let mut bytes = vector("create");
        let length = bytes.len();
        bytes[at % length] = byte;
        if let Some(read) = Transaction::of_bytes(&bytes) {
            let _ = (read.verifies(), read.message.told().count());
        }
    }
}
