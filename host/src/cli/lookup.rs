use std::time::Duration;

use clap_complete::ArgValueCompleter;

use super::context::Context;
use super::exit::Exit;
use super::outcome::Outcome;
use super::signals::Signals;
use super::{complete, values};
use crate::client::{Bitboot, LookupOptions};
use crate::discovery::Change;
use crate::error::Result;
use crate::network::Network;
use crate::output::{ErrorLine, Line, PeerLine};

mod exec;
mod many;
mod showing;

pub(super) use many::{Networks, many};
use showing::Showing;

/// Find peers of networks
///
/// Asks every backend at once and prints each peer the moment that the first one finds it. Ends when all have told what they know.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    networks: Networks,
    /// Ask these backends only [default: the network's, or else the default ones]
    #[arg(long, value_name = "BACKEND", value_delimiter = ',', env = "BITBOOT_VIA", hide_env_values = true)]
    #[arg(add = ArgValueCompleter::new(complete::backends))]
    via: Vec<String>,
    /// End when this many peers of a network are known
    #[arg(long, value_name = "N", value_parser = values::count)]
    limit: Option<usize>,
    /// End with the first peer
    #[arg(long, conflicts_with = "limit")]
    first: bool,
    /// Look again and again, and tell who came and who is gone
    #[arg(long, visible_alias = "continuous", value_name = "EVERY", num_args = 0..=1, require_equals = true, default_missing_value = "30s")]
    #[arg(value_parser = values::duration, conflicts_with_all = ["limit", "first"])]
    watch: Option<Duration>,
    /// In a secret network, show addresses too that no member has signed for
    #[arg(long)]
    unverified: bool,
    /// Run a command for each peer: {} stands for HOST:PORT, which else comes last
    #[arg(long, value_name = "COMMAND", value_parser = exec::Command::parse, value_hint = clap::ValueHint::CommandString)]
    exec: Option<exec::Command>,
}

/// About so many networks a backend is asked at once: each question takes room in its process.
const AT_ONCE: usize = 1000;

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let networks = self.networks.all()?;
        let bitboot = context.bitboot()?;
        let mut options = LookupOptions::default().timeout(context.timeout(Duration::from_secs(10)));
        options.via = values::backends(&self.via);
        options.unverified = self.unverified;
        options.limit = if self.first { Some(1) } else { self.limit };
        let exit = match self.watch {
            Some(every) => self.watch(context, &bitboot, &networks, &options, every).await,
            None => self.once(context, &bitboot, &networks, &options).await,
        };
        bitboot.close().await;
        exit
    }

    async fn once(
        &self,
        context: &Context,
        bitboot: &Bitboot,
        networks: &[Network],
        options: &LookupOptions,
    ) -> Result<Exit> {
        let mut showing = Showing::new(context, self.exec.as_ref(), !options.via.is_empty());
        context.screen.talk().busy("asking the backends");
        let mut signals = Signals::new();
        for some in networks.chunks(AT_ONCE) {
            let lookups = some.iter().map(|network| Ok((network.clone(), bitboot.lookup(network, options)?)));
            let mut found = many(lookups.collect::<Result<Vec<_>>>()?, async |lookup| lookup.next().await);
            loop {
                // One step of the work: it ends a command of --exec too.
                let step = async {
                    match found.recv().await {
                        Some((network, found)) => showing.show(&network, found).await.map(|()| true),
                        None => Ok(false),
                    }
                };
                tokio::select! {
                    exit = signals.stopped() => return showing.end(Some(exit)),
                    goes_on = step => if !goes_on? {
                        break;
                    },
                }
            }
        }
        showing.end(None)
    }

    async fn watch(
        &self,
        context: &Context,
        bitboot: &Bitboot,
        networks: &[Network],
        options: &LookupOptions,
        every: Duration,
    ) -> Result<Exit> {
        let watches = networks
            .iter()
            .map(|network| Ok((network.clone(), bitboot.watch(network, options.clone(), every)?)));
        let mut changes = many(watches.collect::<Result<Vec<_>>>()?, async |watch| Some(watch.next().await));
        let (mut outcome, mut signals) = (Outcome::new(!options.via.is_empty()), Signals::new());
        let exit = loop {
            let step = async {
                let Some((network, change)) = changes.recv().await else { return Ok(()) };
                self.tell_change(context, &mut outcome, &network, change).await
            };
            tokio::select! {
                exit = signals.stopped() => break exit,
                told = step => told?,
            }
        };
        context.print(&Line::Summary(outcome.summary(exit)))?;
        Ok(exit)
    }

    async fn tell_change(
        &self,
        context: &Context,
        outcome: &mut Outcome,
        network: &Network,
        change: Result<Change>,
    ) -> Result<()> {
        match change {
            Ok(change) => {
                context.print(&line_of(network.name(), &change))?;
                let Change::Added(peer) = &change else { return Ok(()) };
                outcome.peers += 1;
                match &self.exec {
                    Some(command) => command.run(context, network.name(), peer).await,
                    None => Ok(()),
                }
            }
            Err(error) => {
                outcome.failed += 1;
                context.screen.talk().warning(&error);
                context.print(&Line::BackendError(ErrorLine::new(Some(network.name()), None, &error)))
            }
        }
    }
}

/// A change as a line.
pub(super) fn line_of(network: &str, change: &Change) -> Line {
    match change {
        Change::Added(peer) => Line::PeerAdded(PeerLine::new(network, peer)),
        Change::Expired(peer) => Line::PeerExpired(PeerLine::new(network, peer)),
    }
}
