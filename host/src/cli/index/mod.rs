mod add;
mod build;

use std::time::SystemTime;

use clap_complete::ArgValueCompleter;

use super::complete;
use super::context::Context;
use super::exit::Exit;
use crate::error::Result;
use crate::install::{Fetcher, IndexEntry, Indexes, forget_index};
use crate::output::{IndexLine, Line};
use crate::paths::Paths;

/// What can be done with indexes.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Add(add::Args),
    /// List the indexes, with the state in which they were last fetched
    #[command(visible_alias = "ls")]
    List,
    /// Fetch the newest state of indexes
    Update {
        /// The indexes; without any, all
        #[arg(value_name = "NAME", add = ArgValueCompleter::new(complete::indexes))]
        names: Vec<String>,
    },
    /// Forget an index; what was installed from it stays
    #[command(visible_alias = "rm")]
    Remove {
        /// The index' name
        #[arg(add = ArgValueCompleter::new(complete::indexes))]
        name: String,
    },
    Build(build::Args),
}

impl Command {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        let paths = context.paths()?;
        match self {
            Self::Add(args) => args.run(context),
            Self::Build(args) => args.run(context),
            Self::List => {
                let indexes = Indexes::read(paths)?;
                if indexes.entries.is_empty() {
                    context.screen.talk().say("there is no index yet; add one: bitboot index add NAME URL");
                }
                for (name, entry) in &indexes.entries {
                    context.print(&Line::Index(line(paths, &indexes, name, entry)))?;
                }
                Ok(Exit::OK)
            }
            Self::Update { names } => update(context, &names),
            Self::Remove { name } => {
                Indexes::change(paths, |indexes| {
                    indexes.get(&name)?;
                    indexes.entries.remove(&name);
                    Ok(())
                })?;
                forget_index(paths, &name)?;
                context
                    .screen
                    .talk()
                    .say(&format!("the index \"{name}\" is removed; what was installed from it stays"));
                Ok(Exit::OK)
            }
        }
    }
}

fn update(context: &Context, names: &[String]) -> Result<Exit> {
    let paths = context.paths()?;
    let (indexes, fetcher) = (Indexes::read(paths)?, Fetcher::default());
    names.iter().try_for_each(|name| indexes.get(name).map(drop))?;
    let mut failed = None;
    for (name, entry) in indexes.entries.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
        context.screen.talk().busy(&format!("fetching the index \"{name}\""));
        let updated = entry.update(paths, &fetcher, name);
        context.screen.talk().rest();
        match updated {
            Ok(_) => context.print(&Line::Index(line(paths, &indexes, name, entry)))?,
            Err(error) => {
                // One that cannot be fetched keeps no other from it.
                context.screen.talk().error(&error);
                failed.get_or_insert(error);
            }
        }
    }
    if failed.is_none() {
        context
            .screen
            .talk()
            .say("see what is new: bitboot plugin outdated; what there is: bitboot plugin search");
    }
    Ok(failed.map_or(Exit::OK, |error| Exit::from(&error)))
}

fn line(paths: &Paths, indexes: &Indexes, name: &str, entry: &IndexEntry) -> IndexLine {
    let (state, mut problem) = match indexes.cached(paths, name) {
        Ok(Some(index)) => (Some(index), None),
        Ok(None) => (None, Some("it was never fetched".to_owned())),
        Err(error) => (None, Some(error.to_string())),
    };
    if let Some(error) = state.as_ref().and_then(|index| index.not_expired(name, SystemTime::now()).err()) {
        problem = Some(error.what);
    }
    IndexLine {
        index: name.to_owned(),
        url: entry.url.clone(),
        key: entry.key.to_string(),
        serial: state.as_ref().map(|index| index.serial),
        expires: state.as_ref().map(|index| index.expires.clone()),
        releases: state.map_or(0, |index| index.releases.len()),
        problem,
    }
}
