//! What is known of chains by their ids.

/// What a chain is called, and whether what is spent there is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) id: u64,
}

/// The id is part of what is signed (EIP-155), so a transaction for one of these is worth nothing anywhere else, whatever a node says.
const TEST_CHAINS: [(u64, &str); 5] = [
    (1337, "a chain of one's own"),
    (31_337, "a chain of one's own"),
    (11_155_111, "Sepolia"),
    (17_000, "Holesky"),
    (560_048, "Hoodi"),
];

impl Chain {
    /// A chain of one's own, as anvil and others start it.
    pub(crate) const LOCAL: u64 = 31_337;
    /// A block comes every so many seconds.
    pub(crate) const BLOCK_S: u32 = 12;
    /// Two epochs: what is in a block then stays (Casper FFG).
    const FINAL_S: u32 = 2 * 32 * Self::BLOCK_S;

    pub(crate) fn is_test(self) -> bool {
        TEST_CHAINS.iter().any(|(id, _)| *id == self.id)
    }

    /// Whether it is known to take fees for gas alone. Of the chains that stand on Ethereum many take another one for the data that they put there.
    pub(crate) fn takes_gas_only(self) -> bool {
        self.id == 1 || self.is_test()
    }

    /// Only this machine, or those whom its owner lets in, are on it.
    pub(crate) fn is_local(self) -> bool {
        matches!(self.id, 1337 | Self::LOCAL)
    }

    pub(crate) fn name(self) -> String {
        let name = TEST_CHAINS.iter().find(|(id, _)| *id == self.id).map(|(_, name)| *name);
        let name = name.or((self.id == 1).then_some("Ethereum"));
        name.map_or_else(|| format!("chain {}", self.id), |name| format!("{name} ({})", self.id))
    }

    /// Seconds until an announcement is final.
    pub(crate) fn final_in_s(self) -> u32 {
        if self.is_local() { 1 } else { Self::FINAL_S }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_real_money() {
        assert!(Chain { id: 31_337 }.is_test() && Chain { id: 11_155_111 }.is_test());
        assert!([1, 10, 137, 8453, 42_161, 0].iter().all(|id| !Chain { id: *id }.is_test()));
        assert_eq!(Chain { id: 1 }.name(), "Ethereum (1)");
        assert_eq!(Chain { id: 5 }.name(), "chain 5");
        assert!(Chain { id: 1 }.takes_gas_only() && !Chain { id: 8453 }.takes_gas_only());
    }
}
