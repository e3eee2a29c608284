mod edit;
mod install;
mod link;
mod list;
mod new;
mod pack;
mod rollback;
mod search;
mod sign;
mod test;
mod upgrade;
mod verify;

pub(super) use pack::made;
pub(super) use sign::publisher_name;

use super::context::Context;
use super::exit::Exit;
use crate::error::Result;

/// What can be done with plugins.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Install(install::Args),
    List(list::Args),
    Info(list::InfoArgs),
    Search(search::Args),
    Outdated(search::OutdatedArgs),
    Upgrade(upgrade::Args),
    Rollback(rollback::Args),
    /// Keep a plugin at its version: `plugin upgrade` leaves it as it is
    Pin(edit::Named),
    /// Let `plugin upgrade` renew a plugin again
    Unpin(edit::Named),
    /// Forget a plugin and delete all its versions; one that ships with bitboot is disabled instead
    #[command(visible_alias = "rm")]
    Remove(edit::Named),
    /// Use a plugin again
    Enable(edit::Named),
    /// Keep a plugin, but do not use it
    Disable(edit::Named),
    Verify(verify::Args),
    /// Print the path of the library that is used
    Which(edit::Named),
    Pack(pack::Args),
    Sign(sign::Args),
    New(new::Args),
    Test(test::Args),
    Link(link::Args),
    Unlink(link::UnlinkArgs),
    /// Try a plugin again that is put aside because its process died
    Retry(edit::Named),
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        match self {
            Self::Install(args) => args.run(context).await,
            Self::List(args) => args.run(context),
            Self::Info(args) => args.run(context),
            Self::Search(args) => args.run(context),
            Self::Outdated(args) => args.run(context),
            Self::Upgrade(args) => args.run(context).await,
            Self::Rollback(args) => args.run(context),
            Self::Pin(named) => named.pin(context, true),
            Self::Unpin(named) => named.pin(context, false),
            Self::Remove(named) => named.remove(context),
            Self::Enable(named) => named.switch(context, true),
            Self::Disable(named) => named.switch(context, false),
            Self::Verify(args) => args.run(context),
            Self::Which(named) => named.which(context),
            Self::Pack(args) => args.run(context).await,
            Self::Sign(args) => args.run(context),
            Self::New(args) => args.run(context),
            Self::Test(args) => args.run(context).await,
            Self::Link(args) => args.run(context).await,
            Self::Unlink(args) => args.run(context),
            Self::Retry(named) => named.retry(context),
        }
    }
}
