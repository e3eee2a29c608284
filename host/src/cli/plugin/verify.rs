use std::fs::File;

use clap_complete::ArgValueCompleter;

use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::client::{Provenance, Vouched, provenance, vouched};
use crate::error::{Error, Kind, Result};
use crate::install::{Digest, Lock};
use crate::loader::{manifest_of, refused};
use crate::output::{FindingLine, Line};
use crate::paths::Paths;
use crate::registry::{PluginEntry, Registry, unknown};

/// Hold the installed plugins against bitboot.lock; nothing of them is run
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The plugins; without any, all
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(complete::plugins))]
    names: Vec<String>,
}

impl Args {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit> {
        let paths = context.paths()?;
        let registry = Registry::read(paths)?;
        for name in &self.names {
            registry.plugins.get(name).ok_or_else(|| unknown("plugin", name, registry.plugin_names()))?;
        }
        let mut worst = None;
        for (name, entry) in &registry.plugins {
            if !self.names.is_empty() && !self.names.contains(name) {
                continue;
            }
            for (about, outcome) in verify(paths, name, entry.value.clone()) {
                let (verdict, finding, fix) = match outcome {
                    Ok(finding) => ("ok", finding, None),
                    Err(error) => {
                        worst.get_or_insert(error.kind);
                        ("problem", error.to_string(), error.fix)
                    }
                };
                context.print(&Line::Finding(FindingLine { about, verdict, finding, fix, health: None }))?;
            }
        }
        Ok(worst.map_or(Exit::OK, Exit::from))
    }
}

/// The version in use, and those that lie beside it.
fn verify(paths: &Paths, name: &str, entry: Result<PluginEntry>) -> Vec<(String, Result<String>)> {
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return vec![(format!("plugin {name}"), Err(error))],
    };
    if provenance(&entry) != Some(Provenance::Installed) {
        return vec![(format!("plugin {name}"), unlocked(paths, name, &entry))];
    }
    let versions = Lock::read(paths).map(|lock| lock.plugins.get(name).cloned().unwrap_or_default());
    let mut versions: Vec<String> = versions.unwrap_or_default().into_keys().collect();
    versions.extend(entry.version.clone().filter(|version| !versions.contains(version)));
    let used = |version: &String| if Some(version) == entry.version.as_ref() { ", in use" } else { "" };
    let check = |version: String| {
        let about = format!("plugin {name} {version}{}", used(&version));
        (about, locked(paths, name, &PluginEntry { version: Some(version), ..entry.clone() }))
    };
    versions.into_iter().map(check).collect()
}

fn locked(paths: &Paths, name: &str, entry: &PluginEntry) -> Result<String> {
    let Vouched { path, expected } = vouched(paths, name, entry)?;
    let digest =
        File::open(&path).and_then(Digest::of_reader).map_err(|error| Error::file("read", &path, &error))?;
    if expected != Some(digest.bytes()) {
        return Err(Error::new(Kind::Integrity, "the library was changed after it was installed")
            .at("library-hash")
            .because(format!("{} has the hash {digest}", path.display()))
            .fix(format!("install it again: bitboot plugin install {name} --locked")));
    }
    manifest_of(&path).map_err(|refusal| refused(name, &path, &refusal))?;
    Ok("is what was verified when it was installed".into())
}

fn unlocked(paths: &Paths, name: &str, entry: &PluginEntry) -> Result<String> {
    let Vouched { path, .. } = vouched(paths, name, entry)?;
    manifest_of(&path).map_err(|refusal| refused(name, &path, &refusal))?;
    let origin = if entry.path.is_some() { "a library for development" } else { "it ships with bitboot" };
    Ok(format!("can be read; {origin}, so no hash is known"))
}
