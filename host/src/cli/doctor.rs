use std::path::Path;
use std::time::Duration;

use bitboot_plugin_api::Health;

use super::backend::ping_all;
use super::context::Context;
use super::exit::Exit;
use crate::client::Bitboot;
use crate::error::{Error, Kind, Result};
use crate::keys::{Item, StoreName};
use crate::output::{ConfinementLine, FindingLine, HealthLine, Line};
use crate::paths::Paths;
use crate::registry::{Entry, NetworkEntry, PluginEntry, Registry};
use crate::worker::{Rule, State};

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

fn line(about: String, outcome: Result<String>, health: Option<HealthLine>) -> FindingLine {
    let (verdict, finding, fix) = match outcome {
        Ok(finding) => ("ok", finding, None),
        Err(error) => ("problem", error.to_string(), error.fix),
    };
    FindingLine { about, verdict, finding, fix, health }
}

/// Where the node's key and the secrets of networks lie, and what a move has left; opens no store.
fn secrets(context: &Context) -> Result<Vec<Finding>> {
    let keys = context.keys()?;
    let about = "secrets".to_owned();
    let index = match keys.index() {
        Ok(index) => index,
        Err(error) => return Ok(vec![(about, Err(error))]),
    };
    let node = match keys.known_identity() {
        Ok(Some((_, place))) => Ok(lies(&Item::Node, place.store)),
        Ok(None) => Ok("the node has no key yet; announcing makes one".into()),
        Err(error) => Err(error),
    };
    let mut findings = vec![(about.clone(), node)];
    // A registry that cannot be read has a finding of its own.
    let networks = Registry::read(context.paths()?).map(|registry| registry.networks).unwrap_or_default();
    for (name, entry) in networks {
        if let (Ok(NetworkEntry { secret: true, .. }), Ok(network)) = (entry.value, name.parse()) {
            let item = Item::Network(network);
            findings.push((about.clone(), item.place(&index).map(|place| lies(&item, place.store))));
        }
    }
    findings.extend(index.left_behind().into_iter().map(|error| (about.clone(), Err(error))));
    Ok(findings)
}

fn lies(item: &Item, store: StoreName) -> String {
    let other = if store == StoreName::Home { StoreName::Keyring } else { StoreName::Home };
    let (words, about) = (item.words(), store.about());
    format!("{item} lies in \"{store}\": {about}; to move it: bitboot key move {words} --store {other}")
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

/// With what each medium tells of itself.
async fn media(bitboot: &Bitboot, timeout: Duration) -> Result<Vec<(Finding, Option<HealthLine>)>> {
    let mut findings = Vec::new();
    let mut pings = ping_all(bitboot, bitboot.registry().select("", &[])?, timeout);
    while let Some(Ok((name, answer, took))) = pings.join_next().await {
        let (finding, health) = match answer {
            Ok(health) => (judged(&health), Some(HealthLine::new(&name, health, took))),
            Err(error) => (Err(error), None),
        };
        findings.push(((format!("medium of {name}"), finding), health));
    }
    findings.sort_by(|a, b| a.0.0.cmp(&b.0.0));
    Ok(findings)
}

fn judged(health: &Health) -> Result<String> {
    if health.reachable {
        return Ok(health.summary.clone());
    }
    let error = Error::new(Kind::Unreachable, health.summary.clone());
    Err(match &health.fix {
        Some(fix) => error.fix(fix.clone()),
        None => error,
    })
}
