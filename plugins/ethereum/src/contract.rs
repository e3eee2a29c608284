//! The contract: where it lies, how it is called, and what it tells. Pure.

use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use alloy_sol_types::abi::token::{DynSeqToken, PackedSeqToken, WordToken};
use alloy_sol_types::{SolCall, SolEvent, abi};
use bitboot_plugin_api::{Locator, Result};
use serde::Deserialize;

use crate::answers::Log;
use crate::config::Mode;

use words::{Announced, announceCall, setCall, slotsCall};

mod words {
    alloy_sol_types::sol! {
        event Announced(bytes32 indexed key, address indexed writer, bytes value);
        function announce(bytes32 key, bytes value);
        function set(bytes32 key, bytes value);
        function slots(bytes32 key, uint256 before, uint256 most) returns (uint256, address[], bytes[]);
    }
}

/// The contract as it was compiled, `contract/Bitboot.json`.
#[derive(Debug, Deserialize)]
pub(crate) struct Compiled {
    /// What a transaction that makes it carries.
    pub(crate) bytecode: Bytes,
    /// What then lies at its address.
    #[serde(rename = "deployedBytecode")]
    pub(crate) deployed: Bytes,
}

/// A page of the slots under a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// How many writers there are in all.
    pub(crate) count: u64,
    pub(crate) slots: Vec<(Address, Bytes)>,
}

/// Makes contracts at an address that depends on their code alone; anybody could put it on nearly every chain, and somebody did
/// (<https://github.com/Arachnid/deterministic-deployment-proxy>).
pub(crate) const DEPLOYER: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");
/// The largest value that the contract takes.
pub(crate) const MAX_VALUE: usize = 1024;
/// What an event of the contract begins with.
pub(crate) const EVENT: B256 = Announced::SIGNATURE_HASH;

impl Compiled {
    pub(crate) fn read() -> Result<Self> {
        Ok(serde_json::from_str(include_str!("../contract/Bitboot.json"))?)
    }

    /// Where it lies on every chain that has [`DEPLOYER`] (EIP-1014).
    pub(crate) fn address(&self) -> Address {
        DEPLOYER.create2_from_code(B256::ZERO, &self.bytecode)
    }

    /// What [`DEPLOYER`] is told to make it.
    pub(crate) fn deployment(&self) -> Bytes {
        [B256::ZERO.as_slice(), &self.bytecode].concat().into()
    }
}

/// The key under which a locator's values lie.
pub(crate) fn key_of(locator: &Locator) -> B256 {
    keccak256([b"bitboot/1 ethereum", locator.as_bytes()].concat())
}

/// The call that announces a value.
pub(crate) fn announcement(mode: Mode, key: B256, value: Vec<u8>) -> Bytes {
    let value = Bytes::from(value);
    match mode {
        Mode::Event => announceCall { key, value }.abi_encode(),
        Mode::Storage => setCall { key, value }.abi_encode(),
    }
    .into()
}

/// Who wrote what, if a log is of such an event.
pub(crate) fn event_of(log: &Log) -> Option<(Address, Bytes)> {
    let event = Announced::decode_raw_log(&log.topics, &log.data).ok()?;
    (1..=MAX_VALUE).contains(&event.value.len()).then_some((event.writer, event.value))
}

/// The call that reads slots: at most so many, those before a number, the newest first.
pub(crate) fn page_call(key: B256, before: u64, most: u64) -> Bytes {
    slotsCall { key, before: U256::from(before), most: U256::from(most) }.abi_encode().into()
}

/// What that call answers. `None` for what is no answer: a node may say anything, also that a few bytes are many values.
pub(crate) fn page_of(answer: &[u8], most: u64) -> Option<Page> {
    type Answer<'a> = (WordToken, DynSeqToken<WordToken>, DynSeqToken<PackedSeqToken<'a>>);
    let (count, DynSeqToken(writers), DynSeqToken(values)) = abi::decode_params::<Answer<'_>>(answer).ok()?;
    let is_sane = writers.len() == values.len() && writers.len() as u64 <= most;
    // Looked at before anything of it is copied.
    if !is_sane || values.iter().any(|value| value.0.len() > MAX_VALUE) {
        return None;
    }
    let slot = |(writer, value): (WordToken, PackedSeqToken<'_>)| {
        (Address::from_word(writer.0), Bytes::copy_from_slice(value.0))
    };
    let count = U256::from_be_bytes(count.0.0).saturating_to();
    Some(Page { count, slots: writers.into_iter().zip(values).map(slot).collect() })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{b256, hex};
    use alloy_sol_types::SolValue;
    use serde_json::Value;

    use super::*;

    fn answer(count: u64, writers: &[u8], values: &[&[u8]]) -> Vec<u8> {
        let writers: Vec<Address> = writers.iter().map(|byte| Address::repeat_byte(*byte)).collect();
        let values: Vec<Bytes> = values.iter().map(|value| Bytes::copy_from_slice(value)).collect();
        (U256::from(count), writers, values).abi_encode_params()
    }

    #[test]
    fn calls_are_those_of_the_compiled_contract() {
        let compiled: Value = serde_json::from_str(include_str!("../contract/Bitboot.json")).unwrap();
        let selector = |name: &str| hex::decode(compiled["methods"][name].as_str().unwrap()).unwrap();
        let key = B256::repeat_byte(7);
        let starts = [
            (announcement(Mode::Event, key, vec![1]), "announce(bytes32,bytes)"),
            (announcement(Mode::Storage, key, vec![1]), "set(bytes32,bytes)"),
            (page_call(key, 1, 1), "slots(bytes32,uint256,uint256)"),
        ];
        for (call, name) in starts {
            assert_eq!(call[..4], selector(name), "{name}");
        }
        assert_eq!(EVENT, keccak256("Announced(bytes32,address,bytes)"));
        assert!(Compiled::read().unwrap().deployment().len() > 1000);
    }

    #[test]
    fn a_call_has_the_bytes_of_the_abi() {
        // By the specification: the key, where the value begins, its length, the value filled up.
        let call = announcement(Mode::Storage, B256::repeat_byte(0x11), vec![0xab; 3]);
        let rest = [
            [0x11; 32],
            b256!("0000000000000000000000000000000000000000000000000000000000000040").0,
            b256!("0000000000000000000000000000000000000000000000000000000000000003").0,
            b256!("ababab0000000000000000000000000000000000000000000000000000000000").0,
        ];
        assert_eq!(call[..4], hex!("aac438c0"));
        assert_eq!(call[4..], rest.concat());
    }

    #[test]
    fn the_key_is_bound_to_the_medium_and_the_locator() {
        let locator = |byte: u8| Locator::new(&[byte; 20]).unwrap();
        assert_eq!(key_of(&locator(1)), keccak256([b"bitboot/1 ethereum".as_slice(), &[1; 20]].concat()));
        assert_ne!(key_of(&locator(1)), key_of(&locator(2)));
    }

    #[test]
    fn an_event_is_read_and_others_are_none() {
        let (key, writer) = (B256::repeat_byte(1), Address::repeat_byte(2));
        let log = |topics: &[B256], value: &[u8]| Log {
            address: Address::ZERO,
            topics: topics.to_vec(),
            data: Bytes::copy_from_slice(value).abi_encode().into(),
            block: None,
            index: None,
            removed: false,
        };
        let topics = [EVENT, key, writer.into_word()];
        assert_eq!(event_of(&log(&topics, b"value")), Some((writer, Bytes::from_static(b"value"))));
        assert_eq!(event_of(&log(&topics, b"")), None);
        assert_eq!(event_of(&log(&topics, &[7; MAX_VALUE + 1])), None);
        assert_eq!(event_of(&log(&topics[..2], b"value")), None);
        assert_eq!(event_of(&log(&[key, key, key], b"value")), None);
        let mut cut = log(&topics, &[7; 100]);
        for length in 0..cut.data.len() {
            cut.data.truncate(length);
            let _ = event_of(&cut);
        }
        // A length beyond all that is there.
        cut.data = [U256::from(32), U256::MAX].map(|word| word.to_be_bytes::<32>()).concat().into();
        assert_eq!(event_of(&cut), None);
    }

    #[test]
    fn pages_are_read_and_lies_are_none() {
        let page = page_of(&answer(9, &[1, 2], &[b"a", b"bc"]), 2).unwrap();
        assert_eq!((page.count, page.slots.len()), (9, 2));
        assert_eq!(page.slots[1], (Address::repeat_byte(2), Bytes::from_static(b"bc")));
        assert!(page_of(&answer(2, &[1, 2], &[b"a", b"b"]), 1).is_none(), "more than was asked for");
        assert!(page_of(&answer(2, &[1], &[b"a", b"b"]), 2).is_none(), "a writer is missing");
        assert!(page_of(&answer(1, &[1], &[&[7; MAX_VALUE + 1]]), 1).is_none(), "too long");
        let whole = answer(2, &[1, 2], &[&[7; 100], &[8; 50]]);
        (0..whole.len() - 31).for_each(|length| assert!(page_of(&whole[..length], 2).is_none(), "{length}"));
    }

    #[test]
    fn an_answer_that_points_at_one_value_many_times_is_not_copied() {
        // 4000 times the same megabyte.
        let words = |words: &[u64]| {
            words.iter().flat_map(|word| U256::from(*word).to_be_bytes::<32>()).collect::<Vec<_>>()
        };
        let many = 4000_u64;
        let mut bomb = words(&[many, 96, 96 + 32 * (many + 1), many]);
        bomb.extend(words(&vec![1; usize::try_from(many).unwrap()]));
        bomb.extend(words(&[many]));
        bomb.extend(words(&vec![32 * many; usize::try_from(many).unwrap()]));
        bomb.extend(words(&[1 << 20]));
        bomb.resize(bomb.len() + (1 << 20), 7);
        assert!(page_of(&bomb, many).is_none());
    }
}
