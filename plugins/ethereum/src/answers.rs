//! What nodes answer, as the JSON-RPC API of Ethereum has it. Nothing of it is believed because it could be read.

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::{Deserialize, Deserializer, de};

/// A block, of which little is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Block {
    /// Below [`MOST_BLOCKS`].
    #[serde(deserialize_with = "height")]
    pub(crate) number: u64,
    pub(crate) hash: B256,
}

/// No chain is as long: what is beyond is a lie, and sums with it would not be what they seem.
pub(crate) const MOST_BLOCKS: u64 = 1 << 53;

/// An event of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Log {
    pub(crate) address: Address,
    pub(crate) topics: Vec<B256>,
    pub(crate) data: Bytes,
    /// Of the block; `None` while it waits for one.
    #[serde(rename = "blockNumber")]
    pub(crate) block: Option<U64>,
    /// Its place in the block.
    #[serde(rename = "logIndex")]
    pub(crate) index: Option<U64>,
    /// The chain was reorganized, and it is gone.
    #[serde(default)]
    pub(crate) removed: bool,
}

/// What became of a transaction that is in a block.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receipt {
    pub(crate) block_number: U64,
    pub(crate) gas_used: U256,
    pub(crate) effective_gas_price: U256,
    /// 1 where it did what it should.
    pub(crate) status: U64,
}

impl Receipt {
    /// It is in a block and did nothing; what it cost is spent all the same.
    pub(crate) fn is_undone(&self) -> bool {
        self.status.is_zero()
    }
}

/// The fees of some blocks; the last one is that of the block that comes next.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FeeHistory {
    #[serde(default)]
    pub(crate) base_fee_per_gas: Vec<U256>,
}

impl FeeHistory {
    /// Wei that each unit of gas burns in the next block; `None` on chains without EIP-1559.
    pub(crate) fn next(&self) -> Option<u128> {
        self.base_fee_per_gas.last().and_then(|fee| u128::try_from(*fee).ok())
    }
}

/// Those of some logs that are of a contract, under a key, in some blocks, and in the chain: a node may tell others too.
pub(crate) fn asked_for(mut logs: Vec<Log>, contract: Address, key: B256, from: u64, to: u64) -> Vec<Log> {
    logs.retain(|log| {
        let is_asked_for = log.address == contract && log.topics.get(1) == Some(&key) && !log.removed;
        is_asked_for && log.block.is_some_and(|block| (from..=to).contains(&block.to()))
    });
    logs
}

fn height<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number: u64 = U64::deserialize(deserializer)?.to();
    (number < MOST_BLOCKS).then_some(number).ok_or_else(|| de::Error::custom("no chain has so many blocks"))
}

/// A number as nodes take it.
pub(crate) fn quantity(number: u64) -> String {
    format!("{number:#x}")
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn answers_of_nodes_are_read() {
        let hash = format!("0x{}", "ab".repeat(32));
        let block: Block = from_value(json!({ "number": "0x10", "hash": hash, "more": 1 })).unwrap();
        assert_eq!((block.number, block.hash), (16, B256::repeat_byte(0xab)));
        let address = format!("0x{}", "01".repeat(20));
        let log = json!({ "address": address, "topics": [hash], "data": "0x", "blockNumber": null, "logIndex": null });
        assert_eq!(from_value::<Log>(log).unwrap().block, None);
        let receipt = json!({ "blockNumber": "0x1", "gasUsed": "0x5208", "effectiveGasPrice": "0x3b9aca00", "status": "0x1" });
        assert_eq!(from_value::<Receipt>(receipt).unwrap().gas_used, U256::from(21_000));
        assert_eq!(
            from_value::<FeeHistory>(json!({ "oldestBlock": "0x0" })).unwrap().base_fee_per_gas.len(),
            0
        );
        assert_eq!((quantity(0), quantity(255)), ("0x0".into(), "0xff".into()));
    }

    #[test]
    fn what_is_none_is_an_error() {
        for lie in
            [json!({}), json!({ "number": "0x1" }), json!({ "number": "x", "hash": "0x" }), json!([1, 2, 3])]
        {
            assert!(from_value::<Block>(lie.clone()).is_err(), "{lie}");
        }
        for digits in [17, 16, 14] {
            let long = json!({ "number": format!("0x{}", "f".repeat(digits)), "hash": format!("0x{}", "ab".repeat(32)) });
            assert!(from_value::<Block>(long).is_err());
        }
    }
}
