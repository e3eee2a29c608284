//! What an announcement does on the chain, and what it costs. Pure.

use crate::layout::{Entry, Mark, memo};
use crate::wire::{Instruction, Key, Message, STORE_PROGRAM};

/// What is to be written, and by whom.
#[derive(Debug, Clone)]
pub(crate) struct Writing {
    pub(crate) place: Key,
    pub(crate) mark: Mark,
    pub(crate) value: Vec<u8>,
    /// Who pays, and may change it later.
    pub(crate) writer: Key,
}

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Into an account that is there and has room.
    Change(Key),
    /// Into a new one with so many bytes, which holds so many lamports for ever.
    Create { space: u64, deposit: u64 },
    /// Into a memo.
    Memo,
}

/// A way, and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) way: Way,
    /// In lamports, without a deposit.
    pub(crate) fee: u64,
    units: u32,
    price: u32,
}

/// What the chain takes for a signature, in lamports.
const PER_SIGNATURE: u64 = 5000;
/// More than creating and writing an account takes, some 3000.
const STORE_UNITS: u32 = 20_000;
/// More than a memo takes: some 2000, and 350 for each letter.
const MEMO_UNITS: u32 = 20_000;
const LETTER_UNITS: u32 = 450;

impl Plan {
    /// At a price for each unit of work, in millionths of a lamport.
    pub(crate) fn new(way: Way, writing: &Writing, price: u32) -> Self {
        let letters = u32::try_from(memo(&writing.value).len()).unwrap_or(u32::MAX);
        let units = match way {
            Way::Memo => MEMO_UNITS.saturating_add(letters.saturating_mul(LETTER_UNITS)),
            Way::Change(_) | Way::Create { .. } => STORE_UNITS,
        };
        let signatures = if matches!(way, Way::Create { .. }) { 2 } else { 1 };
        let fee = PER_SIGNATURE * signatures + (u64::from(units) * u64::from(price)).div_ceil(1_000_000);
        Self { way, fee, units, price }
    }

    /// All that leaves the wallet, in lamports.
    pub(crate) fn cost(&self) -> u64 {
        let deposit = if let Way::Create { deposit, .. } = self.way { deposit } else { 0 };
        self.fee.saturating_add(deposit)
    }

    /// How often the user's key signs: for a new account also once to derive its key.
    pub(crate) fn signatures(&self) -> u32 {
        if matches!(self.way, Way::Create { .. }) { 2 } else { 1 }
    }

    /// The message that does it. `created` is the key of a new account.
    pub(crate) fn message(&self, writing: &Writing, created: Key, blockhash: Key) -> Message {
        let writer = writing.writer;
        let entry = || {
            let entry = Entry { writer, mark: writing.mark, value: writing.value.clone() };
            entry.to_bytes(writing.place)
        };
        let mut steps = vec![Instruction::limit(self.units)];
        if self.price > 0 {
            steps.push(Instruction::price(self.price.into()));
        }
        match self.way {
            Way::Change(account) => steps.push(Instruction::store(account, writer, false, entry())),
            Way::Create { space, deposit } => {
                steps.push(Instruction::create(writer, created, deposit, space, STORE_PROGRAM));
                steps.push(Instruction::store(created, writer, true, entry()));
            }
            Way::Memo => {
                steps.push(Instruction::name(writer, writing.place));
                steps.push(Instruction::memo(memo(&writing.value)));
            }
        }
        Message::new(writer, &steps, blockhash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::MAX_VALUE;
    use crate::wire::{LARGEST, Signature, Transaction};

    #[test]
    fn the_largest_value_fits_into_a_transaction_in_every_way() {
        let writing = Writing {
            place: Key([5; 32]),
            mark: Mark::of(b"", b""),
            value: vec![7; MAX_VALUE],
            writer: Key([7; 32]),
        };
        for way in [Way::Change(Key([8; 32])), Way::Create { space: 662, deposit: 5_500_000 }, Way::Memo] {
            let plan = Plan::new(way, &writing, u32::MAX);
            let message = plan.message(&writing, Key([9; 32]), Key([3; 32]));
            let signatures = vec![Signature([0; 64]); message.signers()];
            let length = Transaction::new(message, signatures).unwrap().to_bytes().len();
            assert!(length <= LARGEST, "{way:?} {length}");
        }
    }

    #[test]
    fn a_signature_costs_5000_lamports_and_work_what_is_set() {
        let writing = Writing {
            place: Key([5; 32]),
            mark: Mark::of(b"", b""),
            value: vec![7; 168],
            writer: Key([7; 32]),
        };
        let of = |way, price| Plan::new(way, &writing, price);
        let create = Way::Create { space: 278, deposit: 2_825_760 };
        assert_eq!((of(create, 0).fee, of(create, 0).cost()), (10_000, 2_835_760));
        assert_eq!(of(Way::Change(Key([8; 32])), 1_000_000).fee, 5000 + 20_000);
        assert_eq!(of(Way::Memo, 1).cost(), 5001);
        assert_eq!((of(create, 0).signatures(), of(Way::Memo, 0).signatures()), (2, 1));
    }
}
