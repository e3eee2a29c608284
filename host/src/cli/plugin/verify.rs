use clap_complete::ArgValueCompleter;

use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::client::{Provenance, Vouched, provenance, vouched};
use crate::error::{Error, Kind, Result};
use crate::install::{Lock, Verified, verify};
use crate::loader::{manifest_of, refused};
use crate::output::{FindingLine, Line};
use crate::paths::Paths;
use crate::registry::{PluginEntry, Registry, unknown};

/// Hold the installed plugins against what was verified; nothing of them is run
///
/// Of each installed version: every file that came with it (library, manifest, licence, man page) against bitboot.lock, who could have changed it,
/// what else lies there, the signature of its release, and whether its publisher is still trusted. Each difference is a line. Ends with 7 where
/// there is one; a plugin of which nothing was verified, and that cannot be read, ends with the code of that.
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
            let about = format!("plugin {name}");
            let is_installed =
                entry.value.as_ref().is_ok_and(|entry| provenance(entry) == Some(Provenance::Installed));
            let found = match &entry.value {
                Ok(entry) if is_installed => installed(paths, name, entry),
                Ok(entry) => vec![(about, unlocked(paths, name, entry))],
                Err(error) => vec![(about, Err(error.clone()))],
            };
            for (about, outcome) in found {
                // Of what was installed, whatever differs is no more what was verified.
                let kind = |error: &Error| if is_installed { Kind::Integrity } else { error.kind };
                worst = worst.or(outcome.as_ref().err().map(kind));
                context.print(&Line::Finding(finding(about, outcome)))?;
            }
        }
        Ok(worst.map_or(Exit::OK, Exit::from))
    }
}

type Found = (String, Result<String>);

/// The version in use, and those that lie beside it.
fn installed(paths: &Paths, name: &str, entry: &PluginEntry) -> Vec<Found> {
    let known = Lock::read(paths).map(|lock| lock.plugins.get(name).cloned().unwrap_or_default());
    let mut versions: Vec<String> = known.unwrap_or_default().into_keys().collect();
    versions.extend(entry.version.clone().filter(|version| !versions.contains(version)));
    let used = |version: &String| if Some(version) == entry.version.as_ref() { ", in use" } else { "" };
    let check = |version: String| {
        let about = format!("plugin {name} {version}{}", used(&version));
        let outcomes = match verify(paths, name, &version) {
            Err(error) => vec![Err(error)],
            Ok(Verified { files, publisher, wrong }) if wrong.is_empty() => {
                let signer = publisher.map_or("nobody".into(), |key| format!("{key}, which is trusted"));
                vec![Ok(format!(
                    "all {files} files are what was verified when it was installed; signed by {signer}"
                ))]
            }
            Ok(Verified { wrong, .. }) => wrong.into_iter().map(Err).collect(),
        };
        outcomes.into_iter().map(move |outcome| (about.clone(), outcome))
    };
    versions.into_iter().flat_map(check).collect()
}

fn unlocked(paths: &Paths, name: &str, entry: &PluginEntry) -> Result<String> {
    let Vouched { path, .. } = vouched(paths, name, entry)?;
    manifest_of(&path).map_err(|refusal| refused(name, &path, &refusal))?;
    let origin = if entry.path.is_some() { "a library for development" } else { "it ships with bitboot" };
    Ok(format!("can be read; {origin}, so no hash is known"))
}

fn finding(about: String, outcome: Result<String>) -> FindingLine {
    let line = |verdict, finding, fix, gate| FindingLine { about, verdict, finding, fix, gate, health: None };
    match outcome {
        Ok(finding) => line("ok", finding, None, None),
        Err(error) => {
            let finding = error.to_string();
            let Error { fix, gate, .. } = error;
            line("problem", finding, fix, gate)
        }
    }
}
