use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bitboot_plugin_api::ffi::outside::{Gate, Reads, Refusal};
use serde_json::Value;

use super::grants::{keys, reads};
use super::manifest::{Asks, Manifest};
use crate::error::{Error, Kind, Result};
use crate::registry::{Grants, Isolation, nearest};

/// What it takes to open a backend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    /// The backend's name.
    pub(crate) backend: String,
    /// The plugin's name.
    pub(crate) plugin: String,
    /// The other plugins that are registered.
    pub(crate) others: Vec<String>,
    /// Nobody has registered the backend: a package is tried, and bears what name it likes. It may neither use a key nor have anything read.
    pub(crate) is_trial: bool,
    /// The kind of backend; the plugin's only or first one where it is not named.
    pub(crate) kind: Option<String>,
    /// The plugin's library.
    pub(crate) library: PathBuf,
    /// The SHA-256 that the library must have, where one was verified.
    pub(crate) expected: Option<[u8; 32]>,
    /// What the user has set.
    pub(crate) config: Value,
    /// The settings among them that are the texts of environment variables, each with its variable.
    pub(crate) variables: BTreeMap<String, String>,
    /// What is set for all backends of the plugin: one process serves them.
    pub(crate) siblings: Vec<Value>,
    pub(crate) isolation: Isolation,
    pub(crate) grants: Grants,
    /// The most memory of its process, if not the usual.
    pub(crate) memory_mib: Option<u32>,
}

impl Request {
    /// A trial of a plugin: a backend with nothing set and what a plugin is granted that nobody has said anything about.
    pub(crate) fn new(plugin: &str, library: PathBuf) -> Self {
        Self {
            backend: plugin.to_owned(),
            plugin: plugin.to_owned(),
            others: Vec::new(),
            is_trial: true,
            kind: None,
            library,
            expected: None,
            config: Value::Null,
            variables: BTreeMap::new(),
            siblings: Vec::new(),
            isolation: Isolation::default(),
            grants: Grants::default(),
            memory_mib: None,
        }
    }

    /// The kinds of key that it may sign with.
    pub(super) fn keys(&self, asks: &Asks) -> Vec<String> {
        if self.is_trial { Vec::new() } else { keys(asks, &self.grants) }
    }

    /// What the host reads for it.
    pub(super) fn reads(&self, asks: &Asks) -> Reads {
        if self.is_trial {
            return Reads::default();
        }
        reads(&self.plugin, &self.others, asks, &self.grants, &self.config)
    }

    /// The kind that is asked for, if the plugin's manifest has it; else its first one.
    pub(super) fn kind_in(&self, manifest: &Manifest) -> Result<String> {
        let plugin = &self.plugin;
        let mut kinds = manifest.backends.iter().map(|backend| backend.kind.as_str());
        let Some(kind) = &self.kind else {
            let none = || Error::new(Kind::Plugin, format!("plugin \"{plugin}\" offers no kind of backend"));
            return kinds.next().map(Into::into).ok_or_else(none);
        };
        if kinds.clone().any(|known| known == kind) {
            return Ok(kind.clone());
        }
        let error =
            Error::new(Kind::Config, format!("plugin \"{plugin}\" has no kind of backend \"{kind}\""));
        Err(match nearest(kind, kinds.clone()) {
            Some(near) => error.fix(format!("did you mean \"{near}\"?")),
            None => error.fix(format!("it has: {}", kinds.collect::<Vec<_>>().join(", "))),
        })
    }
}

/// A library that is not opened, told to the user with the gate at which it stopped.
pub(crate) fn refused(plugin: &str, library: &Path, refusal: &Refusal) -> Error {
    let what = format!("plugin \"{plugin}\" cannot be loaded: {}", refusal.what);
    let (kind, code) = match refusal.gate {
        Gate::Hash => (Kind::Integrity, "library-hash"),
        gate => (Kind::Plugin, gate.word()),
    };
    Error::new(kind, what)
        .at(code)
        .because(format!("the library is {}", library.display()))
        .fix(way_out(plugin, refusal.gate))
}

fn way_out(plugin: &str, gate: Gate) -> String {
    match gate {
        Gate::Hash => format!("install it again: bitboot plugin install {plugin} --locked"),
        Gate::Worker => format!(
            "see what is missing: bitboot doctor; or trust the plugin with all that you can do: isolation = \"in-process\" in [plugins.{plugin}]"
        ),
        Gate::Ready => format!(
            "try it when the machine has less to do: bitboot plugin retry {plugin}; or do without: bitboot plugin disable {plugin}"
        ),
        _ => format!(
            "install a good one: bitboot plugin install LIBRARY; or do without: bitboot plugin disable {plugin}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_has_no_keys_whatever_it_is_called() {
        let asks = Asks { keys: vec!["secp256k1".into()], ..Asks::default() };
        let trial = Request::new("toll", "library".into());
        assert!(trial.keys(&asks).is_empty());
        let registered = Request { is_trial: false, ..trial };
        assert_eq!(registered.keys(&asks), ["secp256k1"]);
    }
}
