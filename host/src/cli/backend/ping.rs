use std::time::{Duration, Instant};

use bitboot_plugin_api::Health;
use clap_complete::ArgValueCompleter;
use tokio::task::JoinSet;

use crate::backend;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::signals::Signals;
use crate::client::Bitboot;
use crate::error::{Error, Kind, Result};
use crate::output::{ErrorLine, HealthLine, Line};
use crate::registry::Selection;

/// Ask backends whether their media answer
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Names of backends [default: the default ones]
    #[arg(add = ArgValueCompleter::new(complete::backends))]
    names: Vec<String>,
}

impl Args {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<Exit> {
        let bitboot = context.bitboot()?;
        let selection = bitboot.registry().select("", &self.names)?;
        let mut outcome = Outcome::new(selection.named);
        let mut pings = ping_all(&bitboot, selection, context.timeout(Duration::from_secs(10)));
        context.screen.talk().busy("asking the media");
        let mut signals = Signals::new();
        loop {
            let pinged = tokio::select! {
                exit = signals.stopped() => return Ok(exit),
                pinged = pings.join_next() => pinged,
            };
            let Some(pinged) = pinged else { break };
            let Ok((name, answer, took)) = pinged else {
                // A task of ours that panicked is a fault of ours; the others still count.
                outcome.fail(&Error::new(Kind::Other, "asking a backend failed inside of bitboot"));
                continue;
            };
            match answer {
                Ok(health) => {
                    if health.reachable {
                        outcome.answered += 1;
                    } else {
                        outcome.fail(&Error::new(Kind::Unreachable, "the medium does not answer"));
                        if let Some(fix) = &health.fix {
                            context.screen.talk().say(&format!("backend \"{name}\": fix: {fix}"));
                        }
                    }
                    context.print(&Line::Health(HealthLine::new(&name, health, took)))?;
                }
                Err(error) => {
                    outcome.fail(&error);
                    outcome.tell(context, &error);
                    context.print(&Line::BackendError(ErrorLine::new(None, Some(&name), &error)))?;
                }
            }
        }
        Ok(outcome.of_telling())
    }
}

type Pinged = (String, Result<Health>, Duration);

/// Asks all of them at once.
pub(in crate::cli) fn ping_all(
    bitboot: &Bitboot,
    selection: Selection,
    timeout: Duration,
) -> JoinSet<Pinged> {
    let mut pings = JoinSet::new();
    for candidate in bitboot.candidates(selection) {
        pings.spawn(async move {
            let (name, started) = (candidate.backend.clone(), Instant::now());
            let answer = async {
                let opened = candidate.open(timeout).await?;
                backend::health(&*opened, timeout).await.map_err(|error| Error::of_backend(&name, error))
            };
            let answer = answer.await;
            (name, answer, started.elapsed())
        });
    }
    pings
}
