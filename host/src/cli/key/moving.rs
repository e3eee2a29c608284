use clap_complete::ArgValueCompleter;

use crate::cli::context::Context;
use crate::cli::{complete, values};
use crate::error::{Error, Kind, Result};
use crate::keys::{Item, KeyRing, StoreName};
use crate::network::Network;

/// Move a key, or a network's secret, from its store to another one
///
/// The node's own key is called `node`. It and the secrets of networks lie in files that only you can read, not encrypted (`home`), so that
/// announcing asks nobody; in another store they are asked for when something is announced, or a secret network is looked up. A move that
/// is cut short loses nothing: do it again.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The key's name; with --network the network's
    #[arg(add = ArgValueCompleter::new(complete::keys))]
    name: String,
    /// The secret of this network
    #[arg(long)]
    network: bool,
    /// Where it is kept from now on
    #[arg(long)]
    store: StoreName,
}

impl Args {
    pub(super) fn run(self, context: &Context, keys: &KeyRing) -> Result<()> {
        let item = if self.network { Item::Network(network(&self.name)?) } else { Item::named(&self.name) };
        let from = keys.move_to(&item, self.store)?;
        let talk = context.screen.talk();
        talk.say(&format!("{item} is kept in: {}", self.store.about()));
        if from == StoreName::Env {
            talk.say("its variable is still set where you start bitboot: take it away there");
        }
        Ok(())
    }
}

fn network(name: &str) -> Result<Network> {
    values::network(name).map_err(|why| Error::new(Kind::Usage, "there is no such network").because(why))
}
