use std::time::SystemTime;

use super::Finding;
use crate::cli::context::Context;
use crate::client::Bitboot;
use crate::error::{Error, Kind, Result};
use crate::install::Indexes;
use crate::output::ConfinementLine;
use crate::paths::Paths;
use crate::registry::{Entry, PluginEntry};
use crate::worker::{Rule, State};

/// A plugin is opened as a command would open it; with what then confines it.
pub(super) async fn plugin(
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
    let request = crate::cli::backend::of_plugin(bitboot, name)?;
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

pub(super) fn confinement(plugin: &str, rule: Rule) -> ConfinementLine {
    ConfinementLine { plugin: plugin.into(), what: rule.what, state: rule.state.word(), detail: rule.detail }
}

/// How old what is known of each index is.
pub(super) fn indexes(paths: &Paths) -> Vec<Finding> {
    let indexes = match Indexes::read(paths) {
        Ok(indexes) => indexes,
        Err(error) => return vec![("indexes".into(), Err(error))],
    };
    let state = |name: &String| {
        let index = indexes.cached(paths, name)?.ok_or_else(|| {
            Error::new(Kind::NotFound, "it was never fetched").fix(format!("bitboot index update {name}"))
        })?;
        index.not_expired(name, SystemTime::now())?;
        Ok(format!("has {} releases and ends at {}", index.releases.len(), index.expires))
    };
    indexes.entries.keys().map(|name| (format!("index {name}"), state(name))).collect()
}
