use std::collections::BTreeMap;

use clap_complete::ArgValueCompleter;

use super::install::{Consent, Named, apply, print_plan};
use super::search::newer;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::{Error, Kind, Result};
use crate::install::{Fetcher, Indexes};
use crate::registry::{Registry, unknown};

/// Renew plugins that were installed from an index
///
/// Gets the newest indexes first. The old version stays, and `plugin rollback` goes back to it; still older ones are removed, unless a bitboot that
/// runs has them open. A pinned plugin is left as it is.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The plugins; without any, all
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(complete::plugins))]
    names: Vec<String>,
    /// Do not ask whether a new version may have what the old one did not ask for
    #[arg(long)]
    yes: bool,
    /// Say what would be done
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit> {
        self.are_known(context)?;
        let fetcher = Fetcher::default();
        let bad = update_indexes(context, &fetcher)?;
        let (talk, mut failed, mut count) = (context.screen.talk(), None, 0);
        for newer in newer(context)? {
            let name = &newer.listed.name;
            if bad.contains_key(&newer.index) || !self.names.is_empty() && !self.names.contains(name) {
                continue;
            }
            count += 1;
            if newer.pinned {
                talk.say(&format!(
                    "plugin \"{name}\" stays at {}, it is pinned; {} is out: bitboot plugin unpin {name}",
                    newer.installed, newer.listed.version
                ));
                continue;
            }
            let wanted = Named { index: Some(&newer.index), name, version: Some(&newer.listed.version) };
            if let Err(error) = self.renew(context, &fetcher, &wanted).await {
                // One that cannot be renewed keeps no other from it.
                talk.error(&error);
                failed.get_or_insert(error);
            }
        }
        // Told already.
        let failed = failed.or_else(|| bad.into_values().next());
        if count == 0 && failed.is_none() {
            talk.say("everything is as new as the indexes know");
        }
        Ok(failed.map_or(Exit::OK, |error| Exit::from(&error)))
    }

    async fn renew(&self, context: &Context, fetcher: &Fetcher, wanted: &Named<'_>) -> Result<()> {
        let offer = wanted.find(context, fetcher, false)?;
        let consent = Consent { yes: self.yes, ..Consent::default() };
        consent.publisher(context, &offer)?;
        if self.dry_run {
            return print_plan(context, &offer);
        }
        let applied = apply(context, fetcher, &offer, &consent, false).await?;
        applied.print(context)?;
        applied.say_next(context);
        Ok(())
    }

    /// What cannot be renewed is told at once, with what can be done instead.
    fn are_known(&self, context: &Context) -> Result<()> {
        let registry = Registry::read(context.paths()?)?;
        for name in &self.names {
            let entry =
                registry.plugins.get(name).ok_or_else(|| unknown("plugin", name, registry.plugin_names()))?;
            let entry = entry.value.clone()?;
            if !entry.source.is_some_and(|source| source.starts_with("index:")) {
                return Err(Error::new(
                    Kind::Usage,
                    format!("plugin \"{name}\" was not installed from an index"),
                )
                .fix("install its new version as you installed the old one: bitboot plugin install SOURCE"));
            }
        }
        Ok(())
    }
}

/// An index that cannot be reached is told, and what is known of it is used. One that is not in order is told and not used, which keeps no other
/// from it: those by their names.
fn update_indexes(context: &Context, fetcher: &Fetcher) -> Result<BTreeMap<String, Error>> {
    let (paths, mut bad) = (context.paths()?, BTreeMap::new());
    for (name, entry) in &Indexes::read(paths)?.entries {
        context.screen.talk().busy(&format!("fetching the index \"{name}\""));
        let updated = entry.update(paths, fetcher, name);
        context.screen.talk().rest();
        match updated {
            Err(error) if error.kind == Kind::Unreachable => context.screen.talk().warning(&error),
            Err(error) => {
                context.screen.talk().error(&error);
                bad.insert(name.clone(), error);
            }
            Ok(_) => {}
        }
    }
    Ok(bad)
}
