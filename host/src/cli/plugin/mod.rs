mod edit;
mod install;
mod list;

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
    /// Try a plugin again that is put aside because its process died
    Retry(edit::Named),
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
            Self::Retry(named) => named.retry(context),
        }
    }
}
