use schemars::JsonSchema;
use serde::Deserialize;

/// A chain of Solana nodes, told apart by its first block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Chain {
    /// Real money ("mainnet-beta"). Nothing is spent there until the backend's entry says `mainnet = true`.
    Main,
    /// The public chain on which new versions of nodes are tried.
    Testnet,
    /// The public chain for those who write programs.
    Devnet,
    /// A chain of one's own, for tests.
    #[default]
    Local,
}

impl Chain {
    pub(crate) const PUBLIC: [Self; 3] = [Self::Main, Self::Testnet, Self::Devnet];

    /// The hash of its first block, as nodes print it; a chain of one's own has any other one.
    pub(crate) fn genesis(self) -> Option<&'static str> {
        match self {
            Self::Main => Some("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"),
            Self::Testnet => Some("4uhcVJyU9pJkvQyS88uRDiswHXSGkY3zQawwpjk2NsNY"),
            Self::Devnet => Some("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"),
            Self::Local => None,
        }
    }

    /// Whether some hash is that of the first block of a public chain.
    pub(crate) fn is_public(genesis: &str) -> bool {
        Self::PUBLIC.iter().any(|chain| chain.genesis() == Some(genesis))
    }

    /// The node that is asked where none is named: those that everybody may ask a little, and one on this machine.
    pub(crate) fn rpc(self) -> &'static str {
        match self {
            Self::Main => "https://api.mainnet-beta.solana.com",
            Self::Testnet => "https://api.testnet.solana.com",
            Self::Devnet => "https://api.devnet.solana.com",
            Self::Local => "http://127.0.0.1:8899",
        }
    }

    pub(crate) fn is_real(self) -> bool {
        self == Self::Main
    }
}
