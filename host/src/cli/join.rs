use std::time::Duration;

use clap_complete::ArgValueCompleter;

use super::announce::{Keeper, What, show};
use super::context::Context;
use super::exit::Exit;
use super::lookup::line_of;
use super::outcome::Outcome;
use super::{complete, signals, values};
use crate::client::LookupOptions;
use crate::discovery::Change;
use crate::error::Result;
use crate::network::Network;
use crate::output::{ErrorLine, Line};

/// Announce and watch in one: the whole job
///
/// Announces this peer, keeps it alive, and tells who came and who is gone, until Ctrl-C takes the announcement back.
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
        asked.via = self.what.via().to_vec();
        let ourselves = told.endpoints.clone();
        let mut outcome = Outcome::new(self.what.named());
        let mut keeper = Keeper::start(context, &bitboot, std::slice::from_ref(&self.network), &told)?;
        let mut watch = bitboot.watch(&self.network, asked, self.every)?;
        let exit = loop {
            tokio::select! {
                exit = signals::stopped() => break exit,
                answer = keeper.next() => match answer {
                    Some((network, answer)) => {
                        show(context, "announce", &mut outcome, &network, answer)?;
                        context.finish()?;
                    }
                    // Withdrawn by `bitboot withdraw`.
                    None => break outcome.of_telling(),
                },
                change = watch.next() => match change {
                    Ok(Change::Added(peer) | Change::Expired(peer)) if ourselves.contains(&peer.endpoint) => {}
                    Ok(change) => context.print(&line_of(self.network.name(), &change))?,
                    Err(error) => {
                        context.screen.talk().warning(&error);
                        context.print(&Line::BackendError(ErrorLine::new(Some(self.network.name()), None, &error)))?;
                    }
                },
            }
        };
        drop(watch);
        keeper.withdraw().await?;
        bitboot.close().await;
        context.print(&Line::Summary(outcome.summary(exit)))?;
        Ok(exit)
    }
}
