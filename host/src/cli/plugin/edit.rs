use clap_complete::ArgValueCompleter;

use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::Result;
use crate::install::place;
use crate::loader::Quarantine;
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
        let registry = self.registry(context)?;
        if registry.plugins.get(&self.name).is_some_and(|entry| entry.origin != Origin::User) {
            context.screen.talk().say("it ships with bitboot, so it is disabled instead");
            return self.switch(context, false);
        }
        let mut edit = Edit::begin(context.paths()?)?;
        edit.remove(Section::Plugins, &self.name);
        edit.commit()?;
        place::delete(context.paths()?, &self.name)?;
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

    fn registry(&self, context: &Context) -> Result<Registry> {
        let registry = Registry::read(context.paths()?)?;
        if !registry.plugins.contains_key(&self.name) {
            return Err(unknown("plugin", &self.name, registry.plugin_names()));
        }
        Ok(registry)
    }
}
