use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Index, StoreName};
use crate::error::Result;
use crate::network::Network;

/// The name of the node's own key, which no other key can have.
pub(crate) const NODE: &str = "node";

/// A secret that lies in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A key of the user's, by its name.
    Key(String),
    /// The key by which the node signs its records.
    Node,
    /// The secret of a network.
    Network(Network),
}

/// Where a secret lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) store: StoreName,
    /// It was moved from there, and may not be deleted there yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) leaving: Option<StoreName>,
    /// The public half, hexadecimal; the secret of a network has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) public: Option<String>,
}

impl Item {
    /// A key by the word for it.
    pub(crate) fn named(name: &str) -> Self {
        if name == NODE { Self::Node } else { Self::Key(name.to_owned()) }
    }

    /// Its name in a store. A network's may hold what no file name may, so a hash stands for it. Not its locator's: a name of 40 digits is
    /// its own.
    pub(super) fn id(&self) -> String {
        match self {
            Self::Key(name) => name.clone(),
            Self::Node => NODE.into(),
            Self::Network(network) => {
                let hash = Sha256::new()
                    .chain_update("bitboot/1 secret file ")
                    .chain_update(network.name())
                    .finalize();
                format!("network/{}", HEXLOWER.encode(&hash))
            }
        }
    }

    /// Where it lies: a key where it was put; the others in files of the home, until they are moved.
    pub(crate) fn place(&self, index: &Index) -> Result<Place> {
        let moved = match self {
            Self::Key(name) => {
                let entry = index.entry(name)?;
                return Ok(Place {
                    store: entry.store,
                    leaving: entry.leaving,
                    public: Some(entry.public.clone()),
                });
            }
            Self::Node => index.node.as_ref(),
            Self::Network(network) => index.networks.get(network.name()),
        };
        Ok(moved.cloned().unwrap_or(Place { store: StoreName::Home, leaving: None, public: None }))
    }

    /// Notes where it lies now; `None` where it is no more.
    pub(super) fn note(&self, index: &mut Index, place: Option<Place>) {
        // What lies where it was born needs no note.
        let noted = place.clone().filter(|place| place.store != StoreName::Home || place.leaving.is_some());
        match (self, place) {
            (Self::Key(name), None) => drop(index.keys.remove(name)),
            (Self::Key(name), Some(place)) => {
                if let Some(entry) = index.keys.get_mut(name) {
                    (entry.store, entry.leaving) = (place.store, place.leaving);
                }
            }
            (Self::Node, _) => index.node = noted,
            (Self::Network(network), _) => match noted {
                Some(place) => drop(index.networks.insert(network.name().to_owned(), place)),
                None => drop(index.networks.remove(network.name())),
            },
        }
    }

    /// The words of commands by which it is meant.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Key(name) => name.clone(),
            Self::Node => NODE.into(),
            Self::Network(network) => {
                let name = network.name();
                format!("--network {}", shlex::try_quote(name).unwrap_or_else(|_| name.into()))
            }
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(name) => write!(f, "the key \"{name}\""),
            Self::Node => f.write_str("the node's key"),
            Self::Network(network) => write!(f, "the secret of network \"{network}\""),
        }
    }
}
