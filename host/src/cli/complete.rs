//! Live values for the shell, from files only: no plugin is loaded for a TAB.

use std::ffi::OsStr;

use clap_complete::CompletionCandidate;

use crate::install::{Indexes, Trust};
use crate::keys::{Index, NODE};
use crate::paths::Paths;
use crate::registry::Registry;
use crate::state::Journal;

pub(super) fn backends(current: &OsStr) -> Vec<CompletionCandidate> {
    let names = |registry: Registry| {
        registry
            .backends
            .into_iter()
            .map(|(name, entry)| (name, entry.value.map(|entry| entry.summary).ok()))
            .collect()
    };
    // After a comma comes the next name.
    candidates(current, ',', &read(names))
}

pub(super) fn plugins(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(
        current,
        '\0',
        &read(|registry| registry.plugins.into_keys().map(|name| (name, None)).collect()),
    )
}

/// The indexes that were added.
pub(super) fn indexes(current: &OsStr) -> Vec<CompletionCandidate> {
    let known = paths().and_then(|paths| Indexes::read(&paths).ok()).unwrap_or_default();
    let names: Vec<_> = known.entries.into_iter().map(|(name, entry)| (name, Some(entry.url))).collect();
    candidates(current, '\0', &names)
}

/// Publishers by their keys, with what they call themselves.
pub(super) fn publishers(current: &OsStr) -> Vec<CompletionCandidate> {
    let known = paths().and_then(|paths| Trust::read(&paths).ok()).unwrap_or_default();
    let names: Vec<_> =
        known.publishers.into_iter().map(|(key, known)| (key.to_string(), Some(known.name))).collect();
    candidates(current, '\0', &names)
}

/// Clauses of the contract.
pub(super) fn clauses(current: &OsStr) -> Vec<CompletionCandidate> {
    let names = crate::author::clauses().map(|name| (name.to_owned(), None));
    candidates(current, ',', &names.collect::<Vec<_>>())
}

/// Networks that are registered and those that are announced.
pub(super) fn networks(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut names = read(|registry| registry.networks.into_keys().map(|name| (name, None)).collect());
    names.extend(announced_names());
    candidates(current, '\0', &names)
}

pub(super) fn announced(current: &OsStr) -> Vec<CompletionCandidate> {
    candidates(current, '\0', &announced_names())
}

/// A backend, or a plugin, whose own actions can be run.
pub(super) fn backends_and_plugins(current: &OsStr) -> Vec<CompletionCandidate> {
    backends(current).into_iter().chain(plugins(current)).collect()
}

/// A key; opens no store.
pub(super) fn keys(current: &OsStr) -> Vec<CompletionCandidate> {
    let index = paths().and_then(|paths| Index::read(&paths).ok()).unwrap_or_default();
    let kind = |entry: crate::keys::Entry| Some(entry.kind.word().to_owned());
    let mut names: Vec<Named> = index.keys.into_iter().map(|(name, entry)| (name, kind(entry))).collect();
    names.push((NODE.into(), Some("the node's own key".into())));
    candidates(current, ',', &names)
}

type Named = (String, Option<String>);

fn read(names: impl FnOnce(Registry) -> Vec<Named>) -> Vec<Named> {
    paths().and_then(|paths| Registry::read(&paths).ok()).map(names).unwrap_or_default()
}

fn announced_names() -> Vec<Named> {
    let announced = paths().and_then(|paths| Journal::new(&paths).read().ok()).unwrap_or_default();
    announced.into_iter().map(|announced| (announced.key.network, None)).collect()
}

/// The words of the line that is being typed are not parsed yet, so `--home` on it is not seen: the environment is.
fn paths() -> Option<Paths> {
    match std::env::var_os("BITBOOT_HOME").filter(|home| !home.is_empty()) {
        Some(home) => Some(Paths::inside(home.as_ref())),
        None => Paths::of_user().ok(),
    }
}

fn candidates(current: &OsStr, separator: char, names: &[Named]) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let (before, start) =
        current.rfind(separator).map_or(("", &*current), |at| current.split_at(at + separator.len_utf8()));
    let mut fitting: Vec<_> = names.iter().filter(|(name, _)| name.starts_with(start)).collect();
    fitting.sort();
    fitting.dedup_by(|a, b| a.0 == b.0);
    fitting
        .into_iter()
        .map(|(name, summary)| {
            CompletionCandidate::new(format!("{before}{name}")).help(summary.clone().map(Into::into))
        })
        .collect()
}
