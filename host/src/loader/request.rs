use std::path::{Path, PathBuf};

use bitboot_plugin_api::ffi::outside::{Gate, Refusal};
use serde_json::Value;

use super::manifest::Manifest;
use crate::error::{Error, Kind, Result};
use crate::registry::{Grants, Isolation, nearest};

/// What it takes to open a backend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    /// The backend's name.
    pub(crate) backend: String,
    /// The plugin's name.
    pub(crate) plugin: String,
    /// The kind of backend; the plugin's only or first one where it is not named.
    pub(crate) kind: Option<String>,
    /// The plugin's library.
    pub(crate) library: PathBuf,
    /// The SHA-256 that the library must have, where one was verified.
    pub(crate) expected: Option<[u8; 32]>,
    /// What the user has set.
    pub(crate) config: Value,
    /// What is set for all backends of the plugin: one process serves them.
    pub(crate) siblings: Vec<Value>,
    pub(crate) isolation: Isolation,
    pub(crate) grants: Grants,
    /// The most memory of its process, if not the usual.
    pub(crate) memory_mib: Option<u32>,
}

impl Request {
    /// A backend of a plugin with nothing set and what a plugin is granted that nobody has said anything about.
    pub(crate) fn new(plugin: &str, library: PathBuf) -> Self {
        Self {
            backend: plugin.to_owned(),
            plugin: plugin.to_owned(),
            kind: None,
            library,
            expected: None,
            config: Value::Null,
            siblings: Vec::new(),
            isolation: Isolation::default(),
            grants: Grants::default(),
            memory_mib: None,
        }
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

/// A library that is not opened, told to the user.
pub(crate) fn refused(plugin: &str, library: &Path, refusal: &Refusal) -> Error {
    let what = format!("plugin \"{plugin}\" cannot be loaded: {}", refusal.what);
    let kind = if refusal.gate == Gate::Hash { Kind::Integrity } else { Kind::Plugin };
    let error = Error::new(kind, what).because(format!("the library is {}", library.display()));
    error.fix(match refusal.gate {
        Gate::Worker => format!(
            "see what is missing: bitboot doctor; or trust the plugin with all that you can do: isolation = \"in-process\" in [plugins.{plugin}]"
        ),
        _ => format!(
            "install a good one: bitboot plugin install LIBRARY; or do without: bitboot plugin disable {plugin}"
        ),
    })
}
