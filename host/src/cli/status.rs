use super::context::Context;
use super::exit::Exit;
use super::key::spent_today;
use crate::error::Result;
use crate::output::{AnnouncedLine, IdentityLine, Line};
use crate::state::{Announced, Journal};

/// What this machine announces, until when, the last error, and what was spent today
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        let Self {} = self;
        let all = Journal::new(context.paths()?).read()?;
        let keys = context.keys()?;
        if let Some((public_key, place)) = keys.known_identity()? {
            context.screen.talk().say(&format!("this node signs as {public_key}"));
            context.print(&Line::Identity(IdentityLine { public_key, store: place.store.word().into() }))?;
        }
        for spent in spent_today(context, &keys)? {
            let limit = spent.per_day.as_ref().map(|limit| format!(" of {limit}")).unwrap_or_default();
            let (key, backend, amount) = (&spent.key, &spent.backend, &spent.spent);
            context
                .screen
                .talk()
                .say(&format!("spent today (UTC) with the key \"{key}\" on \"{backend}\": {amount}{limit}"));
            context.print(&Line::Spent(spent))?;
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
        kept_by: placement.kept_by(),
        error: placement.error.clone(),
    })
}
