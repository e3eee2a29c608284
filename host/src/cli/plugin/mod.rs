mod edit;
mod install;
mod link;
mod list;
mod new;
mod test;

use super::context::Context;
use super::exit::Exit;
use crate::error::Result;

/// What can be done with plugins.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Install(install::Args),
    List(list::Args),
    Info(list::InfoArgs),
    /// Forget a plugin and delete its library; one that ships with bitboot is disabled instead
    #[command(visible_alias = "rm")]
    Remove(edit::Named),
    /// Use a plugin again
    Enable(edit::Named),
    /// Keep a plugin, but do not use it
    Disable(edit::Named),
    New(new::Args),
    Test(test::Args),
    Link(link::Args),
    Unlink(link::UnlinkArgs),
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        match self {
            Self::Install(args) => args.run(context).await,
            Self::List(args) => args.run(context),
            Self::Info(args) => args.run(context),
            Self::Remove(named) => named.remove(context),
            Self::Enable(named) => named.switch(context, true),
            Self::Disable(named) => named.switch(context, false),
            Self::New(args) => args.run(context),
            Self::Test(args) => args.run(context).await,
            Self::Link(args) => args.run(context).await,
            Self::Unlink(args) => args.run(context),
        }
    }
}
