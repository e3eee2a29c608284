use super::context::Context;
use super::exit::Exit;
use crate::author;
use crate::error::{Error, Kind, Result};

/// Put a plugin to the contract, as `plugin test` says on the standard input
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let Self {} = self;
        let say = |said: &author::Said| {
            let line = serde_json::to_string(said);
            context.raw(&line.map_err(|error| Error::new(Kind::Other, "it cannot be said").because(error))?)
        };
        author::sit(say).await.map(|()| Exit::OK)
    }
}
