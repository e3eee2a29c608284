use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use clap_complete::ArgValueCompleter;
use tokio::task::JoinSet;

use super::announce::{Spending, show};
use super::context::Context;
use super::exit::Exit;
use super::outcome::Outcome;
use super::{complete, values};
use crate::client::{Answer, Bitboot, Spend, agreement, statement};
use crate::discovery::{Deed, Statement, tell};
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
    #[command(flatten)]
    spending: Spending,
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
        let Some(mut spends) = self.spends(context, &bitboot, &network, &ours).await? else {
            return Ok(Exit::OK);
        };
        let mut answers = JoinSet::new();
        for announced in &ours {
            // First the journal: whoever keeps it alive must not announce it again meanwhile.
            journal.remove(&announced.key)?;
            let timeout = context.timeout(PATIENCE);
            take_back(&bitboot, &network, announced, timeout, &mut spends, &mut answers)?;
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

/// How long a backend may take.
const PATIENCE: Duration = Duration::from_secs(10);

impl Args {
    /// What may be spent on it, for each backend where that was agreed to; there it is told once, whatever was announced. `None` when
    /// nothing is to be done.
    async fn spends(
        &self,
        context: &Context,
        bitboot: &Bitboot,
        network: &Network,
        ours: &[Announced],
    ) -> Result<Option<BTreeMap<String, Option<Spend>>>> {
        let Some(first) = ours.first().filter(|_| !self.spending.is_silent()) else {
            return Ok(Some(BTreeMap::new()));
        };
        let backends: BTreeSet<String> =
            ours.iter().flat_map(|announced| announced.backends.keys().cloned()).collect();
        let what = whole(bitboot, network, first, ours)?;
        let quoted = bitboot.quote_withdrawal(network, &what, backends, context.timeout(PATIENCE)).await;
        if let Some(error) = quoted.iter().find_map(|quoted| quoted.quote.as_ref().err()) {
            return Err(error.clone());
        }
        let settled = self.spending.settle(context, bitboot, quoted)?;
        Ok(settled.map(|settled| {
            settled.spend.into_iter().map(|spend| (spend.backend().to_owned(), Some(spend))).collect()
        }))
    }
}

/// What one announcement says, for as long as the longest of all of them lives.
fn whole(bitboot: &Bitboot, network: &Network, one: &Announced, all: &[Announced]) -> Result<Statement> {
    let ttl_s = all.iter().map(|announced| announced.ttl_s).max().unwrap_or(one.ttl_s);
    statement(bitboot, network.clone(), &one.key, Metadata::new(), Duration::from_secs(ttl_s.into()))
}

fn take_back(
    bitboot: &Bitboot,
    network: &Network,
    announced: &Announced,
    timeout: Duration,
    spends: &mut BTreeMap<String, Option<Spend>>,
    answers: &mut JoinSet<Answer>,
) -> Result<()> {
    let ttl = Duration::from_secs(announced.ttl_s.into());
    let what = statement(bitboot, network.clone(), &announced.key, Metadata::new(), ttl)?;
    for backend in announced.backends.keys() {
        // A backend that was removed meanwhile cannot be told.
        let Ok(choice) = bitboot.registry().choice(backend.clone()) else { continue };
        let (candidate, mut what) = (bitboot.candidate(choice), what.clone());
        let spend = match spends.get_mut(backend).map(Option::take) {
            // It was told already, for all of this machine's announcements there.
            Some(None) => continue,
            spend => spend.flatten(),
        };
        let signer = Arc::clone(bitboot.signer());
        answers.spawn(async move {
            // Held while it is told.
            let agreed = match spend {
                Some(spend) => Some(agreement(&signer, spend).await),
                None => None,
            };
            what.agreed = agreed.is_some();
            tell(candidate, Deed::Withdraw, &what, timeout).await.into()
        });
    }
    Ok(())
}
