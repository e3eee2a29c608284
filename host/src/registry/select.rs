use super::{BackendEntry, PluginEntry, Registry, unknown};
use crate::error::{Error, Kind, Result};

/// The backends that a command uses.
#[derive(Debug)]
pub(crate) struct Selection {
    /// The user named them with `--via`: then the failure of one is a failure of the command.
    pub(crate) named: bool,
    pub(crate) choices: Vec<Choice>,
}

/// A backend with its plugin, or why it cannot be used.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) backend: String,
    pub(crate) entries: Result<(BackendEntry, PluginEntry)>,
}

impl Registry {
    /// The backends named by `--via`, or else the network's own, or else the default ones.
    pub(crate) fn select(&self, network: &str, via: &[String]) -> Result<Selection> {
        let mut names: Vec<String> = if via.is_empty() { self.usual(network)? } else { via.to_vec() };
        names.sort();
        names.dedup();
        let choices = names.into_iter().map(|name| self.choice(name)).collect::<Result<Vec<_>>>()?;
        Ok(Selection { named: !via.is_empty(), choices })
    }

    /// One backend by its name.
    pub(crate) fn choice(&self, backend: String) -> Result<Choice> {
        let entry =
            self.backends.get(&backend).ok_or_else(|| unknown("backend", &backend, self.backend_names()))?;
        let entries = entry.value.clone().and_then(|entry| self.with_plugin(&backend, entry));
        Ok(Choice { backend, entries })
    }

    /// The same for who wants to know about it, whether it is switched off or not.
    pub(crate) fn about(&self, backend: &str) -> Result<(BackendEntry, PluginEntry)> {
        let entry =
            self.backends.get(backend).ok_or_else(|| unknown("backend", backend, self.backend_names()))?;
        self.plugin_of(backend, entry.value.clone()?)
    }

    pub(crate) fn backend_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.backends.keys().map(String::as_str)
    }

    pub(crate) fn plugin_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.plugins.keys().map(String::as_str)
    }

    /// A plugin that can be used.
    pub(crate) fn plugin(&self, name: &str) -> Result<PluginEntry> {
        let entry = self.plugins.get(name).ok_or_else(|| unknown("plugin", name, self.plugin_names()))?;
        let entry = entry.value.clone()?;
        if !entry.enabled {
            let what = format!("plugin \"{name}\" is disabled");
            return Err(Error::new(Kind::Config, what)
                .at("disabled")
                .fix(format!("switch it on: bitboot plugin enable {name}")));
        }
        Ok(entry)
    }

    fn with_plugin(&self, backend: &str, entry: BackendEntry) -> Result<(BackendEntry, PluginEntry)> {
        if !entry.enabled {
            let what = format!("backend \"{backend}\" is disabled");
            return Err(Error::new(Kind::Config, what)
                .at("disabled")
                .fix(format!("switch it on: bitboot backend enable {backend}")));
        }
        self.plugin_of(backend, entry)
    }

    fn plugin_of(&self, backend: &str, entry: BackendEntry) -> Result<(BackendEntry, PluginEntry)> {
        let plugin = self.plugin(&entry.plugin).map_err(|error| Error {
            kind: Kind::Plugin,
            what: format!("backend \"{backend}\" has no plugin: {}", error.what),
            ..error
        })?;
        Ok((entry, plugin))
    }

    fn usual(&self, network: &str) -> Result<Vec<String>> {
        if let Some(entry) = self.networks.get(network) {
            let entry = entry.value.clone()?;
            if !entry.backends.is_empty() {
                return Ok(entry.backends);
            }
        }
        let is_default = |entry: &BackendEntry| {
            let plugin = self.plugins.get(&entry.plugin).map(|plugin| &plugin.value);
            // A plugin that is switched off takes its backends along; one that is missing or invalid is told.
            let is_off = matches!(plugin, Some(Ok(plugin)) if !plugin.enabled);
            entry.default && entry.enabled && !is_off
        };
        let usable = self.backends.iter().filter(|(_, entry)| entry.value.as_ref().is_ok_and(is_default));
        let names = usable.map(|(name, _)| name.clone()).collect::<Vec<_>>();
        if names.is_empty() {
            return Err(Error::new(Kind::Config, "no backend is a default one").fix(
                "name some with --via, or make one a default: bitboot backend set NAME --default true",
            ));
        }
        Ok(names)
    }
}
