//! The questions to one node, typed. Nothing is asked before it has shown that it is on the chain on which it should be.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use bitboot_plugin_api::{Error, ErrorKind, Host, Result};
use bitboot_rpc::{Endpoint, JsonRpc, Login, Node as _, Refusal, Trouble, Words, read};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::answers::{Block, FeeHistory, Log, Receipt, asked_for, quantity};
use crate::chain::Chain;
use crate::config::{EthereumConfig, VARIABLE};
use crate::contract::EVENT;
use crate::transaction::Signed;

/// One node, known to be on the right chain once it is asked for anything.
#[derive(Clone)]
pub(crate) struct Node {
    rpc: JsonRpc,
    chain: Chain,
    genesis: Option<B256>,
    checked: Arc<OnceCell<()>>,
}

/// What became of a transaction that was handed to a node.
#[derive(Debug)]
pub(crate) enum Handed {
    /// It has it now, or had it already.
    Taken,
    /// Its number is used up, or is that of another transaction which waits.
    NonceUsed(Refusal),
    Refused(Refusal),
    /// There is no answer: it may have it or not.
    Unknown(Error),
}

const WORDS: Words =
    Words { node: "an Ethereum node", silent: "is it running?", setting: "rpc=http://HOST:PORT" };
/// The largest answer with events in it.
const LARGE: u64 = 40 << 20;

impl bitboot_rpc::Node for Node {
    /// Once it was on the chain that the backend is set to, it stays so.
    async fn check(&self) -> Result<()> {
        self.checked.get_or_try_init(|| self.check_now()).await.copied()
    }
}

impl Node {
    pub(crate) fn new(url: &str, config: &EthereumConfig, host: Host) -> Result<Self> {
        let endpoint =
            Endpoint::new(url, Login::new(host, VARIABLE).among(&config.rpc), config.patience(), WORDS);
        let (chain, genesis) = (config.chain(), config.genesis()?);
        Ok(Self { rpc: JsonRpc::new(endpoint), chain, genesis, checked: Arc::default() })
    }

    pub(crate) fn url(&self) -> &str {
        self.rpc.url()
    }

    /// When it answered last.
    pub(crate) fn answered(&self) -> Option<Instant> {
        self.rpc.pulse().last()
    }

    async fn check_now(&self) -> Result<()> {
        let id: U256 = read(self.rpc.ask("eth_chainId", json!([])).await?)?;
        if id != U256::from(self.chain.id) {
            return Err(self.elsewhere(format!("its chain's id is {id}, not {}", self.chain.id)));
        }
        let Some(genesis) = self.genesis else { return Ok(()) };
        let first: Block = read(self.rpc.ask("eth_getBlockByNumber", json!(["0x0", false])).await?)?;
        if first.hash == genesis {
            return Ok(());
        }
        Err(self.elsewhere("its first block is not that of the chain that this backend is set to".into()))
    }

    fn elsewhere(&self, why: String) -> Error {
        Error::new(ErrorKind::Config, format!("the node at {} is on another chain", self.url()))
            .because(why)
            .fix("set the right one: bitboot backend set NAME chain_id=... or rpc=...")
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<T> {
        self.check().await?;
        read(self.rpc.ask(method, params).await?)
    }

    /// The block that came last.
    pub(crate) async fn last(&self) -> Result<Block> {
        self.ask("eth_getBlockByNumber", json!(["latest", false])).await
    }

    /// The block at a height; `None` where the chain is not that long.
    pub(crate) async fn block(&self, number: u64) -> Result<Option<Block>> {
        let block: Option<Block> = self.ask("eth_getBlockByNumber", json!([quantity(number), false])).await?;
        Ok(block.filter(|block| block.number == number))
    }

    /// The events of the contract under a key in some blocks. Refused where a node does not answer for so many at once.
    pub(crate) async fn logs(
        &self,
        contract: Address,
        key: B256,
        from: u64,
        to: u64,
    ) -> Result<Vec<Log>, Trouble> {
        self.check().await?;
        let wanted = json!({
            "address": contract,
            "topics": [EVENT, key],
            "fromBlock": quantity(from),
            "toBlock": quantity(to),
        });
        let answer = self.rpc.ask_large("eth_getLogs", json!([wanted]), LARGE).await?;
        let logs: Vec<Log> = read(answer).map_err(Trouble::Failed)?;
        Ok(asked_for(logs, contract, key, from, to))
    }

    /// What a contract answers to a call that changes nothing. Refused where it takes too long.
    pub(crate) async fn call(&self, to: Address, data: &Bytes) -> Result<Bytes, Trouble> {
        self.check().await?;
        let answer = self.rpc.ask("eth_call", json!([{ "to": to, "data": data }, "latest"])).await?;
        Ok(read(answer)?)
    }

    /// The code of a contract; nothing where there is none.
    pub(crate) async fn code(&self, at: Address) -> Result<Bytes> {
        self.ask("eth_getCode", json!([at, "latest"])).await
    }

    /// Wei.
    pub(crate) async fn balance(&self, of: Address) -> Result<U256> {
        self.ask("eth_getBalance", json!([of, "latest"])).await
    }

    /// How many transactions somebody has sent, with those that wait.
    pub(crate) async fn nonce(&self, of: Address) -> Result<u64> {
        self.ask("eth_getTransactionCount", json!([of, "pending"])).await.map(|count: U64| count.to())
    }

    /// How much gas a call takes; `to` a new contract where nobody is called.
    pub(crate) async fn gas(&self, from: Address, to: Option<Address>, data: &Bytes) -> Result<u64> {
        let mut call = json!({ "from": from, "data": data });
        if let Some(to) = to {
            call["to"] = json!(to);
        }
        self.ask("eth_estimateGas", json!([call])).await.map(|gas: U64| gas.to())
    }

    /// Wei that each unit of gas burns in the next block; `None` on chains without EIP-1559.
    pub(crate) async fn base_fee(&self) -> Result<Option<u128>> {
        let fees: FeeHistory = self.ask("eth_feeHistory", json!(["0x1", "latest", []])).await?;
        Ok(fees.next())
    }

    /// Wei for each unit of gas that the node would give to whoever makes the block; `None` where it does not say.
    pub(crate) async fn tip(&self) -> Result<Option<u128>> {
        self.check().await?;
        match self.rpc.ask("eth_maxPriorityFeePerGas", json!([])).await {
            Ok(answer) => read(answer).map(|tip: U256| u128::try_from(tip).ok()),
            Err(Trouble::Refused(_)) => Ok(None),
            Err(Trouble::Failed(error)) => Err(error),
        }
    }

    /// Hands a transaction over; that it is there already is as good.
    pub(crate) async fn send(&self, transaction: &Signed) -> Handed {
        let handed = match self.rpc.ask("eth_sendRawTransaction", json!([transaction.bytes])).await {
            Ok(_) => return Handed::Taken,
            Err(Trouble::Refused(refusal)) => meant(refusal),
            Err(Trouble::Failed(error)) => Handed::Unknown(error),
        };
        // Whatever it says: the first answer may have been lost, and this one is about the second time.
        if matches!(handed, Handed::Taken) {
            return handed;
        }
        match self.knows(transaction.hash).await {
            Ok(true) => Handed::Taken,
            Ok(false) => handed,
            Err(error) => Handed::Unknown(error),
        }
    }

    /// Whether a transaction waits for a block, or is in one.
    pub(crate) async fn knows(&self, hash: B256) -> Result<bool> {
        self.ask("eth_getTransactionByHash", json!([hash]))
            .await
            .map(|known: Option<IgnoredAny>| known.is_some())
    }

    /// What became of a transaction; `None` while it waits.
    pub(crate) async fn receipt(&self, hash: B256) -> Result<Option<Receipt>> {
        self.ask("eth_getTransactionReceipt", json!([hash])).await
    }

    pub(crate) fn lies(&self, what: &str) -> Error {
        Error::new(ErrorKind::Integrity, format!("the node at {} answers with {what}", self.url()))
            .fix("name another node: bitboot backend set NAME rpc=http://HOST:PORT")
    }
}

/// What a refusal of a transaction means, by the words of the nodes that there are: there is no number for it.
pub(crate) fn meant(refusal: Refusal) -> Handed {
    let said = refusal.message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    match () {
        // Geth and Reth, Erigon and Nethermind, Besu, anvil.
        () if has(&[
            "already known",
            "alreadyknown",
            "already_exists",
            "known transaction",
            "already imported",
        ]) =>
        {
            Handed::Taken
        }
        () if has(&["nonce too low", "oldnonce", "replacement", "nonce_too_low"]) => {
            Handed::NonceUsed(refusal)
        }
        () => Handed::Refused(refusal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_understood_in_the_words_of_many_nodes() {
        let handed = |said: &str| meant(Refusal { code: -32000, message: said.into() });
        for taken in [
            "already known",
            "AlreadyKnown",
            "ALREADY_EXISTS: already known",
            "Known transaction",
            "transaction already imported",
        ] {
            assert!(matches!(handed(taken), Handed::Taken), "{taken}");
        }
        for used in [
            "nonce too low: next nonce 7, tx nonce 6",
            "OldNonce, Current nonce: 7, nonce of rejected tx: 6",
            "replacement transaction underpriced",
            "ReplacementNotAllowed",
            "Nonce too low",
        ] {
            assert!(matches!(handed(used), Handed::NonceUsed(_)), "{used}");
        }
        for refused in ["transaction underpriced", "insufficient funds for gas * price + value", ""] {
            assert!(matches!(handed(refused), Handed::Refused(_)), "{refused}");
        }
    }
}
