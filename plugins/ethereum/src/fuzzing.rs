//! What must hold whatever nodes answer. `fuzz/` feeds it for as long as one likes, the tests below with its corpus and with chance.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolValue;
use bitboot_rpc::{Refusal, Unread, read};
use serde::de::DeserializeOwned;

use crate::answers::{Block, FeeHistory, Log, MOST_BLOCKS, Receipt};
use crate::contract::{EVENT, MAX_VALUE, Page, event_of, page_of};
use crate::fees::{Price, told};
use crate::node::{Handed, meant};
pub use crate::scan::fuzzing::kept;
use crate::scan::fuzzing::logs;
use crate::send::Sent;

/// JSON, as the answer to each question that there is.
pub fn answers(json: &[u8]) {
    let Some(said) = Unread::of(json) else { return };
    assert!(is::<Block>(&said).is_none_or(|block| block.number < MOST_BLOCKS));
    if let Some(told) = is::<Vec<Log>>(&said) {
        for log in &told {
            event(&log.topics, &log.data);
        }
        logs(told);
    }
    if let Some(wei) = is::<U256>(&said) {
        amount(wei);
    }
    if let Some(data) = is::<Bytes>(&said) {
        page(&data, 4);
    }
    if let Some(base) = is::<FeeHistory>(&said).and_then(|fees| fees.next()) {
        let price = Price::of(base, 3_000_000_000);
        assert!(price.most >= price.base && price.most >= price.tip);
        amount(U256::from(price.most));
    }
    if let Some(receipt) = is::<Receipt>(&said) {
        let most = U256::from(u64::MAX);
        let sent = Sent { hash: B256::ZERO, nonce: 0, taken: 1, most, receipt: Some(receipt) };
        // What a node says of a fee makes it no higher.
        assert!(sent.fee() <= most);
        assert!(sent.outcome().unwrap_or_else(|error| error.to_string()).len() < 400);
    }
    if let Some(refusal) = is::<Refusal>(&said) {
        let line = refusal.to_string();
        assert!(line.chars().count() <= 330 && !line.chars().any(char::is_control));
        assert!(!matches!(meant(refusal), Handed::Unknown(_)));
    }
}

/// What a contract's event has in it, and what a call of it answers: the first byte says which, and how many slots were asked for.
pub fn abi(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    if first & 1 == 0 {
        let topics: Vec<B256> = rest.chunks_exact(32).take(2).map(B256::from_slice).collect();
        event(&[&[EVENT][..], &topics].concat(), rest.get(64..).unwrap_or_default());
    } else {
        page(rest, (first >> 1).into());
    }
}

fn is<T: DeserializeOwned>(said: &Unread) -> Option<T> {
    read(said.clone()).ok()
}

/// A log is an event or none; what it says is the same where it is read by the letter of the ABI.
fn event(topics: &[B256], data: &[u8]) {
    let log = |data: Bytes| Log {
        address: Address::ZERO,
        topics: topics.to_vec(),
        data,
        block: None,
        index: None,
        removed: false,
    };
    let Some((writer, value)) = event_of(&log(Bytes::copy_from_slice(data))) else { return };
    assert!((1..=MAX_VALUE).contains(&value.len()) && topics.len() == 3 && topics[0] == EVENT);
    assert_eq!(topics[2][12..], writer[..]);
    assert_eq!(by_the_letter(data), Some(&value[..]));
    assert_eq!(event_of(&log(value.abi_encode().into())), Some((writer, value)));
}

/// The bytes that lie where the first word says: their length, then themselves.
fn by_the_letter(data: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| usize::try_from(U256::from_be_slice(data.get(at..at.checked_add(32)?)?)).ok();
    let start = word(0)?;
    let (length, start) = (word(start)?, start.checked_add(32)?);
    data.get(start..start.checked_add(length)?)
}

/// A page has no more than was asked for, and is the same after it was written by the whole of alloy's ABI and read again.
fn page(answer: &[u8], most: u64) {
    let Some(Page { count, slots }) = page_of(answer, most) else { return };
    assert!(slots.len() as u64 <= most && slots.iter().all(|(_, value)| value.len() <= MAX_VALUE));
    let (writers, values): (Vec<Address>, Vec<Bytes>) = slots.iter().cloned().unzip();
    let written = (U256::from(count), writers, values).abi_encode_params();
    assert_eq!(page_of(&written, most), Some(Page { count, slots }));
}

/// What is told of an amount says it to the last wei.
fn amount(wei: U256) {
    let text = told(wei);
    let number = text.split(' ').next().unwrap_or_default();
    let (whole, places) = number.split_once('.').unwrap_or((number, ""));
    assert!(!places.ends_with('0') && text.len() < 100);
    assert_eq!(format!("{whole}{places:0<18}").parse(), Ok(wei));
}

#[cfg(test)]
mod tests {
    use bitboot_rpc::testing::hold;

    #[test]
    fn the_checks_hold() {
        hold(
            env!("CARGO_MANIFEST_DIR"),
            1024,
            &[("answers", super::answers), ("abi", super::abi), ("kept", super::kept)],
        );
    }
}
