use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use clap_complete::ArgValueCompleter;
use tokio::task::JoinSet;

use super::announce::{Settled, Spending, show};
use super::context::Context;
use super::exit::Exit;
use super::outcome::Outcome;
use super::{complete, values};
use crate::client::{Bitboot, Spend, agreement, note_withdrawal, statement};
use crate::discovery::{Deed, Statement, Told, tell};
use crate::error::{Error, Kind, Result};
use crate::network::{Metadata, Network};
use crate::output::Line;
use crate::state::{Announced, Key};

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
        let mut ours = journal.read()?;
        ours.retain(|announced| announced.key.network == self.network.name());
        if ours.is_empty() {
            let what = format!("this machine announces nothing in \"{}\"", self.network);
            return Err(Error::new(Kind::NotFound, what).fix("see what it announces: bitboot status"));
        }
        let Some(settled) = self.settle(context, &bitboot, &network, &ours).await? else {
            return Ok(Exit::OK);
        };
        // First the journal: whoever keeps it alive must not announce it again meanwhile. It forgets only what has really been taken back, so
        // that whatever ends this process, all of that can be tried again.
        let ours = journal.end_all(self.network.name())?;
        let mut answers = take_back(&bitboot, &network, &ours, settled, context.timeout(PATIENCE))?;
        // The failure of any is a failure of the command.
        let mut outcome = Outcome::new(true);
        let (mut printed, mut noted) = (Ok(()), Ok(()));
        while let Some(answer) = answers.join_next().await {
            let Ok((keys, told)) = answer else {
                // A task of ours that panicked is a fault of ours; the others still count.
                outcome.fail(&Error::new(Kind::Other, "telling a backend failed inside of bitboot"));
                continue;
            };
            noted = noted.and(note_withdrawal(&journal, &keys, &told));
            // A pipe that was closed keeps the others from nothing but being told.
            printed =
                printed.and_then(|()| show(context, "withdraw", &mut outcome, &self.network, told.into()));
        }
        noted?;
        printed?;
        context.finish()?;
        let exit = outcome.of_telling();
        context.print(&Line::Summary(outcome.summary(exit)))?;
        Ok(exit)
    }
}

/// How long a backend may take.
const PATIENCE: Duration = Duration::from_secs(10);

impl Args {
    /// What may be spent on it, for each backend where that was agreed to. `None` when nothing is to be done.
    async fn settle(
        &self,
        context: &Context,
        bitboot: &Bitboot,
        network: &Network,
        ours: &[Announced],
    ) -> Result<Option<Settled>> {
        if self.spending.is_silent() {
            return Ok(Some(Settled::default()));
        }
        let what = whole(bitboot, network, ours)?;
        let backends = ours.iter().flat_map(|announced| announced.backends.keys().cloned());
        let backends: BTreeSet<String> = backends.collect();
        let quoted = bitboot.quote_withdrawal(network, &what, backends, context.timeout(PATIENCE)).await;
        self.spending.settle(context, bitboot, quoted)
    }
}

/// What all announcements of a network say together, as long as it takes to take them back: for as long as the longest of them lives.
fn whole(bitboot: &Bitboot, network: &Network, all: &[Announced]) -> Result<Statement> {
    let ttl_s = all.iter().map(|announced| announced.ttl_s).max().unwrap_or_default();
    let nothing = Key { network: network.name().to_owned(), port: None, endpoints: Vec::new() };
    let key = all.first().map_or(&nothing, |announced| &announced.key);
    statement(bitboot, network.clone(), key, Metadata::new(), Duration::from_secs(ttl_s.into()))
}

/// What was taken back by telling one backend.
type TakenBack = (Vec<Key>, Told);

/// Tells each backend for each announcement; where that costs money, once for all of them.
fn take_back(
    bitboot: &Bitboot,
    network: &Network,
    ours: &[Announced],
    settled: Settled,
    timeout: Duration,
) -> Result<JoinSet<TakenBack>> {
    let mut answers = JoinSet::new();
    let all_on = |backend: &str| -> Vec<Key> {
        let there = ours.iter().filter(|announced| announced.backends.contains_key(backend));
        there.map(|announced| announced.key.clone()).collect()
    };
    let mut told = BTreeSet::new();
    for (_, backend, error) in settled.refused {
        told.insert(backend.clone());
        answers.spawn(std::future::ready((all_on(&backend), Told::not_at_all(backend, error))));
    }
    for spend in settled.spend {
        let backend = spend.backend().to_owned();
        told.insert(backend.clone());
        let what = whole(bitboot, network, ours)?;
        start(bitboot, all_on(&backend), backend, what, Some(spend), timeout, &mut answers);
    }
    for announced in ours {
        let what = whole(bitboot, network, std::slice::from_ref(announced))?;
        for backend in announced.backends.keys().filter(|backend| !told.contains(*backend)) {
            let keys = vec![announced.key.clone()];
            start(bitboot, keys, backend.clone(), what.clone(), None, timeout, &mut answers);
        }
    }
    Ok(answers)
}

fn start(
    bitboot: &Bitboot,
    keys: Vec<Key>,
    backend: String,
    mut what: Statement,
    spend: Option<Spend>,
    timeout: Duration,
    answers: &mut JoinSet<TakenBack>,
) {
    let candidate = match bitboot.registry().choice(backend.clone()) {
        Ok(choice) => bitboot.candidate(choice),
        // It was removed meanwhile, and cannot be told.
        Err(error) => {
            answers.spawn(std::future::ready((keys, Told::not_at_all(backend, error))));
            return;
        }
    };
    let signer = Arc::clone(bitboot.signer());
    answers.spawn(async move {
        // Held while it is told.
        let agreed = match agreement(&signer, spend, timeout).await {
            Ok(agreed) => agreed,
            Err(error) => return (keys, Told::not_at_all(candidate.backend, error)),
        };
        what.agreed = agreed.is_some();
        (keys, tell(candidate, Deed::Withdraw, &what, timeout).await)
    });
}
