use std::path::Path;

use bitboot_plugin_api::ffi::outside::{Gate, Refusal, inspect};
use serde::{Deserialize, Serialize};

/// A plugin's `plugin.toml`. Unknown fields are a newer plugin's and are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Manifest {
    /// The plugin's name: 1 to 64 of `a-z`, `0-9`, `-`, `_`.
    pub(crate) name: String,
    pub(crate) version: String,
    /// The API major version that it is built for.
    pub(crate) api: u32,
    #[serde(default)]
    pub(crate) summary: String,
    #[serde(default)]
    pub(crate) license: String,
    #[serde(default, rename = "backend")]
    pub(crate) backends: Vec<Offer>,
    #[serde(default)]
    pub(crate) asks: Asks,
}

/// The table `[asks]`: the most that a plugin may ever ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asks {
    /// It sends and receives over the network.
    #[serde(default)]
    pub(crate) network: bool,
    /// It waits for connections of others (TCP).
    #[serde(default)]
    pub(crate) listen: bool,
    /// The folders that it reads and writes: `config.KEY`, the one that its setting KEY names; `runtime/NAME`, one for all processes of the
    /// user until the next restart.
    #[serde(default)]
    pub(crate) files: Vec<String>,
    /// What the host reads for it: `config.KEY`, the one file that its setting KEY names; `env.BITBOOT_PLUGIN_NAME_…`, an environment variable.
    #[serde(default)]
    pub(crate) reads: Vec<String>,
    /// The kinds of key that it wants to sign with.
    #[serde(default)]
    pub(crate) keys: Vec<String>,
    /// It signs what costs something; as a plugin does that wants keys and does not say.
    #[serde(default)]
    pub(crate) spending: Option<bool>,
}

/// A `[[backend]]` table: a kind of backend that a plugin offers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Offer {
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) summary: String,
    /// The names of its actions.
    #[serde(default)]
    pub(crate) actions: Vec<String>,
}

/// The manifest of a library, read without running anything of it.
pub(crate) fn manifest_of(library: &Path) -> Result<Manifest, Refusal> {
    parse(&inspect(library)?)
}

/// A manifest, believed as far as it is one.
pub(crate) fn parse(text: &str) -> Result<Manifest, Refusal> {
    let refuse = |what: String| Refusal::new(Gate::Manifest, what);
    let manifest: Manifest = toml::from_str(text)
        .map_err(|error| refuse(format!("its manifest does not parse ({})", error.message())))?;
    if manifest.api != bitboot_plugin_api::ffi::API_MAJOR {
        let ours = bitboot_plugin_api::ffi::API_MAJOR;
        return Err(refuse(format!("it speaks plugin API {}, this bitboot speaks {ours}", manifest.api)));
    }
    // Both become names of folders and of tables.
    if !is_plain(&manifest.name)
        || !manifest.version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
    {
        return Err(refuse(
            "its manifest has a name or a version with other characters than letters, digits, - and .".into(),
        ));
    }
    if manifest.version.is_empty() || manifest.version.starts_with('.') || manifest.version.len() > 64 {
        return Err(refuse("its manifest has no proper version".into()));
    }
    if manifest.backends.is_empty() {
        return Err(refuse("its manifest offers no kind of backend".into()));
    }
    Ok(manifest)
}

fn is_plain(name: &str) -> bool {
    crate::registry::is_entry_name(name)
}
