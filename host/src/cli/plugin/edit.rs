use clap_complete::ArgValueCompleter;

use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::client::library;
use crate::error::{Error, Kind, Result};
use crate::install::{Lock, Store, delete_all};
use crate::loader::Quarantine;
use crate::output::{Line, Mode};
use crate::paths::Paths;
use crate::registry::{Edit, Origin, Registry, Section, is_entry_name, unknown};

/// A plugin by its name.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Named {
    /// The plugin's name
    #[arg(add = ArgValueCompleter::new(complete::plugins))]
    name: String,
}

impl Named {
    pub(in crate::cli) fn remove(self, context: &Context) -> Result<Exit> {
        let (paths, store) = (context.paths()?, Store::new(context.paths()?));
        let registry = Registry::read(paths)?;
        match registry.plugins.get(&self.name) {
            Some(entry) if entry.origin != Origin::User => {
                context.screen.talk().say("it ships with bitboot, so it is disabled instead");
                return self.switch(context, false);
            }
            None if !self.is_left(paths, &store)? => {
                return Err(unknown("plugin", &self.name, registry.plugin_names()));
            }
            _ => {}
        }
        let claim = store.claim(&self.name)?;
        let mut edit = Edit::begin(paths)?;
        if edit.remove(Section::Plugins, &self.name) {
            edit.commit()?;
        }
        delete_all(&store, &claim, &self.name)?;
        Lock::change(paths, |lock| {
            lock.plugins.remove(&self.name);
            Ok(())
        })?;
        context.screen.talk().say(&format!("plugin \"{}\" is removed", self.name));
        let left: Vec<_> = registry
            .backends
            .iter()
            .filter(|(_, entry)| entry.value.as_ref().is_ok_and(|entry| entry.plugin == self.name))
            .collect();
        for (backend, _) in left {
            context.screen.talk().say(&format!(
                "backend \"{backend}\" has no plugin now; remove it: bitboot backend remove {backend}"
            ));
        }
        Ok(Exit::OK)
    }

    pub(in crate::cli) fn switch(self, context: &Context, on: bool) -> Result<Exit> {
        self.registry(context)?;
        let state = Edit::switch(context.paths()?, Section::Plugins, &self.name, on)?;
        context.screen.talk().say(&format!("plugin \"{}\" is {state}", self.name));
        Ok(Exit::OK)
    }

    pub(in crate::cli) fn pin(self, context: &Context, on: bool) -> Result<Exit> {
        let registry = self.registry(context)?;
        if registry.plugins.get(&self.name).is_some_and(|entry| entry.origin != Origin::User) {
            return Err(Error::new(
                Kind::Usage,
                format!("plugin \"{}\" ships with bitboot and has its version", self.name),
            )
            .fix("leave it: it is renewed with bitboot only"));
        }
        let mut edit = Edit::begin(context.paths()?)?;
        let entry = edit.entry(Section::Plugins, &self.name)?;
        if on {
            entry.insert("pinned", true.into());
        } else {
            entry.remove("pinned");
        }
        edit.commit()?;
        let state = if on { "stays at its version" } else { "is renewed by `bitboot plugin upgrade` again" };
        context.screen.talk().say(&format!("plugin \"{}\" {state}", self.name));
        Ok(Exit::OK)
    }

    pub(in crate::cli) fn which(self, context: &Context) -> Result<Exit> {
        let registry = self.registry(context)?;
        let Some(entry) = registry.plugins.get(&self.name) else { return Ok(Exit::OK) };
        let path = library(context.paths()?, &self.name, &entry.value.clone()?)?;
        if context.screen.mode == Mode::Json {
            context.print(&Line::Plugin(super::list::line(context.paths()?, &self.name, entry)))?;
        } else {
            context.raw(&path.display().to_string())?;
        }
        Ok(Exit::OK)
    }

    pub(in crate::cli) fn retry(self, context: &Context) -> Result<Exit> {
        // One that died while it was being installed is not registered.
        let was_aside =
            is_entry_name(&self.name) && Quarantine::new(&context.paths()?.state).clear(&self.name)?;
        if !was_aside {
            self.registry(context)?;
        }
        context.screen.talk().say(&if was_aside {
            format!("plugin \"{}\" is tried again the next time that it is used", self.name)
        } else {
            format!("plugin \"{}\" was not put aside", self.name)
        });
        Ok(Exit::OK)
    }

    /// Whether there is something of a plugin that is not registered: its removal was cut short, or the lock came from another machine.
    fn is_left(&self, paths: &Paths, store: &Store) -> Result<bool> {
        Ok(is_entry_name(&self.name)
            && (store.has(&self.name) || Lock::read(paths)?.plugins.contains_key(&self.name)))
    }

    fn registry(&self, context: &Context) -> Result<Registry> {
        let registry = Registry::read(context.paths()?)?;
        if !registry.plugins.contains_key(&self.name) {
            return Err(unknown("plugin", &self.name, registry.plugin_names()));
        }
        Ok(registry)
    }
}
