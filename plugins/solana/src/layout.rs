//! What an announcement looks like: as the data of an account, and as a memo. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bitboot_plugin_api::Locator;

use crate::wire::{Key, MEMO_PROGRAM, Transaction};

/// The largest value: a bundle with the largest record. Larger ones would fit into a transaction, but nobody writes them.
pub(crate) const MAX_VALUE: usize = 552;
/// The bytes of an account before the value.
pub(crate) const HEAD: usize = START + 33 + MARK + 2;
/// The bytes by which accounts of one place are found.
const START: usize = 67;
const MARK: usize = 8;

/// Where the announcements under a locator are found: the key in their accounts, and the address that their memos name.
pub(crate) fn place_of(locator: &Locator) -> Key {
    Key::hash(&[b"bitboot/1 solana", locator.as_bytes()])
}

/// An account's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Who may change it.
    pub(crate) writer: Key,
    pub(crate) mark: Mark,
    pub(crate) value: Vec<u8>,
}

/// Tells apart what several announcers write with one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(pub(crate) [u8; MARK]);

impl Mark {
    /// Of the announcer; where nobody is to be told apart, of the value, so that none takes the place of another.
    pub(crate) fn of(announcer: &[u8], value: &[u8]) -> Self {
        let who = if announcer.is_empty() { value } else { announcer };
        let hash = Key::hash(&[b"bitboot/1 solana writer", who]);
        Self(hash.0.first_chunk().copied().unwrap_or_default())
    }
}

impl Entry {
    /// What the accounts of a place begin with: a list of three keys, each with a byte that says whether it signs; two of them.
    pub(crate) fn start(place: Key) -> Vec<u8> {
        let namespace = Key::hash(&[b"bitboot/1 solana namespace"]);
        [&[3][..], &namespace.0, &[0], &place.0, &[0]].concat()
    }

    /// What those of one writer and one announcer begin with: then the third key, which signs.
    pub(crate) fn start_of(place: Key, writer: Key, mark: Mark) -> Vec<u8> {
        [&Self::start(place)[..], &writer.0, &[1], &mark.0].concat()
    }

    /// All that is written. What stood behind it before stays there: the length says where the value ends.
    pub(crate) fn to_bytes(&self, place: Key) -> Vec<u8> {
        let length = u16::try_from(self.value.len()).unwrap_or_default().to_be_bytes();
        [&Self::start_of(place, self.writer, self.mark)[..], &length, &self.value].concat()
    }

    /// `None` for what somebody else wrote there.
    pub(crate) fn of_bytes(place: Key, bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(Self::start(place).as_slice())?;
        let (writer, rest) = rest.split_first_chunk()?;
        let rest = rest.strip_prefix(&[1])?;
        let (mark, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let value = rest.get(..u16::from_be_bytes(*length).into())?.to_vec();
        is_value(&value).then_some(Self { writer: Key(*writer), mark: Mark(*mark), value })
    }
}

/// A value as a memo: those have to be text.
pub(crate) fn memo(value: &[u8]) -> String {
    STANDARD_NO_PAD.encode(value)
}

/// The value in a transaction that names a place, and who paid for it; only what all who sign it have signed.
pub(crate) fn of_transaction(place: Key, transaction: &Transaction) -> Option<(Key, Vec<u8>)> {
    transaction.message.keys.contains(&place).then_some(())?;
    let memos = transaction.message.told().filter(|(program, _)| *program == MEMO_PROGRAM);
    let value =
        memos.filter_map(|(_, text)| STANDARD_NO_PAD.decode(text).ok()).find(|value| is_value(value))?;
    transaction.verifies().then_some((transaction.payer()?, value))
}

fn is_value(value: &[u8]) -> bool {
    (1..=MAX_VALUE).contains(&value.len())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use proptest::prelude::*;

    use super::*;
    use crate::wire::{Instruction, Message, Signature};

    fn entry(length: usize) -> Entry {
        Entry { writer: Key([7; 32]), mark: Mark::of(b"one", b""), value: vec![0xab; length] }
    }

    #[test]
    fn an_account_begins_with_three_keys_and_the_length_ends_the_value() {
        let place = place_of(&Locator::new(&[5; 20]).unwrap());
        let bytes = entry(168).to_bytes(place);
        assert_eq!((bytes.len(), Entry::start(place).len()), (HEAD + 168, START));
        assert_eq!((bytes[0], bytes[33], bytes[66], bytes[99]), (3, 0, 0, 1));
        assert!(bytes.starts_with(&Entry::start_of(place, Key([7; 32]), Mark::of(b"one", b""))));
        // What was longer before stays behind it.
        let longer = [&bytes[..], &[0xcd; 300]].concat();
        assert_eq!(Entry::of_bytes(place, &longer), Some(entry(168)));
        assert_eq!(Entry::of_bytes(place_of(&Locator::new(&[6; 20]).unwrap()), &bytes), None);
    }

    #[test]
    fn what_others_wrote_there_is_passed_over() {
        let place = Key([5; 32]);
        let bytes = entry(168).to_bytes(place);
        for end in 0..bytes.len() {
            assert_eq!(Entry::of_bytes(place, &bytes[..end]), None);
        }
        let mut unsigned = bytes.clone();
        unsigned[99] = 0;
        assert_eq!(Entry::of_bytes(place, &unsigned), None);
        for length in [0, MAX_VALUE + 1, 0xffff] {
            assert_eq!(Entry::of_bytes(place, &entry(length).to_bytes(place)), None, "{length}");
        }
        assert!(Entry::of_bytes(place, &entry(MAX_VALUE).to_bytes(place)).is_some());
    }

    #[test]
    fn a_memo_is_read_where_it_names_the_place_and_is_signed() {
        let (signer, place) = (SigningKey::from_bytes(&[7; 32]), Key([5; 32]));
        let payer = Key(signer.verifying_key().to_bytes());
        let made = |text: String, key: Key, good: bool| {
            let steps = [Instruction::name(payer, key), Instruction::memo(text)];
            let message = Message::new(payer, &steps, Key([3; 32]));
            let mut signature = signer.sign(&message.to_bytes()).to_bytes();
            signature[0] ^= u8::from(!good);
            Transaction::new(message, vec![Signature(signature)]).unwrap()
        };
        let value = vec![0xab; MAX_VALUE];
        assert_eq!(of_transaction(place, &made(memo(&value), place, true)), Some((payer, value.clone())));
        assert_eq!(of_transaction(place, &made(memo(&value), Key([6; 32]), true)), None);
        assert_eq!(of_transaction(place, &made(memo(&value), place, false)), None);
        for text in [String::new(), "hello, world!".into(), memo(&vec![0; MAX_VALUE + 1])] {
            assert_eq!(of_transaction(place, &made(text, place, true)), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let place = Key([5; 32]);
            let begun = [&Entry::start(place)[..], &bytes].concat();
            if let Some(entry) = Entry::of_bytes(place, &begun) {
                prop_assert!(begun.starts_with(&entry.to_bytes(place)));
            }
        }
    }
}
