//! Which coins pay for an announcement, and what the transaction costs. Pure.

use std::cmp::Reverse;

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};

use crate::node::Coin;

/// A transaction that is not signed yet.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) transaction: Transaction,
    /// What its inputs spend, in their order.
    pub(crate) coins: Vec<Coin>,
    /// What the owner will have less: the fee, and what the outputs for the network hold, which nobody can spend.
    pub(crate) cost: Amount,
}

/// A signature of DER form with its byte of kind at its longest, `s` being low; and a compressed key.
const WITNESS: [&[u8]; 2] = [&[0; 72], &[0; 33]];
/// More inputs than this cost more than they are worth here.
const MOST_COINS: usize = 50;

impl Plan {
    /// Spends as few coins as are enough, the largest of the confirmed ones first, on the outputs for the network; what is left goes back
    /// to the owner. `None` where all coins together are not enough.
    pub(crate) fn new(mut coins: Vec<Coin>, outputs: &[TxOut], owner: &ScriptBuf, rate: u64) -> Option<Self> {
        coins.sort_by_key(|coin| (Reverse(coin.confirmed), Reverse(coin.value), coin.at));
        (1..=coins.len().min(MOST_COINS)).find_map(|count| Self::of(&coins[..count], outputs, owner, rate))
    }

    /// One for each input.
    pub(crate) fn signatures(&self) -> u32 {
        u32::try_from(self.coins.len()).unwrap_or(u32::MAX)
    }

    fn of(coins: &[Coin], outputs: &[TxOut], owner: &ScriptBuf, rate: u64) -> Option<Self> {
        let total: Amount = coins.iter().try_fold(Amount::ZERO, |sum, coin| sum.checked_add(coin.value))?;
        let fee = fee_of(&transaction(coins, outputs, owner, total), rate)?;
        let cost = outputs.iter().try_fold(fee, |sum, output| sum.checked_add(output.value))?;
        // Always with something left: Bitcoin Knots takes no transaction that has nothing but data ("bare-datacarrier").
        let change = total.checked_sub(cost).filter(|change| *change >= owner.minimal_non_dust())?;
        let transaction = unsigned(transaction(coins, outputs, owner, change));
        Some(Self { transaction, coins: coins.to_vec(), cost })
    }
}

/// With witnesses as long as they can become.
fn transaction(coins: &[Coin], outputs: &[TxOut], owner: &ScriptBuf, change: Amount) -> Transaction {
    let input = |coin: &Coin| TxIn {
        previous_output: coin.at,
        script_sig: ScriptBuf::new(),
        // Its fee can still be raised by its owner (BIP 125).
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::from_slice(&WITNESS),
    };
    let input = coins.iter().map(input).collect();
    let change = TxOut { value: change, script_pubkey: owner.clone() };
    let output = outputs.iter().cloned().chain([change]).collect();
    Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input, output }
}

fn unsigned(mut transaction: Transaction) -> Transaction {
    transaction.input.iter_mut().for_each(|input| input.witness = Witness::new());
    transaction
}

/// At a rate in satoshi for 1000 virtual bytes.
fn fee_of(transaction: &Transaction, rate: u64) -> Option<Amount> {
    let size = u64::try_from(transaction.vsize()).ok()?;
    size.checked_mul(rate).map(|milli| Amount::from_sat(milli.div_ceil(1000)))
}

#[cfg(test)]
mod tests {
    use bitcoin::hashes::Hash;
    use bitcoin::{OutPoint, Txid, WPubkeyHash};

    use super::*;

    fn coin(number: u8, value: u64, confirmed: bool) -> Coin {
        Coin {
            at: OutPoint::new(Txid::from_byte_array([number; 32]), 0),
            value: Amount::from_sat(value),
            confirmed,
        }
    }

    fn message() -> TxOut {
        TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::new_op_return([1; 35]) }
    }

    fn program(byte: u8) -> ScriptBuf {
        ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([byte; 20]))
    }

    fn plan(coins: &[Coin], rate: u64) -> Option<Plan> {
        Plan::new(coins.to_vec(), &[message()], &program(7), rate)
    }

    #[test]
    fn what_lies_in_the_outputs_is_a_part_of_the_cost() {
        let index = TxOut { value: program(1).minimal_non_dust(), script_pubkey: program(1) };
        let coins = vec![coin(1, 10_000, true)];
        let plan = Plan::new(coins.clone(), &[message(), index.clone()], &program(7), 2000).unwrap();
        // 31 virtual bytes more, and what is lost.
        assert_eq!(plan.cost.to_sat(), (156 + 31) * 2 + 294);
        assert_eq!(plan.transaction.output[1], index);
        assert_eq!(plan.transaction.output[2].value.to_sat(), 10_000 - plan.cost.to_sat());
        let much = TxOut { value: Amount::MAX, ..index };
        assert!(Plan::new(coins, &[message(), much], &program(7), 2000).is_none());
    }

    #[test]
    fn the_fee_is_for_the_signed_size_and_the_rest_comes_back() {
        let plan = plan(&[coin(1, 10_000, true)], 2000).unwrap();
        // 10.5 + 68 of the input, 46 and 31 of the outputs: 156 virtual bytes.
        assert_eq!(plan.cost.to_sat(), 156 * 2);
        assert_eq!(plan.transaction.output[1].value.to_sat(), 10_000 - 312);
        assert_eq!(plan.transaction.output[0].value, Amount::ZERO);
    }

    #[test]
    fn confirmed_and_large_coins_go_first_and_dust_is_never_left() {
        let coins = [coin(1, 400, true), coin(2, 440, true), coin(3, 9000, false)];
        assert_eq!(plan(&coins, 1000).unwrap().coins, [coins[1], coins[0]]);
        assert_eq!(plan(&coins, 10_000).unwrap().coins.len(), 3);
        assert!(plan(&coins[..1], 1000).is_none() && plan(&[], 1000).is_none());
        assert!(plan(&coins, u64::MAX).is_none());
    }
}
