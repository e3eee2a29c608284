use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::signals::Signals;
use crate::client::{AnnounceOptions, Announcing, Answer, Bitboot};
use crate::error::Result;
use crate::network::Network;
use crate::output::{ErrorLine, Line, ReceiptLine};

/// How long the goodbye may take after Ctrl-C.
const GOODBYE: Duration = Duration::from_millis(1500);

/// The announcements of a command, kept alive together.
pub(in crate::cli) struct Keeper<'a> {
    context: &'a Context,
    once: bool,
    expected: usize,
    answers: mpsc::Receiver<(Network, Answer)>,
    stop: watch::Sender<bool>,
}

impl<'a> Keeper<'a> {
    pub(in crate::cli) fn start(
        context: &'a Context,
        bitboot: &Bitboot,
        networks: &[Network],
        options: &AnnounceOptions,
    ) -> Result<Self> {
        let begin = |network: &Network| Ok((network.clone(), bitboot.announce(network, options.clone())?));
        let announcings = networks.iter().map(begin).collect::<Result<Vec<_>>>()?;
        let expected = announcings.iter().map(|(_, announcing)| announcing.backends().len()).sum();
        let (sender, answers) = mpsc::channel(64);
        let (stop, stopping) = watch::channel(false);
        for (network, announcing) in announcings {
            tokio::task::spawn_local(keep(network, announcing, stopping.clone(), sender.clone()));
        }
        Ok(Self { context, once: options.once, expected, answers, stop })
    }

    /// Until it is done once, or a signal ends it. Whatever ends it, what is kept alive is taken back.
    pub(super) async fn run(mut self, mut outcome: Outcome) -> Result<Exit> {
        self.context.screen.talk().busy("telling the backends");
        let served = self.serve(&mut outcome).await;
        let (once, context) = (self.once, self.context);
        let said_goodbye = if once { Ok(()) } else { self.withdraw(|line| context.print(line)).await };
        let exit = served?.unwrap_or_else(|| outcome.of_telling());
        said_goodbye?;
        outcome.last_word(context);
        context.print(&Line::Summary(outcome.summary(exit)))?;
        Ok(exit)
    }

    async fn serve(&mut self, outcome: &mut Outcome) -> Result<Option<Exit>> {
        let mut signals = Signals::new();
        loop {
            let (network, answer) = tokio::select! {
                exit = signals.stopped() => return self.context.finish().map(|()| Some(exit)),
                answer = self.next() => match answer {
                    Some(answer) => answer,
                    None => return self.context.finish().map(|()| None),
                },
            };
            show(self.context, "announce", outcome, &network, answer)?;
            let answers = outcome.answered + outcome.failed;
            if answers < self.expected {
                continue;
            }
            // The first round as one table; what is repeated then, at once.
            self.context.finish()?;
            if self.once {
                continue;
            }
            if outcome.answered == 0 {
                return Ok(None);
            }
            if answers == self.expected {
                self.context.screen.talk().say("announced, and kept alive until Ctrl-C");
            }
        }
    }

    /// The next answer for any of the networks; `None` when all have ended.
    pub(in crate::cli) async fn next(&mut self) -> Option<(Network, Answer)> {
        self.answers.recv().await
    }

    /// Takes everything back within a short time; what is not taken back then expires by itself.
    pub(in crate::cli) async fn withdraw(mut self, print: impl Fn(&Line) -> Result<()>) -> Result<()> {
        self.stop.send_replace(true);
        let (deadline, mut printed) = (Instant::now() + GOODBYE, Ok(()));
        while let Ok(Some((network, answer))) = tokio::time::timeout_at(deadline, self.answers.recv()).await {
            // A medium that takes nothing back is no failure: what it holds expires.
            if let Ok(receipt) = answer.outcome {
                let line =
                    ReceiptLine::new("withdraw", network.name(), &answer.backend, receipt, answer.took);
                // A pipe that was closed keeps the others from nothing but being told.
                printed = printed.and_then(|()| print(&Line::Receipt(line)));
            }
        }
        printed.and_then(|()| self.context.finish())
    }
}

/// Drives one announcement until it is to stop, and takes it back then.
async fn keep(
    network: Network,
    mut announcing: Announcing,
    mut stopping: watch::Receiver<bool>,
    sender: mpsc::Sender<(Network, Answer)>,
) {
    loop {
        tokio::select! {
            // The keeper is gone, or wants it to stop.
            _ = stopping.wait_for(|stop| *stop) => break,
            answer = announcing.next() => match answer {
                Some(answer) => if sender.send((network.clone(), answer)).await.is_err() {
                    return;
                },
                None => return,
            },
        }
    }
    // Each as it comes: a slow one must not hide what the others said.
    let mut withdrawing = announcing.withdraw().await;
    while let Some(answer) = withdrawing.next().await {
        let _ = sender.send((network.clone(), answer)).await;
    }
}

/// Prints what a backend answered, and counts it.
pub(in crate::cli) fn show(
    context: &Context,
    op: &'static str,
    outcome: &mut Outcome,
    network: &Network,
    answer: Answer,
) -> Result<()> {
    let backend = answer.backend.as_str();
    match answer.outcome {
        Ok(receipt) => {
            outcome.answered += 1;
            context.print(&Line::Receipt(ReceiptLine::new(op, network.name(), backend, receipt, answer.took)))
        }
        Err(error) => {
            outcome.fail(&error);
            outcome.tell(context, &error);
            context.print(&Line::BackendError(ErrorLine::new(Some(network.name()), Some(backend), &error)))
        }
    }
}
