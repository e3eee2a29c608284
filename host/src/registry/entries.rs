use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// `[plugins.NAME]`. Fields that are not known here are a newer bitboot's and are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct PluginEntry {
    /// The bare name of a library that ships with bitboot and lies beside the binary.
    #[serde(default)]
    pub(crate) library: Option<String>,
    /// The library's path; goes before `library`.
    #[serde(default)]
    pub(crate) path: Option<PathBuf>,
    /// The version of an installed plugin that is used.
    #[serde(default)]
    pub(crate) version: Option<String>,
    /// The version that was used before, to which `plugin rollback` goes back.
    #[serde(default)]
    pub(crate) previous: Option<String>,
    /// Where it came from: an index as `index:NAME`, or a path or an address.
    #[serde(default)]
    pub(crate) source: Option<String>,
    /// `plugin upgrade` leaves it as it is.
    #[serde(default)]
    pub(crate) pinned: bool,
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    /// Where its code runs.
    #[serde(default)]
    pub(crate) isolation: Isolation,
    /// The most memory that its process may take for data, in MiB.
    #[serde(default)]
    pub(crate) memory_mib: Option<u32>,
    /// `[plugins.NAME.grants]`
    #[serde(default)]
    pub(crate) grants: Grants,
}

/// Where the code of a plugin runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Isolation {
    /// In a process of its own, confined as far as the system can.
    #[default]
    Process,
    /// In bitboot's own process: it can do what the user can.
    InProcess,
}

impl Isolation {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::InProcess => "in-process",
        }
    }
}

/// `[plugins.NAME.grants]`: what the user lets a plugin have of what its manifest asks for. What is not named here is as the manifest asks,
/// but for `listen`, which has to be granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Grants {
    /// It may use the network.
    #[serde(default)]
    pub(crate) network: Option<bool>,
    /// It may wait for connections of others (TCP).
    #[serde(default)]
    pub(crate) listen: Option<bool>,
    /// It may have the folders that it asks for.
    #[serde(default)]
    pub(crate) files: Option<bool>,
    /// The kinds of key that it may sign with.
    #[serde(default)]
    pub(crate) keys: Option<Vec<String>>,
    /// It may sign what costs something.
    #[serde(default)]
    pub(crate) spending: Option<bool>,
}

/// `[backends.NAME]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct BackendEntry {
    pub(crate) plugin: String,
    /// The plugin's kind of backend; its first one where it is not named.
    #[serde(default)]
    pub(crate) kind: Option<String>,
    /// What all peers call the medium, part of where the records of a secret network lie; the backend's own name where it is not named.
    #[serde(default)]
    pub(crate) medium: Option<String>,
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    /// Used for networks that name no backends of their own.
    #[serde(default)]
    pub(crate) default: bool,
    /// The key that it signs with; the default one of the kind that it asks for where none is named.
    #[serde(default)]
    pub(crate) key: Option<String>,
    /// Real money may be spent there.
    #[serde(default)]
    pub(crate) mainnet: bool,
    #[serde(default)]
    pub(crate) summary: String,
    /// Handed to the plugin as it is.
    #[serde(default)]
    pub(crate) config: toml::Table,
    /// Settings that environment variables give where the user has set none, each with the names of variables: the first one that is set counts.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, Vec<String>>,
}

/// `[networks.NAME]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct NetworkEntry {
    /// The backends of this network; the default ones where there are none.
    #[serde(default)]
    pub(crate) backends: Vec<String>,
    /// It has a secret, which lies in the secrets folder.
    #[serde(default)]
    pub(crate) secret: bool,
}

fn yes() -> bool {
    true
}
