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
    #[serde(default)]
    pub(crate) version: Option<String>,
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    /// Linked by its author: used where it is built, neither locked nor signed.
    #[serde(default)]
    pub(crate) dev: bool,
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
