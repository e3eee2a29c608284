//! What nodes answer, as far as it is read.

use bitcoin::{Amount, BlockHash, Txid};
use serde::{Deserialize, Deserializer, de};

/// What a node knows of its chain.
#[derive(Debug, Deserialize)]
pub(crate) struct Info {
    pub(crate) chain: String,
    #[serde(deserialize_with = "height")]
    pub(crate) blocks: u32,
    #[serde(default)]
    pub(crate) initialblockdownload: bool,
}

/// The indexes that a node keeps.
#[derive(Deserialize)]
pub(super) struct Indexes {
    #[serde(rename = "basic block filter index")]
    pub(super) basic: Option<Filtered>,
}

#[derive(Deserialize)]
pub(super) struct Filtered {
    #[serde(deserialize_with = "height")]
    pub(super) best_block_height: u32,
}

#[derive(Deserialize)]
pub(super) struct Relevant {
    pub(super) relevant_blocks: Vec<BlockHash>,
    pub(super) completed: bool,
}

#[derive(Deserialize)]
pub(super) struct Header {
    #[serde(deserialize_with = "height")]
    pub(super) height: u32,
}

#[derive(Deserialize)]
pub(super) struct Scanned {
    pub(super) success: bool,
    #[serde(deserialize_with = "height")]
    pub(super) height: u32,
    pub(super) unspents: Vec<Unspent>,
}

#[derive(Deserialize)]
pub(super) struct Unspent {
    pub(super) txid: Txid,
    pub(super) vout: u32,
    #[serde(rename = "scriptPubKey")]
    pub(super) script: String,
    pub(super) amount: f64,
    #[serde(default)]
    pub(super) coinbase: bool,
    pub(super) height: u32,
}

#[derive(Deserialize)]
pub(super) struct Output {
    pub(super) value: f64,
    pub(super) confirmations: u32,
    #[serde(default)]
    pub(super) coinbase: bool,
    #[serde(rename = "scriptPubKey")]
    pub(super) script: Script,
}

#[derive(Deserialize)]
pub(super) struct Script {
    pub(super) hex: String,
}

#[derive(Deserialize)]
pub(super) struct Spent {
    pub(super) spendingtxid: Option<Txid>,
}

/// The number of a block.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Height(#[serde(deserialize_with = "height")] pub(super) u32);

/// What is as large is a time where Bitcoin means a height (BIP 65); sums with it would not be what they seem.
pub(super) const MOST_BLOCKS: u32 = 500_000_000;

fn height<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = u32::deserialize(deserializer)?;
    (number < MOST_BLOCKS).then_some(number).ok_or_else(|| de::Error::custom("no chain has so many blocks"))
}

/// A transaction in its block, with what it spends.
#[derive(Deserialize)]
pub(super) struct Undone {
    pub(super) vin: Vec<Input>,
}

#[derive(Deserialize)]
pub(super) struct Input {
    /// Of what the node kept for undoing the block.
    pub(super) prevout: Option<Prevout>,
}

#[derive(Deserialize)]
pub(super) struct Prevout {
    pub(super) value: f64,
}

/// In whole coins for 1000 virtual bytes.
#[derive(Deserialize)]
pub(super) struct Estimate {
    pub(super) feerate: Option<f64>,
}

/// The same, below which nothing is passed on.
#[derive(Deserialize)]
pub(super) struct Least {
    pub(super) mempoolminfee: Option<f64>,
    pub(super) minrelaytxfee: Option<f64>,
}

/// An amount in whole coins, as nodes tell it; `None` for what is none, and for more than there can ever be.
pub(super) fn amount(coins: f64) -> Option<Amount> {
    Amount::from_btc(coins).ok().filter(|amount| *amount <= Amount::MAX_MONEY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_and_amounts_that_no_chain_has_are_none() {
        let height = |text: &str| serde_json::from_str::<Height>(text).ok().map(|Height(height)| height);
        assert_eq!((height("900000"), height("499999999")), (Some(900_000), Some(499_999_999)));
        for lie in ["500000000", "4294967295", "4294967296", "-1", "1.5", "null"] {
            assert_eq!(height(lie), None, "{lie}");
        }
        assert_eq!(amount(20_999_999.5).map(Amount::to_sat), Some(2_099_999_950_000_000));
        for lie in [21_000_000.1, 184_467_440_737.0, -0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(amount(lie), None, "{lie}");
        }
    }
}
