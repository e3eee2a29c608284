//! What must hold whatever a node answers.
#![expect(clippy::missing_panics_doc, reason = "what does not hold panics: that is what it is for")]

use bitboot_rpc::{Refusal, Unread, read};
use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, Block, BlockHash, OutPoint, ScriptBuf, Transaction, TxOut, WPubkeyHash};
use serde::de::DeserializeOwned;

use super::blocks::{block_of, first_spent};
use super::coins::{coin_of, coins_of, sum, transaction_of};
use super::told::{
    Estimate, Header, Height, Indexes, Info, MOST_BLOCKS, Output, Relevant, Scanned, Spent, Undone, amount,
};
use crate::coins::Plan;

/// JSON, as the answer to each question that there is.
pub fn answers(json: &[u8]) {
    let Some(said) = Unread::of(json) else { return };
    let heights = [
        is(&said).map(|Height(height)| height),
        is::<Info>(&said).map(|info| info.blocks),
        is::<Header>(&said).map(|header| header.height),
        is::<Indexes>(&said).and_then(|indexes| indexes.basic).map(|basic| basic.best_block_height),
    ];
    assert!(heights.into_iter().flatten().all(|height| height < MOST_BLOCKS));
    let owner = ScriptBuf::new_p2wpkh(&WPubkeyHash::all_zeros());
    if let Some(scanned) = is::<Scanned>(&said) {
        spends(&scanned, &owner);
    }
    if let Some(output) = is::<Output>(&said) {
        let coin = coin_of(&output, OutPoint::null(), Some(&owner));
        assert!(coin.is_none_or(|coin| coin.value <= Amount::MAX_MONEY));
    }
    let _ = (is::<Relevant>(&said), is::<Vec<Spent>>(&said));
    let amounts = [
        is::<Undone>(&said).and_then(|undone| first_spent(&undone)),
        is::<Estimate>(&said).and_then(|told| told.feerate).and_then(amount),
    ];
    assert!(amounts.into_iter().flatten().all(|amount| amount <= Amount::MAX_MONEY));
    if let Some(text) = is::<String>(&said) {
        if let Ok(block) = deserialize_hex::<Block>(&text) {
            block_is(&text, block.block_hash());
        }
        if let Ok(transaction) = deserialize_hex::<Transaction>(&text) {
            let id = transaction.compute_txid();
            assert_eq!(transaction_of(&text, id).as_ref(), Some(&transaction));
        }
    }
    if let Some(refusal) = is::<Refusal>(&said) {
        let line = refusal.to_string();
        assert!(line.chars().count() <= 330 && !line.chars().any(char::is_control));
    }
}

/// A block is believed only by its own hash, and never without transactions.
pub(crate) fn block_is(text: &str, hash: BlockHash) {
    assert_eq!(block_of(text, BlockHash::all_zeros()), None);
    let block = block_of(text, hash);
    assert!(block.is_none_or(|block| block.block_hash() == hash && !block.txdata.is_empty()));
}

fn is<T: DeserializeOwned>(said: &Unread) -> Option<T> {
    read(said.clone()).ok()
}

/// Whatever coins there are said to be: what is spent of them goes to the network, into the fee, or back.
fn spends(scanned: &Scanned, owner: &ScriptBuf) {
    let coins = coins_of(scanned, owner);
    assert!(coins.len() <= scanned.unspents.len());
    let all = sum(&coins);
    assert!(coins.iter().all(|coin| coin.value <= all && coin.value <= Amount::MAX_MONEY));
    let output = TxOut { value: Amount::from_sat(294), script_pubkey: owner.clone() };
    for rate in [0, 1000, 100_000, u64::MAX] {
        let Some(plan) = Plan::new(coins.clone(), std::slice::from_ref(&output), owner, rate) else {
            continue;
        };
        let change = plan.transaction.output[1].value;
        assert_eq!(change.checked_add(plan.cost), Some(sum(&plan.coins)));
        assert!(plan.cost >= output.value && plan.transaction.input.len() == plan.coins.len());
    }
}
