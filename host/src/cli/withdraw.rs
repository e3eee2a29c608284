use std::collections::BTreeSet;
use std::time::Duration;

use clap_complete::ArgValueCompleter;
use tokio::task::JoinSet;

use super::announce::show;
use super::context::Context;
use super::exit::Exit;
use super::outcome::Outcome;
use super::{complete, values};
use crate::client::{Answer, Bitboot, statement};
use crate::discovery::{Deed, tell};
use crate::error::{Error, Kind, Result};
use crate::network::{Metadata, Network};
use crate::output::Line;
use crate::state::Announced;

/// Stop announcing a network
///
/// Takes back what this machine announces, where the medium can; elsewhere it expires. A `bitboot announce` that keeps it alive ends by itself.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The network's name, 40 hexadecimal digits, or a magnet link
    #[arg(value_parser = values::network, add = ArgValueCompleter::new(complete::announced))]
    network: Network,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let bitboot = context.bitboot()?;
        let (network, journal) = (bitboot.resolve(&self.network)?, bitboot.journal());
        let ours: Vec<_> = journal
            .read()?
            .into_iter()
            .filter(|announced| announced.key.network == self.network.name())
            .collect();
        if ours.is_empty() {
            let what = format!("this machine announces nothing in \"{}\"", self.network);
            return Err(Error::new(Kind::NotFound, what).fix("see what it announces: bitboot status"));
        }
        let mut answers = JoinSet::new();
        for announced in &ours {
            // First the journal: whoever keeps it alive must not announce it again meanwhile.
            journal.remove(&announced.key)?;
            take_back(&bitboot, &network, announced, context.timeout(Duration::from_secs(10)), &mut answers)?;
        }
        // The failure of any is a failure of the command.
        let (mut outcome, mut failed) = (Outcome::new(true), BTreeSet::new());
        while let Some(Ok(answer)) = answers.join_next().await {
            if answer.outcome.is_err() {
                failed.insert(answer.backend.clone());
            }
            show(context, "withdraw", &mut outcome, &self.network, answer)?;
        }
        for mut announced in ours {
            announced.owners.clear();
            announced.backends.retain(|backend, _| failed.contains(backend));
            if !announced.backends.is_empty() {
                // So that it can be tried again.
                journal.begin(announced)?;
            }
        }
        context.finish()?;
        let exit = outcome.of_telling();
        context.print(&Line::Summary(outcome.summary(exit)))?;
        Ok(exit)
    }
}

fn take_back(
    bitboot: &Bitboot,
    network: &Network,
    announced: &Announced,
    timeout: Duration,
    answers: &mut JoinSet<Answer>,
) -> Result<()> {
    let ttl = Duration::from_secs(announced.ttl_s.into());
    let what = statement(bitboot, network.clone(), &announced.key, Metadata::new(), ttl)?;
    for backend in announced.backends.keys() {
        // A backend that was removed meanwhile cannot be told.
        let Ok(choice) = bitboot.registry().choice(backend.clone()) else { continue };
        let (candidate, what) = (bitboot.candidate(choice), what.clone());
        answers.spawn(async move { tell(candidate, Deed::Withdraw, &what, timeout).await.into() });
    }
    Ok(())
}
