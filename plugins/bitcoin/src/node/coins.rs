//! Coins and transactions that wait: what there is to spend, what it costs, and handing over.

use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use bitboot_rpc::{Node as _, Trouble, Unread, read};
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, Txid};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::told::{Estimate, Least, Output, Scanned, Spent, Unspent, amount};
use super::{Node, is_busy};

/// An output that is not spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coin {
    pub(crate) at: OutPoint,
    pub(crate) value: Amount,
    pub(crate) confirmed: bool,
}

/// A mined coin can be spent after so many blocks.
const MATURITY: u32 = 100;
/// Between questions whether another search is over.
const PAUSE: Duration = Duration::from_secs(1);
/// Refusals of `sendrawtransaction` that say that it is there already (`RPC_VERIFY_ALREADY_IN_UTXO_SET`).
const ALREADY_THERE: i64 = -27;

impl Node {
    /// The ids of all transactions that wait for a block.
    pub(crate) async fn waiting(&self) -> Result<Vec<Txid>> {
        self.ask_large("getrawmempool", json!([])).await
    }

    /// Transactions that wait for a block, or of which the node keeps an index; `None` for others.
    pub(crate) async fn transactions(&self, ids: &[Txid]) -> Result<Vec<Option<Transaction>>> {
        let params: Vec<Value> = ids.iter().map(|id| json!([id])).collect();
        let texts: Vec<Option<String>> = self.ask_all("getrawtransaction", &params).await?;
        Ok(texts.iter().zip(ids).map(|(text, id)| transaction_of(text.as_ref()?, *id)).collect())
    }

    /// An output in the chain that no block has spent; one that waits, and is not spent there either, if `waiting`.
    pub(crate) async fn output(
        &self,
        at: OutPoint,
        script: Option<&ScriptBuf>,
        waiting: bool,
    ) -> Result<Option<Coin>> {
        let Some(output) = self.ask_maybe::<Output>("gettxout", json!([at.txid, at.vout, waiting])).await?
        else {
            return Ok(None);
        };
        Ok(coin_of(&output, at, script))
    }

    /// All that a script owns, by a search of the whole set of unspent outputs, which has to end in time.
    pub(crate) async fn coins(&self, script: &ScriptBuf, until: Instant) -> Result<Vec<Coin>> {
        self.check().await?;
        let params = json!(["start", [format!("raw({})", script.to_hex_string())]]);
        let answer = timeout_at(until, self.search(params)).await.unwrap_or_else(|_| Err(too_late()))?;
        let scanned: Scanned = read(answer)?;
        if !scanned.success {
            return Err(Error::new(ErrorKind::Other, "the node did not finish its search of coins"));
        }
        Ok(coins_of(&scanned, script))
    }

    /// One search at a time: where another one is under way its end is waited for. It may be one of ours that was given up, which the node goes on
    /// with.
    async fn search(&self, params: Value) -> Result<Unread> {
        loop {
            match self.patient.ask("scantxoutset", params.clone()).await {
                Err(Trouble::Refused(refusal)) if is_busy(&refusal) => tokio::time::sleep(PAUSE).await,
                Err(Trouble::Failed(error)) if error.kind == ErrorKind::TimedOut => return Err(too_late()),
                answer => return Ok(answer?),
            }
        }
    }

    /// By which waiting transaction each output is spent.
    pub(crate) async fn spenders(&self, coins: &[OutPoint]) -> Result<Vec<Option<Txid>>> {
        let asked: Vec<Value> = coins.iter().map(|at| json!({ "txid": at.txid, "vout": at.vout })).collect();
        let spent: Option<Vec<Spent>> = self.ask_maybe("gettxspendingprevout", json!([asked])).await?;
        let spent = spent.filter(|spent| spent.len() == coins.len());
        Ok(spent.map_or_else(
            || vec![None; coins.len()],
            |spent| spent.into_iter().map(|one| one.spendingtxid).collect(),
        ))
    }

    /// Satoshi for 1000 virtual bytes that should do for a confirmation within so many blocks; `None` where the node cannot tell.
    pub(crate) async fn estimated_rate(&self, blocks: u16) -> Result<Option<u64>> {
        let told: Option<Estimate> = self.ask_maybe("estimatesmartfee", json!([blocks])).await?;
        Ok(told.and_then(|told| amount(told.feerate?)).map(Amount::to_sat))
    }

    /// Satoshi for 1000 virtual bytes below which the node passes nothing on.
    pub(crate) async fn least_rate(&self) -> Result<u64> {
        let told: Least = self.ask("getmempoolinfo", json!([])).await?;
        let satoshi = |coins: Option<f64>| coins.and_then(amount).map_or(0, Amount::to_sat);
        Ok(satoshi(told.mempoolminfee).max(satoshi(told.minrelaytxfee)))
    }

    /// Hands a transaction over; that it is there already is as good.
    pub(crate) async fn send(&self, transaction: &Transaction) -> Result<(), Trouble> {
        self.check().await?;
        match self.rpc.ask("sendrawtransaction", json!([serialize_hex(transaction)])).await {
            Ok(_) => Ok(()),
            Err(Trouble::Refused(refusal)) if refusal.code == ALREADY_THERE => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }

    /// Whether a transaction waits for a block, or is in one that the node can find.
    pub(crate) async fn knows(&self, id: Txid) -> Result<bool> {
        Ok(self.ask_maybe::<String>("getrawtransaction", json!([id])).await?.is_some())
    }
}

/// All of some coins, or as much of it as can be counted.
pub(crate) fn sum<'a>(coins: impl IntoIterator<Item = &'a Coin>) -> Amount {
    let sats = coins.into_iter().fold(0, |sum: u64, coin| sum.saturating_add(coin.value.to_sat()));
    Amount::from_sat(sats)
}

/// The coins of a script among those that a search has found, without those that nobody can spend yet.
pub(super) fn coins_of(scanned: &Scanned, script: &ScriptBuf) -> Vec<Coin> {
    let (script, tip) = (script.to_hex_string(), scanned.height);
    let ours = scanned.unspents.iter().filter(|unspent| {
        let is_ripe = !unspent.coinbase || tip.saturating_sub(unspent.height) + 1 >= MATURITY;
        is_ripe && unspent.script == script
    });
    let coin = |unspent: &Unspent| {
        let at = OutPoint::new(unspent.txid, unspent.vout);
        Some(Coin { at, value: amount(unspent.amount)?, confirmed: true })
    };
    ours.filter_map(coin).collect()
}

pub(super) fn coin_of(output: &Output, at: OutPoint, script: Option<&ScriptBuf>) -> Option<Coin> {
    let is_ripe = !output.coinbase || output.confirmations >= MATURITY;
    let is_wanted = script.is_none_or(|script| script.to_hex_string() == output.script.hex);
    let coin = |value| Coin { at, value, confirmed: output.confirmations > 0 };
    amount(output.value).filter(|_| is_ripe && is_wanted).map(coin)
}

pub(super) fn transaction_of(text: &str, id: Txid) -> Option<Transaction> {
    let transaction: Transaction = deserialize_hex(text).ok()?;
    (transaction.compute_txid() == id).then_some(transaction)
}

fn too_late() -> Error {
    Error::new(ErrorKind::TimedOut, "the node did not end its search of coins in time")
        .because(
            "it looks through all unspent outputs, one search after the other: minutes on the main chain",
        )
        .fix("give it more time: --timeout 10m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_coins_than_can_be_counted_are_as_much_as_can_be() {
        let coin = |sats| Coin { at: OutPoint::null(), value: Amount::from_sat(sats), confirmed: true };
        assert_eq!(sum(&[coin(7), coin(8)]).to_sat(), 15);
        assert_eq!(sum(&[coin(u64::MAX), coin(8)]).to_sat(), u64::MAX);
    }
}
