//! Blocks and what they spend: read by their hashes, believed because of them.

use bitboot_plugin_api::{Error, Result};
use bitboot_rpc::{Node as _, Refusal, Unread, read};
use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::{Amount, Block, BlockHash, TxOut, Txid};
use serde_json::{Value, json};

use super::told::{Header, Undone, amount};
use super::{LARGE, Node};

/// So many blocks are asked for at once, at most: all that they can have, in hexadecimal, is [`LARGE`].
pub(crate) const MOST_AT_ONCE: usize = 8;

impl Node {
    /// Blocks, each made sure to be the one of its hash and to have the transactions that it had when it was mined. That it is in the chain of most
    /// work is the node's word: on the real chain it would have to pay for another one, elsewhere it costs nothing.
    pub(crate) async fn blocks(&self, hashes: &[BlockHash]) -> Result<Vec<Block>> {
        self.check().await?;
        let params: Vec<Value> = hashes.iter().map(|hash| json!([hash, 0])).collect();
        let answers = self.rpc.ask_all("getblock", &params, LARGE).await?;
        let block = |(answer, hash): (Result<Unread, Refusal>, &BlockHash)| {
            let block = self.block(&read::<String>(answer.map_err(unavailable)?)?, *hash)?;
            if is_stripped(&block) {
                return Err(self.lies("a block without its witnesses"));
            }
            if block.header.target() > self.easiest {
                return Err(self.lies("a block that costs next to nothing to make"));
            }
            Ok(block)
        };
        answers.into_iter().zip(hashes).map(block).collect()
    }

    fn block(&self, told: &str, hash: BlockHash) -> Result<Block> {
        let lies = || self.lies("a block that is not the one that was asked for");
        block_of(told, hash).ok_or_else(lies)
    }

    /// The blocks at some heights; `None` where the chain is not that long.
    pub(crate) async fn hashes(&self, heights: impl Iterator<Item = u32>) -> Result<Vec<Option<BlockHash>>> {
        let params: Vec<Value> = heights.map(|height| json!([height])).collect();
        self.ask_all("getblockhash", &params).await
    }

    /// The heights of some blocks, as the node tells them; `None` for those that it does not know.
    pub(crate) async fn heights(&self, hashes: &[BlockHash]) -> Result<Vec<Option<u32>>> {
        let params: Vec<Value> = hashes.iter().map(|hash| json!([hash])).collect();
        let headers: Vec<Option<Header>> = self.ask_all("getblockheader", &params).await?;
        Ok(headers.into_iter().map(|header| header.map(|header| header.height)).collect())
    }

    /// What the first input of each transaction of a block spends, by what the node kept for undoing the block.
    pub(crate) async fn spent(&self, of: &[(Txid, BlockHash)]) -> Result<Vec<Option<Amount>>> {
        let params: Vec<Value> = of.iter().map(|(txid, block)| json!([txid, 2, block])).collect();
        let answers: Vec<Option<Undone>> = self.ask_all("getrawtransaction", &params).await?;
        Ok(answers.iter().map(|answer| answer.as_ref().and_then(first_spent)).collect())
    }
}

pub(super) fn first_spent(transaction: &Undone) -> Option<Amount> {
    amount(transaction.vin.first()?.prevout.as_ref()?.value)
}

/// The block of a hash, with all the transactions that it had when it was mined.
pub(super) fn block_of(text: &str, hash: BlockHash) -> Option<Block> {
    let block: Block = deserialize_hex(text).ok()?;
    let is_true = block.block_hash() == hash
        && block.header.validate_pow(block.header.target()).is_ok()
        && block.check_merkle_root()
        && block.check_witness_commitment();
    is_true.then_some(block)
}

/// Whether a block commits to witnesses (BIP 141) and has none: then who signed what cannot be seen, and nothing shows that it was cut. A block
/// that has any is checked against that commitment.
pub(super) fn is_stripped(block: &Block) -> bool {
    let is_commitment = |output: &TxOut| {
        let script = output.script_pubkey.as_bytes();
        script.len() >= 38 && script.starts_with(&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed])
    };
    let commits = block.txdata.first().is_some_and(|coinbase| coinbase.output.iter().any(is_commitment));
    commits && block.txdata.iter().flat_map(|one| &one.input).all(|input| input.witness.is_empty())
}

fn unavailable(refusal: Refusal) -> Error {
    let is_pruned = refusal.message.contains("pruned");
    let error = Error::from(refusal);
    if is_pruned {
        error.fix("look less far back: bitboot backend set NAME lookback_blocks=...")
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::constants::genesis_block;
    use bitcoin::{Network, ScriptBuf, Witness};

    use super::*;

    #[test]
    fn a_block_that_lost_its_witnesses_is_told_from_one_that_has_none() {
        let mut block = genesis_block(Network::Regtest);
        assert!(!is_stripped(&block));
        let script = [&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..], &[7; 32]].concat();
        let commitment = TxOut { value: Amount::ZERO, script_pubkey: ScriptBuf::from_bytes(script) };
        block.txdata[0].output.push(commitment);
        assert!(is_stripped(&block) && block.check_witness_commitment());
        block.txdata[0].input[0].witness = Witness::from_slice(&[[0; 32]]);
        assert!(!is_stripped(&block));
    }
}
