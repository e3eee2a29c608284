use std::time::Duration;

use bitboot_mainline::dht::lab::Spec;

/// How long one thing took, round by round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times(Vec<Duration>);

/// When a lookup found its first peer, and when it ended.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Found {
    pub(crate) first: Option<Duration>,
    pub(crate) done: Option<Duration>,
}

/// When an announcement had left for the last node, where that is known, and when it was done.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_field_names, reason = "that is what it is")]
pub(crate) struct Sent {
    pub(crate) sent: Option<Duration>,
    pub(crate) done: Option<Duration>,
    pub(crate) acks: Option<u64>,
}

/// What came of many lookups.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Many {
    pub(crate) count: usize,
    pub(crate) took: Duration,
    pub(crate) missed: usize,
}

/// Of one client on one network; what was not measured is empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    pub(crate) cold: Times,
    /// Of a new client that has what an old one kept.
    pub(crate) kept: Times,
    pub(crate) first: Times,
    pub(crate) done: Times,
    pub(crate) sent: Times,
    pub(crate) announce: Times,
    /// Once more, with the tokens of the time before.
    pub(crate) again: Times,
    /// 32 at once until done and until first, and 256.
    pub(crate) parallel: [Option<Many>; 4],
    /// Until the first peer, in all, and of an announcement.
    pub(crate) datagrams: [Option<u64>; 3],
    pub(crate) acks: Option<u64>,
    /// Lookups one after the other that found nobody.
    pub(crate) missed: u32,
    pub(crate) rss_kib: Option<u64>,
}

/// All clients on one network.
pub(crate) struct Network {
    pub(crate) spec: Spec,
    pub(crate) ours: Figures,
    pub(crate) peers: Vec<Figures>,
}

impl Times {
    pub(crate) fn push(&mut self, took: Option<Duration>) {
        self.0.extend(took);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn median(&self) -> Option<Duration> {
        self.share(50)
    }

    /// What one in a hundred rounds exceeds; with fewer than a hundred of them, the slowest.
    pub(crate) fn p99(&self) -> Option<Duration> {
        self.share(99)
    }

    fn share(&self, percent: usize) -> Option<Duration> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() * percent / 100).copied()
    }
}

impl Many {
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    pub(crate) fn per_second(&self) -> f64 {
        self.count as f64 / self.took.as_secs_f64()
    }
}

impl Network {
    /// The round trip.
    pub(crate) fn rtt(&self) -> Option<Duration> {
        (self.spec.rtt_ms > 0.0).then(|| Duration::from_secs_f64(self.spec.rtt_ms / 1e3))
    }

    pub(crate) fn title(&self) -> String {
        let Spec { nodes, dead, rtt_ms, .. } = self.spec;
        if dead == 0 {
            format!("{nodes} nodes, RTT {rtt_ms}")
        } else {
            format!("{nodes} + {dead} dead, RTT {rtt_ms}")
        }
    }
}
