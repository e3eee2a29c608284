mod add;
mod edit;
mod info;
mod list;
mod ping;
mod run;

pub(super) use list::line;
pub(super) use ping::ping_all;
pub(super) use run::{Fields, of_plugin, run_action};

use super::context::Context;
use super::exit::Exit;
use crate::error::Result;

/// What can be done with backends.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Add(add::Args),
    Set(add::SetArgs),
    /// Forget a backend; one that ships with bitboot is disabled instead
    #[command(visible_alias = "rm")]
    Remove(edit::Named),
    /// Use a backend again
    Enable(edit::Named),
    /// Keep a backend, but do not use it
    Disable(edit::Named),
    List(list::Args),
    Info(info::Args),
    Ping(ping::Args),
    Run(run::Args),
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        match self {
            Self::Add(args) => args.run(context).await,
            Self::Set(args) => args.run(context).await,
            Self::Remove(named) => named.remove(context),
            Self::Enable(named) => named.switch(context, true),
            Self::Disable(named) => named.switch(context, false),
            Self::List(args) => args.run(context),
            Self::Info(args) => args.run(context).await,
            Self::Ping(args) => args.run(context).await,
            Self::Run(args) => args.run(context).await,
        }
    }
}
