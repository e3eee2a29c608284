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
    pub(crate) fee: Amount,
}

/// A signature of DER form with its byte of kind at its longest, `s` being low; and a compressed key.
const WITNESS: [&[u8]; 2] = [&[0; 72], &[0; 33]];
/// More inputs than this cost more than they are worth here.
const MOST_COINS: usize = 50;

impl Plan {
    /// Spends as few coins as are enough, the largest of the confirmed ones first, on an output with the message; what is left goes back
    /// to the owner. `None` where all coins together are not enough.
    pub(crate) fn new(mut coins: Vec<Coin>, message: &ScriptBuf, owner: &ScriptBuf, rate: u64) -> Option<Self> {
        coins.sort_by_key(|coin| (Reverse(coin.confirmed), Reverse(coin.value), coin.at));
        (1..=coins.len().min(MOST_COINS)).find_map(|count| Self::of(&coins[..count], message, owner, rate))
    }

    fn of(coins: &[Coin], message: &ScriptBuf, owner: &ScriptBuf, rate: u64) -> Option<Self> {
        let total: Amount = coins.iter().try_fold(Amount::ZERO, |sum, coin| sum.checked_add(coin.value))?;
        let with_change = transaction(coins, message, Some((owner, total)));
        let (fee, least) = (fee_of(&with_change, rate)?, owner.minimal_non_dust());
        if let Some(change) = total.checked_sub(fee).filter(|change| *change >= least) {
            let transaction = transaction(coins, message, Some((owner, change)));
            return Some(Self { transaction: unsigned(transaction), coins: coins.to_vec(), fee });
        }
        // Too little to give back: all of it is the fee.
        let without = transaction(coins, message, None);
        (fee_of(&without, rate)? <= total).then(|| Self {
            transaction: unsigned(without),
            coins: coins.to_vec(),
            fee: total,
        })
    }
}

/// With witnesses as long as they can become.
fn transaction(coins: &[Coin], message: &ScriptBuf, change: Option<(&ScriptBuf, Amount)>) -> Transaction {
    let input = |coin: &Coin| TxIn {
        previous_output: coin.at,
        script_sig: ScriptBuf::new(),
        // Its fee can still be raised by its owner (BIP 125).
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::from_slice(&WITNESS),
    };
    let mut output = vec![TxOut { value: Amount::ZERO, script_pubkey: message.clone() }];
    output.extend(change.map(|(owner, value)| TxOut { value, script_pubkey: owner.clone() }));
    Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input: coins.iter().map(input).collect(), output }
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
