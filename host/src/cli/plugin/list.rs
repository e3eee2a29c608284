use clap_complete::ArgValueCompleter;

use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::client::{Provenance, library, provenance};
use crate::error::{Error, Result};
use crate::install::{Lock, this_target};
use crate::loader::{Manifest, Quarantine, manifest_of, put_aside, refused};
use crate::output::{Line, Mode, PluginLine, escape};
use crate::paths::Paths;
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
        let paths = context.paths()?;
        for (name, entry) in &Registry::read(paths)?.plugins {
            context.print(&Line::Plugin(line(paths, name, entry)))?;
        }
        Ok(Exit::OK)
    }
}

impl InfoArgs {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit> {
        let paths = context.paths()?;
        let registry = Registry::read(paths)?;
        let Some(entry) = registry.plugins.get(&self.name) else {
            // What is not installed may be on offer.
            if super::search::print(context, |listed| listed.name == self.name, false)? > 0 {
                return Ok(Exit::OK);
            }
            return Err(unknown("plugin", &self.name, registry.plugin_names()));
        };
        let line = line(paths, &self.name, entry);
        if matches!(context.screen.mode, Mode::Json | Mode::Plain) {
            context.print(&Line::Plugin(line))?;
            return Ok(Exit::OK);
        }
        context.page(&page(line))?;
        Ok(Exit::OK)
    }
}

/// All that is known of a plugin, for a person.
fn page(line: PluginLine) -> String {
    let rows = [
        ("plugin", line.plugin),
        ("version", line.version),
        ("state", line.state),
        ("isolation", line.isolation),
        ("origin", line.origin),
        ("pinned", if line.pinned { "yes" } else { "" }.into()),
        ("summary", line.summary),
        ("kinds", line.kinds.join(", ")),
        ("asks for", line.asks.join(", ")),
        ("signed by", line.key.unwrap_or_default()),
        ("source", line.source.unwrap_or_default()),
        ("versions", line.versions.join(", ")),
        ("library", line.library.unwrap_or_default()),
        ("sha-256", line.sha256.unwrap_or_default()),
        ("problem", line.problem.unwrap_or_default()),
    ];
    let rows = rows.iter().filter(|(_, value)| !value.is_empty());
    rows.map(|(name, value)| format!("{name:<10}{}", escape(value))).collect::<Vec<_>>().join("\n")
}

pub(super) fn line(paths: &Paths, name: &str, entry: &Entry<PluginEntry>) -> PluginLine {
    let line = PluginLine { plugin: name.to_owned(), state: "invalid".into(), ..PluginLine::default() };
    let entry = match &entry.value {
        Ok(entry) => entry,
        Err(error) => return with_problem(line, "invalid", error),
    };
    let line = with_origin(paths, line, entry);
    let path = match library(paths, name, entry) {
        Ok(path) => path,
        Err(error) => return with_problem(line, "missing", &error),
    };
    let line = PluginLine { library: Some(path.display().to_string()), ..line };
    match manifest_of(&path) {
        Ok(manifest) => of_manifest(paths, line, entry, manifest),
        Err(refusal) => {
            let state = if path.exists() { "broken" } else { "missing" };
            with_problem(line, state, &refused(name, &path, &refusal))
        }
    }
}

fn of_manifest(paths: &Paths, line: PluginLine, entry: &PluginEntry, manifest: Manifest) -> PluginLine {
    let name = line.plugin.clone();
    let line = PluginLine {
        state: if entry.enabled { "enabled" } else { "disabled" }.into(),
        version: manifest.version,
        summary: manifest.summary,
        kinds: manifest.backends.into_iter().map(|backend| backend.kind).collect(),
        asks: super::install::words(&manifest.asks),
        ..line
    };
    let may_be_aside = entry.enabled && entry.isolation == Isolation::Process;
    match Quarantine::new(&paths.state).of(&name).filter(|_| may_be_aside) {
        Some(aside) => with_problem(line, "put aside", &put_aside(&name, &aside)),
        None => line,
    }
}

/// Where it came from and what was verified then.
fn with_origin(paths: &Paths, line: PluginLine, entry: &PluginEntry) -> PluginLine {
    let lock = Lock::read(paths).unwrap_or_default();
    let version = entry.version.clone().unwrap_or_default();
    let installed = provenance(entry) == Some(Provenance::Installed);
    let locked = lock.get(&line.plugin, &version).filter(|_| installed);
    let origin = match provenance(entry) {
        Some(Provenance::Shipped) => "shipped",
        Some(Provenance::Dev) => "dev",
        Some(Provenance::Installed) if locked.is_some_and(|locked| locked.publisher.is_none()) => "unsigned",
        Some(Provenance::Installed) if locked.is_some() => "signed",
        _ => "",
    };
    let sha256 =
        locked.and_then(|locked| locked.targets.get(&this_target())).map(|hashes| hashes.library.to_string());
    PluginLine {
        version,
        origin: origin.into(),
        key: locked.and_then(|locked| locked.publisher.as_ref()).map(ToString::to_string),
        sha256,
        isolation: entry.isolation.word().into(),
        source: entry.source.clone().filter(|_| installed),
        pinned: entry.pinned,
        versions: lock
            .plugins
            .get(&line.plugin)
            .into_iter()
            .flat_map(|versions| versions.keys().cloned())
            .collect(),
        ..line
    }
}

fn with_problem(line: PluginLine, state: &str, error: &Error) -> PluginLine {
    PluginLine { state: state.into(), problem: Some(error.what.clone()), ..line }
}
