use std::sync::{Arc, Mutex, PoisonError};

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
        let (screen, turn) = (Arc::clone(&context.screen), Mutex::new(()));
        let failed = |why: String| Error::new(Kind::Other, "it cannot be said").because(why);
        let say = move |said: &author::Said| {
            let line = serde_json::to_string(said).map_err(|error| failed(error.to_string()))?;
            // A plugin's threads ask while the suite tells: a line is said whole.
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            screen.raw(&line).map_err(|_| failed("nobody listens".into()))
        };
        author::sit(Arc::new(say)).await.map(|()| Exit::OK)
    }
}
