use std::time::Duration;

use clap_complete::ArgValueCompleter;

use super::announce::{Keeper, What, show};
use super::context::Context;
use super::exit::Exit;
use super::lookup::line_of;
use super::outcome::Outcome;
use super::signals::Signals;
use super::{complete, values};
use crate::client::{AnnounceOptions, Answer, LookupOptions, Watch};
use crate::discovery::{Change, Peer};
use crate::error::Result;
use crate::network::{Network, PublicKey, Signer};
use crate::output::{ErrorLine, Line, Mode};

/// Announce and watch in one: the whole job
///
/// Announces this peer, keeps it alive, and tells who came and who is gone, until Ctrl-C, which takes the announcement back where
/// the medium can. It spends nothing: for a medium that costs money use `announce`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The network's name, 40 hexadecimal digits, or a magnet link
    #[arg(value_parser = values::network, add = ArgValueCompleter::new(complete::networks))]
    network: Network,
    #[command(flatten)]
    what: What,
    /// How often to look
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = values::duration)]
    every: Duration,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let bitboot = context.bitboot()?;
        let told = self.what.options(context)?;
        let mut asked = LookupOptions::default().timeout(context.timeout(Duration::from_secs(10)));
        asked.via.clone_from(&told.via);
        let mut outcome = Outcome::new(!told.via.is_empty());
        let mut keeper = Keeper::start(context, &bitboot, std::slice::from_ref(&self.network), &told)?;
        let ourselves = Ourselves { identity: bitboot.keys().identity()?.public(), told };
        let watch = bitboot.watch(&self.network, asked, self.every)?;
        let served = self.serve(context, &mut keeper, watch, &ourselves, &mut outcome).await;
        // Whatever ended it, also a pipe that was closed.
        let said_goodbye = keeper
            .withdraw(|line| if context.screen.mode == Mode::Plain { Ok(()) } else { context.print(line) })
            .await;
        bitboot.close().await;
        let exit = served?;
        said_goodbye?;
        context.print(&Line::Summary(outcome.summary(exit)))?;
        Ok(exit)
    }

    async fn serve(
        &self,
        context: &Context,
        keeper: &mut Keeper<'_>,
        mut watch: Watch,
        ourselves: &Ourselves,
        outcome: &mut Outcome,
    ) -> Result<Exit> {
        let mut signals = Signals::new();
        loop {
            tokio::select! {
                exit = signals.stopped() => return Ok(exit),
                answer = keeper.next() => match answer {
                    // Whoever reads one word a line wants peers.
                    Some((_, Answer { outcome: Ok(_), .. })) if context.screen.mode == Mode::Plain => outcome.answered += 1,
                    Some((network, answer)) => {
                        show(context, "announce", outcome, &network, answer)?;
                        context.finish()?;
                    }
                    // Withdrawn by `bitboot withdraw`.
                    None => return Ok(outcome.of_telling()),
                },
                change = watch.next() => match change {
                    Ok(Change::Added(peer) | Change::Expired(peer)) if ourselves.are(&peer) => {}
                    Ok(change) => {
                        outcome.peers += usize::from(matches!(change, Change::Added(_)));
                        context.print(&line_of(self.network.name(), &change))?;
                    }
                    Err(error) => {
                        context.screen.talk().warning(&error);
                        let line = ErrorLine::new(Some(self.network.name()), None, &error);
                        context.print(&Line::BackendError(line))?;
                    }
                },
            }
        }
    }
}

/// What this process itself announces: nobody needs to be told of it.
struct Ourselves {
    identity: PublicKey,
    told: AnnounceOptions,
}

impl Ourselves {
    fn are(&self, peer: &Peer) -> bool {
        let signed = peer.signed_by == Some(Signer::Node(self.identity))
            && self.told.port == Some(peer.endpoint.port());
        signed || self.told.endpoints.contains(&peer.endpoint)
    }
}
