mod media;
mod plugins;
mod secrets;

use std::path::Path;
use std::time::Duration;

use self::media::media;
use self::plugins::{confinement, indexes, plugin};
use self::secrets::secrets;
use super::context::Context;
use super::exit::Exit;
use crate::error::{Error, Kind, Result};
use crate::output::{FindingLine, HealthLine, Line};
use crate::paths::Paths;
use crate::registry::Registry;

/// Look for what is wrong, and say what helps
///
/// Looks at this build, the folders, the registry, the plugins, and where secrets lie; with --online also at the media.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Ask the media of the default backends too
    #[arg(long)]
    online: bool,
}

/// One finding: what it is about, and what is right or wrong with it.
type Finding = (String, Result<String>);

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let paths = context.paths()?;
        let (mut findings, mut confined) = (vec![("build".to_owned(), build())], Vec::new());
        findings.extend(folders(paths));
        match Registry::read(paths) {
            Ok(registry) => {
                findings
                    .push(("registry".to_owned(), Ok(format!("{} can be read", paths.registry().display()))));
                findings.extend(entries(&registry));
                for (name, entry) in &registry.plugins {
                    let (finding, rules) = plugin(context, name, entry).await?;
                    findings.push((format!("plugin {name}"), finding));
                    confined.extend(rules.into_iter().map(|rule| confinement(name, rule)));
                }
            }
            Err(error) => findings.push(("registry".to_owned(), Err(error))),
        }
        findings.extend(indexes(paths));
        findings.extend(secrets(context)?);
        let mut findings: Vec<_> = findings.into_iter().map(|finding| (finding, None)).collect();
        if self.online {
            findings.extend(media(&context.bitboot()?, context.timeout(Duration::from_secs(10))).await?);
        }
        let failures = findings.iter().filter_map(|((_, outcome), _)| outcome.as_ref().err());
        let worst = failures.map(|error| error.kind).next();
        for ((about, outcome), health) in findings {
            context.print(&Line::Finding(line(about, outcome, health)))?;
        }
        for line in confined {
            context.print(&Line::Confinement(line))?;
        }
        Ok(worst.map_or(Exit::OK, Exit::from))
    }
}

fn line(about: String, outcome: Result<String>, health: Option<Box<HealthLine>>) -> FindingLine {
    let (verdict, finding, fix) = match outcome {
        Ok(finding) => ("ok", finding, None),
        Err(error) => ("problem", error.to_string(), error.fix),
    };
    FindingLine { about, verdict, finding, fix, health }
}

/// A program that is linked with everything in it cannot load a library.
fn build() -> Result<String> {
    if cfg!(target_feature = "crt-static") && cfg!(target_env = "musl") {
        return Err(Error::new(Kind::Plugin, "this bitboot is linked statically and cannot load plugins")
            .fix("use a build for glibc"));
    }
    Ok(format!(
        "bitboot {}, plugin API {}, can load libraries",
        env!("CARGO_PKG_VERSION"),
        bitboot_plugin_api::ffi::API_MAJOR
    ))
}

fn folders(paths: &Paths) -> Vec<Finding> {
    let all =
        [("config", &paths.config), ("data", &paths.data), ("state", &paths.state), ("cache", &paths.cache)];
    all.into_iter().map(|(name, folder)| (format!("{name} folder"), usable(folder))).collect()
}

fn usable(folder: &Path) -> Result<String> {
    if !folder.exists() {
        return Ok(format!("{} is made when it is needed", folder.display()));
    }
    tempfile::tempfile_in(folder).map_err(|error| {
        Error::file("write in", folder, &error)
            .fix(format!("see who owns it, or use another one: --home DIR; it is {}", folder.display()))
    })?;
    Ok(format!("{} can be written", folder.display()))
}

fn entries(registry: &Registry) -> Vec<Finding> {
    let backends = registry
        .backends
        .iter()
        .filter_map(|(name, entry)| Some((format!("backend {name}"), entry.value.as_ref().err()?)));
    let networks = registry
        .networks
        .iter()
        .filter_map(|(name, entry)| Some((format!("network {name}"), entry.value.as_ref().err()?)));
    backends.chain(networks).map(|(about, error)| (about, Err(error.clone()))).collect()
}
