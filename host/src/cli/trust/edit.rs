use clap_complete::ArgValueCompleter;

use super::{now, print};
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::plugin::publisher_name;
use crate::error::{Error, Kind, Result};
use crate::install::{PublisherKey, Trust};
use crate::registry::entry_name;

/// A publisher by its key or its name.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Named {
    /// The publisher's key, or what it calls itself
    #[arg(add = ArgValueCompleter::new(complete::publishers))]
    publisher: String,
}

/// Trust a publisher's key
///
/// Take the key from where the publisher tells it, and not from beside the plugin. With --plugin that plugin belongs to the key from now on, also if
/// it was another publisher's before.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Add {
    /// The key: 56 characters that begin with RW, as in minisign.pub
    key: PublisherKey,
    /// What you call the publisher
    #[arg(long, value_parser = publisher_name)]
    name: Option<String>,
    /// The plugin that it may sign from now on, and nobody else
    #[arg(long, value_parser = entry_name)]
    plugin: Option<String>,
}

/// Revoke a publisher's key: nothing that it has signed is opened any more
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Revoke {
    /// The publisher's key, or what it calls itself
    #[arg(add = ArgValueCompleter::new(complete::publishers))]
    publisher: String,
}

impl Named {
    pub(super) fn show(&self, context: &Context) -> Result<()> {
        let trust = Trust::read(context.paths()?)?;
        let key = trust.find(&self.publisher)?;
        if !trust.publishers.contains_key(&key) {
            return Err(Error::new(Kind::NotFound, format!("nobody has decided about the key {key}"))
                .fix(format!("trust it: bitboot trust add {key}")));
        }
        print(context, &trust, &key)
    }
}

impl Add {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let trust = Trust::change(context.paths()?, |trust| {
            trust.add(&self.key, self.name.as_deref(), self.plugin.as_deref(), &now());
            Ok(trust.clone())
        })?;
        print(context, &trust, &self.key)
    }
}

impl Revoke {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let (trust, key) = Trust::change(context.paths()?, |trust| {
            let key = trust.find(&self.publisher)?;
            trust.revoke(&key, &now());
            Ok((trust.clone(), key))
        })?;
        print(context, &trust, &key)?;
        let plugins = trust.publishers.get(&key).map(|known| known.plugins.clone()).unwrap_or_default();
        for plugin in plugins {
            context.screen.talk().say(&format!(
                "plugin \"{plugin}\" is not opened any more; remove it: bitboot plugin remove {plugin}"
            ));
        }
        Ok(())
    }
}
