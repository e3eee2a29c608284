use std::time::Duration;

use clap_complete::ArgValueCompleter;

use super::context::Context;
use super::exit::Exit;
use super::outcome::Outcome;
use super::{complete, signals, values};
use crate::client::{Bitboot, Found, LookupOptions};
use crate::discovery::Change;
use crate::error::Result;
use crate::network::Network;
use crate::output::{ErrorLine, Line, PeerLine};

mod exec;
mod many;

pub(super) use many::{Networks, many};

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
    /// Run a command for each peer: {} stands for HOST:PORT, which else comes last
    #[arg(long, value_name = "COMMAND", value_parser = exec::Command::parse, value_hint = clap::ValueHint::CommandString)]
    exec: Option<exec::Command>,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let networks = self.networks.all()?;
        let bitboot = context.bitboot()?;
        let mut options = LookupOptions::default().timeout(context.timeout(Duration::from_secs(10)));
        options.via.clone_from(&self.via);
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
        let mut outcome = Outcome::new(!self.via.is_empty());
        let lookups = networks.iter().map(|network| Ok((network.clone(), bitboot.lookup(network, options)?)));
        let mut found = many(lookups.collect::<Result<Vec<_>>>()?, async |lookup| lookup.next().await);
        context.screen.talk().busy("asking the backends");
        let stopped = loop {
            let (network, found) = tokio::select! {
                exit = signals::stopped() => break Some(exit),
                next = found.recv() => match next {
                    Some(next) => next,
                    None => break None,
                },
            };
            self.show(context, &mut outcome, network.name(), found).await?;
        };
        drop(found);
        context.finish()?;
        let exit = stopped.unwrap_or_else(|| outcome.of_asking());
        if outcome.peers == 0 && stopped.is_none() && outcome.answered > 0 {
            context.screen.talk().say(
                "no peer was found: nobody announces there now, or the medium is slow; try --timeout 30s",
            );
        }
        context.print(&Line::Summary(outcome.summary(exit)))?;
        Ok(exit)
    }

    async fn show(
        &self,
        context: &Context,
        outcome: &mut Outcome,
        network: &str,
        found: Found,
    ) -> Result<()> {
        match found {
            Found::Peer(peer) => {
                outcome.peers += 1;
                context.print(&Line::Peer(PeerLine::new(network, &peer)))?;
                context.screen.talk().busy(&format!("{} found, the last {}", outcome.peers, peer.endpoint));
                self.exec(context, network, &peer).await
            }
            Found::Confirmed(peer) => context.print(&Line::PeerConfirmed(PeerLine::new(network, &peer))),
            Found::Done { backend, unread, .. } => {
                outcome.answered += 1;
                if unread > 0 {
                    context
                        .screen
                        .talk()
                        .say(&format!("{backend}: {unread} values that this version cannot open"));
                }
                Ok(())
            }
            Found::Failed { backend, error, .. } => {
                outcome.fail(&error);
                outcome.tell(context, &error);
                context.print(&Line::BackendError(ErrorLine::new(Some(network), Some(&backend), &error)))
            }
        }
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
        loop {
            tokio::select! {
                exit = signals::stopped() => return Ok(exit),
                Some((network, change)) = changes.recv() => match change {
                    Ok(change) => {
                        if let Change::Added(peer) = &change {
                            self.exec(context, network.name(), peer).await?;
                        }
                        context.print(&line_of(network.name(), &change))?;
                    }
                    Err(error) => {
                        context.screen.talk().warning(&error);
                        context.print(&Line::BackendError(ErrorLine::new(Some(network.name()), None, &error)))?;
                    }
                },
            }
        }
    }

    async fn exec(&self, context: &Context, network: &str, peer: &crate::Peer) -> Result<()> {
        match &self.exec {
            Some(command) => command.run(context, network, peer).await,
            None => Ok(()),
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
