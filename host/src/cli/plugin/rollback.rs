use clap_complete::ArgValueCompleter;

use super::install::switch;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::client::vouched;
use crate::error::{Error, Kind, Result};
use crate::install::{Lock, Store};
use crate::output::{ChangeLine, Line};
use crate::registry::{PluginEntry, Registry, unknown};

/// Go back to the version of a plugin that was used before
///
/// Once more goes forward again. A library for development gives way to the installed version.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The plugin's name
    #[arg(add = ArgValueCompleter::new(complete::plugins))]
    name: String,
    /// To this installed version, and not to the one before
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
}

impl Args {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit> {
        let (paths, store) = (context.paths()?, Store::new(context.paths()?));
        let claim = store.claim(&self.name)?;
        let registry = Registry::read(paths)?;
        let entry = registry
            .plugins
            .get(&self.name)
            .ok_or_else(|| unknown("plugin", &self.name, registry.plugin_names()))?;
        let entry = entry.value.clone()?;
        let to = self.target(&entry)?;
        // Held against the lock before it is used, as at each start.
        let target = PluginEntry { path: None, version: Some(to.clone()), ..entry.clone() };
        vouched(paths, &self.name, &target)?;
        let locked = Lock::read(paths)?.get(&self.name, &to).cloned();
        let source = locked.as_ref().map(|locked| locked.source.clone());
        switch(context, &claim, &self.name, &to, source.as_deref(), false)?;
        context.print(&Line::Change(ChangeLine {
            plugin: self.name.clone(),
            from: entry.version.clone(),
            to: to.clone(),
            source: source.unwrap_or_default(),
            key: locked.and_then(|locked| locked.publisher).map(|key| key.to_string()),
            asks: Vec::new(),
            removed: Vec::new(),
            done: true,
        }))?;
        let talk = context.screen.talk();
        talk.say(&format!("plugin \"{}\" is at {to} now", self.name));
        if !entry.pinned {
            talk.say(&format!("to keep it there: bitboot plugin pin {}", self.name));
        }
        Ok(Exit::OK)
    }

    fn target(&self, entry: &PluginEntry) -> Result<String> {
        let nothing = || {
            Error::new(Kind::NotFound, format!("plugin \"{}\" has no version to go back to", self.name))
                .fix(format!("see which are installed: bitboot plugin info {}", self.name))
        };
        match (&self.to, &entry.path) {
            (Some(to), _) => Ok(to.clone()),
            (None, Some(_)) => entry.version.clone().ok_or_else(nothing),
            (None, None) => entry.previous.clone().ok_or_else(nothing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_before_is_the_target() {
        let args = Args { name: "demo".into(), to: None };
        let entry = |more: &str| toml::from_str(&format!("version = \"2.0.0\"\n{more}")).unwrap();
        assert_eq!(args.target(&entry("previous = \"1.0.0\"")).unwrap(), "1.0.0");
        assert_eq!(args.target(&entry("path = \"/x.so\"\nprevious = \"1.0.0\"")).unwrap(), "2.0.0");
        assert_eq!(args.target(&entry("")).unwrap_err().kind, Kind::NotFound);
    }
}
