use super::context::Context;
use super::exit::Exit;
use crate::error::Result;
use crate::keys::KeyFiles;
use crate::output::{AnnouncedLine, IdentityLine, Line};
use crate::state::{Announced, Journal};

/// What this machine announces, until when, and the last error
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        let Self {} = self;
        let all = Journal::new(context.paths()?).read()?;
        if let Some(identity) = KeyFiles::new(context.paths()?).known_identity()? {
            let public_key = identity.public().to_string();
            context.screen.talk().say(&format!("this node signs as {public_key}"));
            context.print(&Line::Identity(IdentityLine { public_key }))?;
        }
        if all.is_empty() {
            context
                .screen
                .talk()
                .say("this machine announces nothing; start with: bitboot announce NETWORK --port PORT");
        }
        for announced in &all {
            for line in lines(announced) {
                context.print(&Line::Announced(line))?;
            }
        }
        Ok(Exit::OK)
    }
}

fn lines(announced: &Announced) -> impl Iterator<Item = AnnouncedLine> {
    let port = announced.key.port.map(|port| format!("*:{port}"));
    let what: Vec<_> =
        port.into_iter().chain(announced.key.endpoints.iter().map(ToString::to_string)).collect();
    announced.backends.iter().map(move |(backend, placement)| AnnouncedLine {
        network: announced.key.network.clone(),
        what: what.clone(),
        backend: backend.clone(),
        stored: placement.stored,
        expires: AnnouncedLine::expiry(placement.expires),
        kept_by: announced.kept_by(),
        error: placement.error.clone(),
    })
}
