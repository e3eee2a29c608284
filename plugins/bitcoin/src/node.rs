//! The questions to one node, typed. Nothing is asked before it has shown the first block of the chain that it should be on.

use std::sync::Arc;

use bitboot_plugin_api::{Error, ErrorKind, Host, Result};
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Amount, Block, BlockHash, OutPoint, ScriptBuf, Transaction, Txid};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::config::BitcoinConfig;
use crate::rpc::{Rpc, Trouble};

/// One node, known to be on the right chain once it is asked for anything.
#[derive(Clone)]
pub(crate) struct Node {
    rpc: Rpc,
    genesis: Arc<str>,
    checked: Arc<OnceCell<()>>,
}

/// An output that is not spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coin {
    pub(crate) at: OutPoint,
    pub(crate) value: Amount,
    pub(crate) confirmed: bool,
}

/// What a node knows of its chain.
#[derive(Debug, Deserialize)]
pub(crate) struct Info {
    pub(crate) chain: String,
    pub(crate) blocks: u32,
    #[serde(default)]
    pub(crate) initialblockdownload: bool,
}

#[derive(Deserialize)]
struct Scanned {
    success: bool,
    height: u32,
    unspents: Vec<Unspent>,
}

#[derive(Deserialize)]
struct Unspent {
    txid: Txid,
    vout: u32,
    #[serde(rename = "scriptPubKey")]
    script: String,
    amount: f64,
    #[serde(default)]
    coinbase: bool,
    height: u32,
}

#[derive(Deserialize)]
struct Output {
    value: f64,
    confirmations: u32,
    #[serde(default)]
    coinbase: bool,
    #[serde(rename = "scriptPubKey")]
    script: Script,
}

#[derive(Deserialize)]
struct Script {
    hex: String,
}

#[derive(Deserialize)]
struct Spent {
    spendingtxid: Option<Txid>,
}

/// A mined coin can be spent after so many blocks.
const MATURITY: u32 = 100;
/// Refusals of `sendrawtransaction` that say that it is there already (`RPC_VERIFY_ALREADY_IN_UTXO_SET`).
const ALREADY_THERE: i64 = -27;
/// Another search of coins is under way (`RPC_INVALID_PARAMETER`, with these words).
const BUSY: (i64, &str) = (-8, "Scan already in progress");

impl Node {
    pub(crate) fn new(url: &str, config: &BitcoinConfig, host: Host) -> Self {
        Self { rpc: Rpc::new(url, config, host), genesis: config.genesis().into(), checked: Arc::default() }
    }

    pub(crate) fn url(&self) -> &str {
        self.rpc.url()
    }

    /// Makes sure, once, that the node is on the chain that the backend is set to.
    pub(crate) async fn check(&self) -> Result<()> {
        self.checked.get_or_try_init(|| self.check_now()).await.copied()
    }

    async fn check_now(&self) -> Result<()> {
        let first: String = read(self.rpc.ask("getblockhash", json!([0])).await?)?;
        if first == *self.genesis {
            return Ok(());
        }
        let what = format!("the node at {} is on another chain", self.url());
        Err(Error::new(ErrorKind::Config, what)
            .because("its first block is not that of the chain that this backend is set to")
            .fix("set the right one: bitboot backend set NAME chain=... or rpc=..."))
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T> {
        self.check().await?;
        read(self.rpc.ask(method, params).await?)
    }

    /// `None` where the node refuses: it does not know, or has no such thing.
    async fn ask_maybe<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<Option<T>> {
        self.check().await?;
        match self.rpc.ask(method, params).await {
            Ok(Value::Null) | Err(Trouble::Refused(_)) => Ok(None),
            Ok(answer) => read(answer).map(Some),
            Err(Trouble::Failed(error)) => Err(error),
        }
    }

    /// The same for many at once.
    async fn ask_all<T: DeserializeOwned>(&self, method: &str, params: &[Value]) -> Result<Vec<Option<T>>> {
        self.check().await?;
        let answers = self.rpc.ask_all(method, params).await?;
        let read =
            |answer: Result<Value, _>| answer.ok().filter(|value| !value.is_null()).map(read).transpose();
        answers.into_iter().map(read).collect()
    }

    pub(crate) async fn info(&self) -> Result<Info> {
        self.ask("getblockchaininfo", json!([])).await
    }

    pub(crate) async fn height(&self) -> Result<u32> {
        self.ask("getblockcount", json!([])).await
    }

    /// The blocks at some heights; `None` where the chain is not that long.
    pub(crate) async fn hashes(&self, heights: impl Iterator<Item = u32>) -> Result<Vec<Option<BlockHash>>> {
        let params: Vec<Value> = heights.map(|height| json!([height])).collect();
        self.ask_all("getblockhash", &params).await
    }

    /// A block, made sure to be the one of that hash and to have the transactions that it had when it was mined.
    pub(crate) async fn block(&self, hash: BlockHash) -> Result<Block> {
        let text: String = self.ask("getblock", json!([hash, 0])).await?;
        let lies = || self.lies("a block that is not the one that was asked for");
        let block: Block = deserialize_hex(&text).map_err(|_| lies())?;
        let is_true = block.block_hash() == hash
            && block.header.validate_pow(block.header.target()).is_ok()
            && block.check_merkle_root()
            && block.check_witness_commitment();
        if is_true { Ok(block) } else { Err(lies()) }
    }

    /// What the first input of each transaction of a block spends, by what the node kept for undoing the block.
    pub(crate) async fn spent(&self, of: &[(Txid, BlockHash)]) -> Result<Vec<Option<Amount>>> {
        let params: Vec<Value> = of.iter().map(|(txid, block)| json!([txid, 2, block])).collect();
        let answers: Vec<Option<Value>> = self.ask_all("getrawtransaction", &params).await?;
        let value = |answer: &Value| amount(answer.pointer("/vin/0/prevout/value")?.as_f64()?);
        Ok(answers.iter().map(|answer| answer.as_ref().and_then(value)).collect())
    }

    /// The ids of all transactions that wait for a block.
    pub(crate) async fn waiting(&self) -> Result<Vec<Txid>> {
        self.ask("getrawmempool", json!([])).await
    }

    /// Transactions that wait for a block, or of which the node keeps an index; `None` for others.
    pub(crate) async fn transactions(&self, ids: &[Txid]) -> Result<Vec<Option<Transaction>>> {
        let params: Vec<Value> = ids.iter().map(|id| json!([id])).collect();
        let texts: Vec<Option<String>> = self.ask_all("getrawtransaction", &params).await?;
        Ok(texts
            .iter()
            .zip(ids)
            .map(|(text, id)| {
                let transaction: Transaction = deserialize_hex(text.as_ref()?).ok()?;
                (transaction.compute_txid() == *id).then_some(transaction)
            })
            .collect())
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
        let is_ripe = !output.coinbase || output.confirmations >= MATURITY;
        let is_wanted = script.is_none_or(|script| script.to_hex_string() == output.script.hex);
        let coin = |value| Coin { at, value, confirmed: output.confirmations > 0 };
        Ok(amount(output.value).filter(|_| is_ripe && is_wanted).map(coin))
    }

    /// All that a script owns, by a search of the whole set of unspent outputs.
    pub(crate) async fn coins(&self, script: &ScriptBuf) -> Result<Vec<Coin>> {
        let params = json!(["start", [format!("raw({})", script.to_hex_string())]]);
        self.check().await?;
        let answer = match self.rpc.ask("scantxoutset", params).await {
            Err(Trouble::Refused(refusal)) if refusal.code == BUSY.0 && refusal.message.contains(BUSY.1) => {
                return Err(Error::new(ErrorKind::Conflict, "the node is searching coins for somebody else")
                    .fix("try again in a moment"));
            }
            answer => answer?,
        };
        let scanned: Scanned = read(answer)?;
        if !scanned.success {
            return Err(Error::new(ErrorKind::Other, "the node did not finish its search of coins"));
        }
        let ours = scanned.unspents.into_iter().filter(|unspent| {
            let is_ripe = !unspent.coinbase || scanned.height.saturating_sub(unspent.height) + 1 >= MATURITY;
            is_ripe && unspent.script == script.to_hex_string()
        });
        let coin = |unspent: Unspent| {
            let at = OutPoint::new(unspent.txid, unspent.vout);
            Some(Coin { at, value: amount(unspent.amount)?, confirmed: true })
        };
        Ok(ours.filter_map(coin).collect())
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
        let told: Option<Value> = self.ask_maybe("estimatesmartfee", json!([blocks])).await?;
        Ok(told.and_then(|told| amount(told.get("feerate")?.as_f64()?)).map(Amount::to_sat))
    }

    /// Satoshi for 1000 virtual bytes below which the node passes nothing on.
    pub(crate) async fn least_rate(&self) -> Result<u64> {
        let told: Value = self.ask("getmempoolinfo", json!([])).await?;
        let of =
            |name: &str| told.get(name).and_then(Value::as_f64).and_then(amount).map_or(0, Amount::to_sat);
        Ok(of("mempoolminfee").max(of("minrelaytxfee")))
    }

    /// Hands a transaction over; that it is there already is as good.
    pub(crate) async fn send(&self, transaction: &Transaction) -> Result<(), Trouble> {
        self.check().await.map_err(Trouble::Failed)?;
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

    fn lies(&self, what: &str) -> Error {
        Error::new(ErrorKind::Integrity, format!("the node at {} answers with {what}", self.url()))
            .fix("name another node: bitboot backend set NAME rpc=http://HOST:PORT")
    }
}

fn read<T: DeserializeOwned>(answer: Value) -> Result<T> {
    serde_json::from_value(answer).map_err(|error| {
        Error::new(ErrorKind::Integrity, "the node's answer is not what was asked for")
            .because(error.to_string())
            .fix("is it a Bitcoin node? name another: bitboot backend set NAME rpc=http://HOST:PORT")
    })
}

/// An amount in whole coins, as nodes tell it; `None` for what is none.
fn amount(coins: f64) -> Option<Amount> {
    Amount::from_btc(coins).ok()
}
