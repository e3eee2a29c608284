//! What gas costs. Pure.

use alloy_primitives::U256;

/// Wei for each unit of gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Price {
    /// What is burned in the next block (EIP-1559).
    pub(crate) base: u128,
    /// For whoever makes the block.
    pub(crate) tip: u128,
    /// Both, at most.
    pub(crate) most: u128,
}

/// The base fee rises by at most this part from block to block.
const STEP: u128 = 8;
const GWEI: u128 = 1_000_000_000;

impl Price {
    /// Enough for the next block and for the one after it, whatever happens in the next one.
    pub(crate) fn of(base: u128, tip: u128) -> Self {
        let most = base.saturating_add(base.div_ceil(STEP)).saturating_add(tip);
        Self { base, tip, most }
    }

    /// Whether it can still get into a block whose base fee is another one.
    pub(crate) fn does(&self, base: u128) -> bool {
        base <= self.most
    }
}

/// Wei of gwei.
pub(crate) fn gwei(gwei: u32) -> u128 {
    u128::from(gwei) * GWEI
}

/// An amount of wei as the host takes it.
pub(crate) fn told(wei: U256) -> String {
    let digits = format!("{wei:0>19}");
    let (whole, places) = digits.split_at(digits.len() - 18);
    let places = places.trim_end_matches('0');
    let point = if places.is_empty() { "" } else { "." };
    format!("{whole}{point}{places} ETH")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_exactly() {
        let cases = [
            (0_u128, "0 ETH"),
            (1, "0.000000000000000001 ETH"),
            (1_500_000_000_000_000_000, "1.5 ETH"),
            (1_000_000_000_000_000_000, "1 ETH"),
            (20_000_000_000_000_000_000, "20 ETH"),
            (34_000_000_000_000, "0.000034 ETH"),
        ];
        for (wei, text) in cases {
            assert_eq!(told(U256::from(wei)), text);
        }
    }

    #[test]
    fn a_price_does_for_two_blocks_and_has_no_more_in_it_than_that() {
        let price = Price::of(1_000_000_007, 2);
        assert_eq!(price.most, 1_000_000_007 + 125_000_001 + 2);
        assert!(price.does(price.base) && price.does(price.base * 9 / 8) && !price.does(price.most + 1));
        assert!(Price::of(0, 0).does(0), "a chain on which nothing costs anything");
        assert_eq!(Price::of(u128::MAX, 1).most, u128::MAX);
    }
}
