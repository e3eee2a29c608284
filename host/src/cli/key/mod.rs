mod edit;
mod list;
mod make;
mod moving;

pub(super) use list::spent_today;

use super::context::Context;
use super::exit::Exit;
use crate::error::Result;

/// What can be done with keys.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    New(make::New),
    Import(make::Import),
    /// List the keys; opens no store
    #[command(visible_alias = "ls")]
    List,
    /// Show a key: its public half and who may use it
    Show(edit::Named),
    /// Use a key for the backends that name none of their own
    Default(edit::Named),
    /// Delete a key from its store; nobody can bring it back
    #[command(visible_alias = "rm")]
    Remove(edit::Remove),
    Export(edit::Export),
    Move(moving::Args),
    Policy(edit::Policy),
    Stores(list::Stores),
}

impl Command {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        let keys = context.keys()?;
        match self {
            Self::New(args) => args.run(context, &keys)?,
            Self::Import(args) => args.run(context, &keys)?,
            Self::List => list::list(context, &keys)?,
            Self::Show(named) => named.show(context, &keys)?,
            Self::Default(named) => named.make_default(context, &keys)?,
            Self::Remove(args) => args.run(context, &keys)?,
            Self::Export(args) => args.run(context, &keys)?,
            Self::Move(args) => args.run(context, &keys)?,
            Self::Policy(args) => args.run(context, &keys)?,
            Self::Stores(args) => args.run(context, &keys)?,
        }
        Ok(Exit::OK)
    }
}
