mod edit;

use std::time::SystemTime;

use super::context::Context;
use super::exit::Exit;
use crate::error::Result;
use crate::install::{PublisherKey, Trust};
use crate::output::{Line, PublisherLine};

/// What can be done with publishers.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the publishers that somebody decided about
    #[command(visible_alias = "ls")]
    List,
    /// Show a publisher: its key, and the plugins that it alone may sign here
    Show(edit::Named),
    Add(edit::Add),
    Revoke(edit::Revoke),
}

impl Command {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        match self {
            Self::List => {
                let trust = Trust::read(context.paths()?)?;
                if trust.publishers.is_empty() {
                    context
                        .screen
                        .talk()
                        .say("nobody is trusted yet; installing something asks, or: bitboot trust add KEY");
                }
                for key in trust.publishers.keys() {
                    print(context, &trust, key)?;
                }
            }
            Self::Show(named) => named.show(context)?,
            Self::Add(args) => args.run(context)?,
            Self::Revoke(args) => args.run(context)?,
        }
        Ok(Exit::OK)
    }
}

fn print(context: &Context, trust: &Trust, key: &PublisherKey) -> Result<()> {
    let Some(known) = trust.publishers.get(key) else { return Ok(()) };
    context.print(&Line::Publisher(PublisherLine {
        publisher: known.name.clone(),
        key: key.to_string(),
        state: if known.revoked { "revoked" } else { "trusted" },
        since: known.since.clone(),
        plugins: known.plugins.iter().cloned().collect(),
    }))
}

fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
