use std::path::Path;
use std::time::Duration;

use super::backend::ping_all;
use super::context::Context;
use super::exit::Exit;
use crate::client::Bitboot;
use crate::error::{Error, Kind, Result};
use crate::output::{ConfinementLine, FindingLine, Line};
use crate::paths::Paths;
use crate::registry::{Entry, PluginEntry, Registry};
use crate::worker::{Rule, State};

/// Look for what is wrong, and say what helps
///
/// Looks at this build, the folders, the registry and the plugins; with --online also at the media.
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
        if self.online {
            findings.extend(media(&context.bitboot()?, context.timeout(Duration::from_secs(10))).await?);
        }
        let worst =
            findings.iter().filter_map(|(_, outcome)| outcome.as_ref().err()).map(|error| error.kind).next();
        for (about, outcome) in findings {
            context.print(&Line::Finding(line(about, outcome)))?;
        }
        for line in confined {
            context.print(&Line::Confinement(line))?;
        }
        Ok(worst.map_or(Exit::OK, Exit::from))
    }
}

fn line(about: String, outcome: Result<String>) -> FindingLine {
    match outcome {
        Ok(finding) => FindingLine { about, verdict: "ok", finding, fix: None },
        Err(error) => FindingLine { about, verdict: "problem", finding: error.to_string(), fix: error.fix },
    }
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

/// A plugin is opened as a command would open it; with what then confines it.
async fn plugin(
    context: &Context,
    name: &str,
    entry: &Entry<PluginEntry>,
) -> Result<(Result<String>, Vec<Rule>)> {
    let opened = match &entry.value {
        Ok(entry) if !entry.enabled => return Ok((Ok("is disabled".into()), Vec::new())),
        Ok(_) => open(&context.bitboot()?, name).await,
        Err(error) => Err(error.clone()),
    };
    Ok(match opened {
        Ok((finding, rules)) => (Ok(finding), rules),
        Err(error) => (Err(error), Vec::new()),
    })
}

async fn open(bitboot: &Bitboot, name: &str) -> Result<(String, Vec<Rule>)> {
    let request = super::backend::of_plugin(bitboot, name)?;
    let (manifest, in_force) = bitboot.loader().try_out(&request).await?;
    let how = match &in_force {
        None => "in this process, where it can do all that you can: isolation = \"in-process\"".to_owned(),
        Some(in_force) => match in_force.rules.iter().filter(|rule| rule.state == State::Open).count() {
            0 => "in a process of its own, confined as listed below".to_owned(),
            open => {
                format!("in a process of its own; {open} things listed below as open are not confined here")
            }
        },
    };
    let path = request.library.display();
    let finding = format!("{} {} opens {how}: {path}", manifest.name, manifest.version);
    Ok((finding, in_force.map(|in_force| in_force.rules).unwrap_or_default()))
}

fn confinement(plugin: &str, rule: Rule) -> ConfinementLine {
    ConfinementLine { plugin: plugin.into(), what: rule.what, state: rule.state.word(), detail: rule.detail }
}

async fn media(bitboot: &Bitboot, timeout: Duration) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut pings = ping_all(bitboot, bitboot.registry().select("", &[])?, timeout);
    while let Some(Ok((name, answer, _))) = pings.join_next().await {
        let finding = answer.and_then(|health| {
            if health.reachable {
                Ok(health.summary)
            } else {
                Err(Error::new(Kind::Unreachable, health.summary))
            }
        });
        findings.push((format!("medium of {name}"), finding));
    }
    findings.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(findings)
}
