use std::fs::File;
use std::time::Duration;

use super::finding::Finding;
use crate::cli::context::Context;
use crate::client::{Bitboot, Provenance, library, provenance};
use crate::error::{Error, Kind, Result};
use crate::install::{Digest, Lock};
use crate::loader::manifest_of;
use crate::output::{CheckedLine, ConfinementLine};
use crate::registry::{Entry, PluginEntry};
use crate::worker::{Rule, State};

/// More than a process is given to open a library. One that is opened in this process and never comes back is left where it is.
const PATIENCE: Duration = Duration::from_secs(15);

/// What became of one plugin.
pub(super) struct Checked {
    pub(super) finding: Finding,
    pub(super) line: CheckedLine,
    pub(super) confined: Vec<ConfinementLine>,
}

/// A plugin is opened as a command would open it; with what then confines it.
pub(super) async fn plugin(context: &Context, name: &str, entry: &Entry<PluginEntry>) -> Result<Checked> {
    let mut line = known(context, name, entry)?;
    let is_off = entry.value.as_ref().is_ok_and(|entry| !entry.enabled);
    let opened = match &entry.value {
        Ok(_) if is_off => Ok(("is disabled".into(), None)),
        Ok(_) => open(&context.bitboot()?, name).await,
        Err(error) => Err(error.clone()),
    };
    line.state = match &opened {
        Ok(_) if is_off => "disabled".into(),
        Ok(_) => "opens".into(),
        Err(error) => error.gate.unwrap_or(error.kind.word()).replace("put-aside", "put aside"),
    };
    let (outcome, rules) = match opened {
        Ok((told, rules)) => {
            line.isolation = if is_off { "" } else { in_force(rules.as_deref()) }.into();
            (Ok(told), rules.unwrap_or_default())
        }
        Err(error) => (Err(error), Vec::new()),
    };
    let confined = rules.into_iter().map(|rule| confinement(name, rule)).collect();
    Ok(Checked { finding: Finding::new(format!("plugin {name}"), outcome), line, confined })
}

/// What is known without opening it.
fn known(context: &Context, name: &str, entry: &Entry<PluginEntry>) -> Result<CheckedLine> {
    let mut line = CheckedLine { plugin: name.to_owned(), ..CheckedLine::default() };
    let Ok(entry) = &entry.value else { return Ok(line) };
    let paths = context.paths()?;
    line.version = entry.version.clone().unwrap_or_default();
    line.signed_by = match provenance(entry) {
        Some(Provenance::Shipped) => "bitboot".into(),
        Some(Provenance::Installed) => {
            let lock = Lock::read(paths).unwrap_or_default();
            let publisher = lock.get(name, &line.version).and_then(|locked| locked.publisher.as_ref());
            publisher.map_or_else(|| "nobody".into(), ToString::to_string)
        }
        _ => "nobody".into(),
    };
    if let Ok(path) = library(paths, name, entry) {
        line.sha256 = File::open(&path).and_then(Digest::of_reader).ok().map(|digest| digest.to_string());
        if let Ok(manifest) = manifest_of(&path) {
            (line.version, line.api) = (manifest.version, Some(manifest.api));
        }
    }
    Ok(line)
}

async fn open(bitboot: &Bitboot, name: &str) -> Result<(String, Option<Vec<Rule>>)> {
    let request = crate::cli::backend::of_plugin(bitboot, name)?;
    let opened = tokio::time::timeout(PATIENCE, bitboot.loader().try_out(&request)).await;
    let late = |_| {
        Error::new(Kind::Plugin, format!("it did not open within {} s", PATIENCE.as_secs()))
            .at("ready")
            .fix(format!("do without: bitboot plugin disable {name}"))
    };
    let (manifest, in_force) = opened.map_err(late)??;
    let rules = in_force.map(|in_force| in_force.rules);
    let how = match rules.as_deref().map(open_rules) {
        None => "in this process, where it can do all that you can: isolation = \"in-process\"".to_owned(),
        Some(0) => "in a process of its own, confined as listed below".to_owned(),
        Some(open) => {
            format!("in a process of its own; {open} things listed below as open are not confined here")
        }
    };
    let finding =
        format!("{} {} opens {how}: {}", manifest.name, manifest.version, request.library.display());
    Ok((finding, rules))
}

fn open_rules(rules: &[Rule]) -> usize {
    rules.iter().filter(|rule| rule.state == State::Open).count()
}

fn in_force(rules: Option<&[Rule]>) -> &'static str {
    match rules.map(open_rules) {
        None => "in-process",
        Some(0) => "confined",
        Some(_) => "partly confined",
    }
}

/// For a person's eyes: what holds for several plugins in one row.
pub(super) fn together(lines: Vec<ConfinementLine>) -> Vec<ConfinementLine> {
    let mut all: Vec<String> = lines.iter().map(|line| line.plugin.clone()).collect();
    all.dedup();
    let (mut rows, mut order) = (Vec::<(ConfinementLine, Vec<String>)>::new(), Vec::new());
    for line in lines {
        let is_same = |row: &ConfinementLine| {
            (&row.what, row.state, &row.detail) == (&line.what, line.state, &line.detail)
        };
        if let Some((_, plugins)) = rows.iter_mut().find(|(row, _)| is_same(row)) {
            plugins.push(line.plugin);
        } else {
            order.push(line.what.clone());
            let plugins = vec![line.plugin.clone()];
            rows.push((line, plugins));
        }
    }
    rows.sort_by_key(|(row, _)| order.iter().position(|what| *what == row.what));
    let named = |plugins: Vec<String>| {
        let others: Vec<_> = all.iter().filter(|name| !plugins.contains(name)).cloned().collect();
        match others.len() {
            0 if all.len() > 1 => "all".to_owned(),
            few if few < plugins.len() && few > 0 => format!("all but {}", others.join(", ")),
            _ => plugins.join(", "),
        }
    };
    rows.into_iter().map(|(row, plugins)| ConfinementLine { plugin: named(plugins), ..row }).collect()
}

fn confinement(plugin: &str, rule: Rule) -> ConfinementLine {
    ConfinementLine { plugin: plugin.into(), what: rule.what, state: rule.state.word(), detail: rule.detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_for_several_is_told_once() {
        let line = |plugin: &str, what: &str, state| ConfinementLine {
            plugin: plugin.into(),
            what: what.into(),
            state,
            detail: "so it is".into(),
        };
        let of =
            |plugin: &str, network| [line(plugin, "network", network), line(plugin, "programs", "refused")];
        let lines =
            ["a", "b", "c"].map(|plugin| of(plugin, if plugin == "b" { "refused" } else { "granted" }));
        let rows = together(lines.into_iter().flatten().collect());
        let told: Vec<_> =
            rows.iter().map(|row| (row.plugin.as_str(), row.what.as_str(), row.state)).collect();
        assert_eq!(
            told,
            [
                ("all but b", "network", "granted"),
                ("b", "network", "refused"),
                ("all", "programs", "refused")
            ]
        );
        assert_eq!(together(of("a", "granted").into())[0].plugin, "a");
    }
}
