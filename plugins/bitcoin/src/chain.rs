use bitcoin::{CompactTarget, KnownHrp, Target};
use schemars::JsonSchema;
use serde::Deserialize;

/// A chain that Bitcoin nodes know by this name, told apart by its first block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Chain {
    /// Real money. Nothing is spent there until the backend's entry says `mainnet = true`.
    Main,
    /// The third public test network.
    Testnet3,
    /// The fourth public test network (BIP 94).
    Testnet4,
    /// The public test network whose blocks are signed (BIP 325).
    Signet,
    /// A chain of one's own, for tests.
    #[default]
    Regtest,
}

impl Chain {
    /// The hash of its first block, as nodes print it.
    pub(crate) fn genesis(self) -> &'static str {
        match self {
            Self::Main => "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
            Self::Testnet3 => "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
            Self::Testnet4 => "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
            Self::Signet => "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
            Self::Regtest => "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
        }
    }

    /// What addresses begin with (BIP 173).
    pub(crate) fn hrp(self) -> KnownHrp {
        match self {
            Self::Main => KnownHrp::Mainnet,
            Self::Testnet3 | Self::Testnet4 | Self::Signet => KnownHrp::Testnets,
            Self::Regtest => KnownHrp::Regtest,
        }
    }

    /// Where a node on this machine listens, unless it is told otherwise.
    pub(crate) fn rpc(self) -> &'static str {
        match self {
            Self::Main => "http://127.0.0.1:8332",
            Self::Testnet3 => "http://127.0.0.1:18332",
            Self::Testnet4 => "http://127.0.0.1:48332",
            Self::Signet => "http://127.0.0.1:38332",
            Self::Regtest => "http://127.0.0.1:18443",
        }
    }

    /// Its folder within that of a node.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Testnet3 => "testnet3",
            Self::Testnet4 => "testnet4",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
        }
    }

    /// Seconds from one block to the next, on average.
    pub(crate) const BLOCK_S: u32 = 600;

    /// The easiest target that a block can have: a node names the target of its blocks itself, and one that is easy costs it nothing. On the real
    /// chain it is a difficulty of a million millions, which blocks have had since 2018, a hundredth of what they have now; elsewhere
    /// everybody can make blocks, and it is the chain's own limit.
    pub(crate) fn easiest_target(self) -> Target {
        match self {
            Self::Main => Target::from_compact(CompactTarget::from_consensus(0x1801_1978)),
            Self::Testnet3 | Self::Testnet4 => Target::MAX_ATTAINABLE_TESTNET,
            Self::Signet => Target::MAX_ATTAINABLE_SIGNET,
            Self::Regtest => Target::MAX_ATTAINABLE_REGTEST,
        }
    }

    pub(crate) fn is_real(self) -> bool {
        self == Self::Main
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::constants::genesis_block;
    use bitcoin::{CompactTarget, Network, Target};

    use super::Chain;

    #[test]
    fn blocks_that_cost_next_to_nothing_are_told_on_the_real_chain() {
        for (chain, network) in [
            (Chain::Testnet3, Network::Testnet),
            (Chain::Testnet4, Network::Testnet4),
            (Chain::Signet, Network::Signet),
            (Chain::Regtest, Network::Regtest),
        ] {
            assert!(genesis_block(network).header.target() <= chain.easiest_target());
        }
        let easiest = Chain::Main.easiest_target();
        assert!(genesis_block(Network::Bitcoin).header.target() > easiest);
        let difficulty = easiest.difficulty_float();
        assert!((0.99e12..1.01e12).contains(&difficulty), "{difficulty}");
        // Block 840000, of 2024.
        assert!(Target::from_compact(CompactTarget::from_consensus(0x1703_4219)) <= easiest);
    }

    #[test]
    fn first_blocks_are_those_of_the_bitcoin_crate() {
        for (chain, network) in [
            (Chain::Main, Network::Bitcoin),
            (Chain::Testnet3, Network::Testnet),
            (Chain::Testnet4, Network::Testnet4),
            (Chain::Signet, Network::Signet),
            (Chain::Regtest, Network::Regtest),
        ] {
            assert_eq!(chain.genesis(), genesis_block(network).block_hash().to_string());
        }
    }
}
