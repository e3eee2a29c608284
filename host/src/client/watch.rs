use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

use super::{Bitboot, Found, Lookup, LookupOptions};
use crate::discovery::{Change, Rounds};
use crate::error::Result;
use crate::network::Network;

/// A network that is watched: lookup after lookup, until it is dropped.
pub struct Watch {
    bitboot: Bitboot,
    network: Network,
    options: LookupOptions,
    ticks: Interval,
    lookup: Option<Lookup>,
    rounds: Rounds,
    failed: BTreeSet<String>,
    waiting: VecDeque<Change>,
}

impl Watch {
    pub(super) fn start(
        bitboot: Bitboot,
        network: Network,
        options: LookupOptions,
        every: Duration,
    ) -> Result<Self> {
        // Tells at once what would fail every time.
        bitboot.registry().select(network.name(), &options.via)?;
        let mut ticks = tokio::time::interval(every.max(Duration::from_millis(100)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (rounds, failed, waiting) = (Rounds::default(), BTreeSet::new(), VecDeque::new());
        Ok(Self { bitboot, network, options, ticks, lookup: None, rounds, failed, waiting })
    }

    /// The next change.
    ///
    /// # Errors
    /// What one backend could not do in one lookup; the watch goes on.
    pub async fn next(&mut self) -> Result<Change> {
        loop {
            if let Some(change) = self.waiting.pop_front() {
                return Ok(change);
            }
            let lookup = if let Some(lookup) = &mut self.lookup {
                lookup
            } else {
                self.ticks.tick().await;
                self.lookup.insert(self.bitboot.lookup(&self.network, &self.options)?)
            };
            match lookup.next().await {
                Some(Found::Peer(peer) | Found::Confirmed(peer)) => {
                    self.waiting.extend(self.rounds.saw(&peer));
                }
                Some(Found::Failed { backend, error, .. }) => {
                    self.failed.insert(backend);
                    return Err(error);
                }
                Some(Found::Done { .. } | Found::HeldBack(_)) => {}
                None => {
                    self.lookup = None;
                    self.waiting.extend(self.rounds.end(&std::mem::take(&mut self.failed)));
                }
            }
        }
    }
}
