use std::time::SystemTime;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::{Error, Kind, Result};
use crate::install::{Index, Indexes, Listed, version};
use crate::output::{Line, OfferLine};
use crate::registry::Registry;

/// Look for plugins in the indexes, as they were when they were last fetched
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Part of a name or of a summary; without it all are listed
    #[arg(value_name = "TEXT", default_value = "")]
    text: String,
    /// Every version, and those for other machines too
    #[arg(long)]
    all: bool,
}

/// List the installed plugins of which the indexes have a newer version
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct OutdatedArgs {}

impl Args {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit> {
        let text = self.text.to_lowercase();
        let fits =
            |listed: &Listed| listed.name.contains(&text) || listed.summary.to_lowercase().contains(&text);
        if print(context, fits, self.all)? > 0 {
            context.screen.talk().say("install one: bitboot plugin install NAME");
            return Ok(Exit::OK);
        }
        let error = Error::new(Kind::NotFound, "no index has such a plugin for this machine");
        if Indexes::read(context.paths()?)?.entries.is_empty() {
            return Err(error.fix("add an index: bitboot index add NAME URL"));
        }
        Err(error
            .fix("get the newest indexes: bitboot index update; all machines: bitboot plugin search --all"))
    }
}

impl OutdatedArgs {
    pub(in crate::cli) fn run(self, context: &Context) -> Result<Exit> {
        let Self {} = self;
        let newer = newer(context)?;
        for line in &newer {
            context.print(&Line::Offer(line_of(line)))?;
        }
        let talk = context.screen.talk();
        if newer.is_empty() {
            talk.say("everything is as new as the indexes know; get the newest: bitboot index update");
        } else {
            talk.say("renew them: bitboot plugin upgrade");
        }
        Ok(Exit::OK)
    }
}

/// An installed plugin and the newest version of it.
pub(super) struct Newer {
    pub(super) index: String,
    pub(super) installed: String,
    pub(super) pinned: bool,
    pub(super) listed: Listed,
}

/// The installed plugins of which their index has a newer version.
pub(super) fn newer(context: &Context) -> Result<Vec<Newer>> {
    let registry = Registry::read(context.paths()?)?;
    let indexes = read_indexes(context)?;
    let mut newer = Vec::new();
    for (name, entry) in &registry.plugins {
        let Ok(entry) = &entry.value else { continue };
        let (Some(installed), Some(source), None) = (&entry.version, &entry.source, &entry.path) else {
            continue;
        };
        let Some(index) = source.strip_prefix("index:") else { continue };
        let offered =
            indexes.iter().find(|(known, _)| known == index).and_then(|(_, index)| index.newest(name));
        let Some(listed) = offered else { continue };
        if listed.semver() > version(installed).ok() {
            let (index, installed) = (index.to_owned(), installed.clone());
            newer.push(Newer { index, installed, pinned: entry.pinned, listed: listed.clone() });
        }
    }
    Ok(newer)
}

/// Prints what the indexes offer; how many there are.
pub(super) fn print(context: &Context, fits: impl Fn(&Listed) -> bool, all: bool) -> Result<usize> {
    let registry = Registry::read(context.paths()?)?;
    let mut count = 0;
    for (index, list) in read_indexes(context)? {
        let newest = |listed: &&Listed| list.newest(&listed.name).is_some_and(|newest| newest == *listed);
        for listed in
            list.releases.iter().filter(|listed| fits(listed)).filter(|listed| all || newest(listed))
        {
            let entry = registry.plugins.get(&listed.name).and_then(|entry| entry.value.as_ref().ok());
            let mut line = offer_line(&index, listed);
            line.installed = entry.and_then(|entry| entry.version.clone());
            line.pinned = entry.is_some_and(|entry| entry.pinned);
            context.print(&Line::Offer(line))?;
            count += 1;
        }
    }
    Ok(count)
}

fn line_of(newer: &Newer) -> OfferLine {
    let mut line = offer_line(&newer.index, &newer.listed);
    (line.installed, line.pinned) = (Some(newer.installed.clone()), newer.pinned);
    line
}

fn offer_line(index: &str, listed: &Listed) -> OfferLine {
    OfferLine {
        plugin: listed.name.clone(),
        version: listed.version.clone(),
        installed: None,
        summary: listed.summary.clone(),
        publisher: listed.publisher.name.clone(),
        key: listed.publisher.key.to_string(),
        index: index.to_owned(),
        targets: listed.targets.clone(),
        pinned: false,
    }
}

/// The indexes as they were last fetched. What is wrong with one is told and hides no other.
fn read_indexes(context: &Context) -> Result<Vec<(String, Index)>> {
    let paths = context.paths()?;
    let indexes = Indexes::read(paths)?;
    let mut read = Vec::new();
    for name in indexes.entries.keys() {
        match indexes.cached(paths, name) {
            Ok(Some(index)) => {
                if let Err(error) = index.not_expired(name, SystemTime::now()) {
                    context.screen.talk().warning(&error);
                }
                read.push((name.clone(), index));
            }
            Ok(None) => context
                .screen
                .talk()
                .say(&format!("the index \"{name}\" was never fetched: bitboot index update {name}")),
            Err(error) => context.screen.talk().warning(&error),
        }
    }
    Ok(read)
}
