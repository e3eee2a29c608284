use clap_complete::ArgValueCompleter;

use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::Result;
use crate::registry::{Edit, Origin, Registry, Section, unknown};

/// A backend by its name.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Named {
    /// The backend's name
    #[arg(add = ArgValueCompleter::new(complete::backends))]
    name: String,
}

impl Named {
    pub(in crate::cli) fn remove(self, context: &Context) -> Result<Exit> {
        if self.origin(context)? != Origin::User {
            context.screen.talk().say("it ships with bitboot, so it is disabled instead");
            return self.switch(context, false);
        }
        let mut edit = Edit::begin(context.paths()?)?;
        edit.remove(Section::Backends, &self.name);
        edit.commit()?;
        context.screen.talk().say(&format!("backend \"{}\" is removed", self.name));
        Ok(Exit::OK)
    }

    pub(in crate::cli) fn switch(self, context: &Context, on: bool) -> Result<Exit> {
        self.origin(context)?;
        let state = Edit::switch(context.paths()?, Section::Backends, &self.name, on)?;
        context.screen.talk().say(&format!("backend \"{}\" is {state}", self.name));
        Ok(Exit::OK)
    }

    fn origin(&self, context: &Context) -> Result<Origin> {
        let registry = Registry::read(context.paths()?)?;
        let entry = registry
            .backends
            .get(&self.name)
            .ok_or_else(|| unknown("backend", &self.name, registry.backend_names()))?;
        Ok(entry.origin)
    }
}
