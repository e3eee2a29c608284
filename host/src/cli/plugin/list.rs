use clap_complete::ArgValueCompleter;

use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::client::library;
use crate::error::{Error, Result};
use crate::loader::{Quarantine, manifest_of, put_aside, refused};
use crate::output::{Line, Mode, PluginLine, escape};
use crate::registry::{Entry, Isolation, PluginEntry, Registry, unknown};

/// List the registered plugins; nothing of them is run
#[derive(Debug, clap::Args)]
#[command(visible_alias = "ls")]
pub(in crate::cli) struct Args {}

/// Show a plugin by its manifest; nothing of it is run
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct InfoArgs {
    /// The plugin's name
    #[arg(add = ArgValueCompleter::new(complete::plugins))]
    name: String,
}

impl Args {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit> {
        let Self {} = self;
        let quarantine = Quarantine::new(&context.paths()?.state);
        for (name, entry) in &Registry::read(context.paths()?)?.plugins {
            context.print(&Line::Plugin(line(name, entry, &quarantine)))?;
        }
        Ok(Exit::OK)
    }
}

impl InfoArgs {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit> {
        let registry = Registry::read(context.paths()?)?;
        let entry = registry
            .plugins
            .get(&self.name)
            .ok_or_else(|| unknown("plugin", &self.name, registry.plugin_names()))?;
        let line = line(&self.name, entry, &Quarantine::new(&context.paths()?.state));
        if matches!(context.screen.mode, Mode::Json | Mode::Plain) {
            context.print(&Line::Plugin(line))?;
            return Ok(Exit::OK);
        }
        let rows = [
            ("plugin", line.plugin),
            ("version", line.version),
            ("state", line.state),
            ("isolation", line.isolation),
            ("summary", line.summary),
            ("kinds", line.kinds.join(", ")),
            ("library", line.library.unwrap_or_default()),
            ("problem", line.problem.unwrap_or_default()),
        ];
        let page: Vec<_> = rows
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name:<10}{}", escape(value)))
            .collect();
        context.raw(&page.join("\n"))?;
        Ok(Exit::OK)
    }
}

/// A plugin as its entry and its library's manifest tell it.
fn line(name: &str, entry: &Entry<PluginEntry>, quarantine: &Quarantine) -> PluginLine {
    let mut line = PluginLine {
        plugin: name.to_owned(),
        version: String::new(),
        state: "invalid".into(),
        isolation: String::new(),
        kinds: Vec::new(),
        summary: String::new(),
        library: None,
        problem: None,
    };
    let entry = match &entry.value {
        Ok(entry) => entry,
        Err(error) => return with_problem(line, "invalid", error),
    };
    line.version = entry.version.clone().unwrap_or_default();
    line.isolation = entry.isolation.word().into();
    let path = match library(name, entry) {
        Ok(path) => path,
        Err(error) => return with_problem(line, "missing", &error),
    };
    line.library = Some(path.display().to_string());
    match manifest_of(&path) {
        Ok(manifest) => {
            line.state = if entry.enabled { "enabled" } else { "disabled" }.into();
            line.version = manifest.version;
            line.summary = manifest.summary;
            line.kinds = manifest.backends.into_iter().map(|backend| backend.kind).collect();
            match quarantine.of(name).filter(|_| entry.enabled && entry.isolation == Isolation::Process) {
                Some(aside) => with_problem(line, "put aside", &put_aside(name, &aside)),
                None => line,
            }
        }
        Err(refusal) => {
            let state = if path.exists() { "broken" } else { "missing" };
            with_problem(line, state, &refused(name, &path, &refusal))
        }
    }
}

fn with_problem(line: PluginLine, state: &str, error: &Error) -> PluginLine {
    PluginLine { state: state.into(), problem: Some(error.what.clone()), ..line }
}
