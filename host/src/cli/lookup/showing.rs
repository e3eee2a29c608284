use super::exec;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::client::Found;
use crate::discovery::{Ignored, Peer, rank};
use crate::error::Result;
use crate::network::Network;
use crate::output::{ErrorLine, Line, Mode, PeerLine};

/// What a lookup finds, as it is shown.
pub(super) struct Showing<'a> {
    context: &'a Context,
    exec: Option<&'a exec::Command>,
    outcome: Outcome,
    /// The peers of a table, which is printed when all is known, best first.
    table: Vec<(Network, Peer)>,
}

impl<'a> Showing<'a> {
    pub(super) fn new(context: &'a Context, exec: Option<&'a exec::Command>, named: bool) -> Self {
        Self { context, exec, outcome: Outcome::new(named), table: Vec::new() }
    }

    pub(super) async fn show(&mut self, network: &Network, found: Found) -> Result<()> {
        let (context, name) = (self.context, network.name());
        match found {
            Found::Peer(peer) => {
                self.outcome.peers += 1;
                if context.screen.mode == Mode::Table {
                    self.table.push((network.clone(), peer.clone()));
                } else {
                    context.print(&Line::Peer(PeerLine::new(name, &peer)))?;
                }
                context
                    .screen
                    .talk()
                    .busy(&format!("{} found, the last {}", self.outcome.peers, peer.endpoint));
                match self.exec {
                    Some(command) => command.run(context, name, &peer).await,
                    None => Ok(()),
                }
            }
            Found::Confirmed(peer) => {
                let known = self.table.iter_mut().find(|(other, old)| other == network && old.is_now(&peer));
                if let Some((_, old)) = known {
                    *old = peer;
                    return Ok(());
                }
                context.print(&Line::PeerConfirmed(PeerLine::new(name, &peer)))
            }
            Found::Done { backend, ignored, .. } => {
                self.outcome.answered += 1;
                if ignored != Ignored::default() {
                    context.screen.talk().say(&format!("{backend}: not shown: {ignored}"));
                }
                Ok(())
            }
            Found::HeldBack(count) => {
                let what = "addresses that no member has signed for; see them with --unverified";
                context.screen.talk().say(&format!("not shown: {count} {what}"));
                Ok(())
            }
            Found::Failed { backend, error, .. } => {
                self.outcome.fail(&error);
                self.outcome.tell(context, &error);
                context.print(&Line::BackendError(ErrorLine::new(Some(name), Some(&backend), &error)))
            }
        }
    }

    pub(super) fn end(mut self, stopped: Option<Exit>) -> Result<Exit> {
        let mut rest = std::mem::take(&mut self.table);
        while let Some((network, _)) = rest.first().cloned() {
            let (same, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(other, _)| *other == network);
            for peer in rank(same.into_iter().map(|(_, peer)| peer).collect()) {
                self.context.print(&Line::Peer(PeerLine::new(network.name(), &peer)))?;
            }
            rest = others;
        }
        self.context.finish()?;
        let exit = stopped.unwrap_or_else(|| self.outcome.of_asking());
        if self.outcome.peers == 0 && stopped.is_none() && self.outcome.answered > 0 {
            let told =
                "no peer was found: nobody announces there now, or the medium is slow; try --timeout 30s";
            self.context.screen.talk().say(told);
        }
        self.outcome.last_word(self.context);
        self.context.print(&Line::Summary(self.outcome.summary(exit)))?;
        Ok(exit)
    }
}
