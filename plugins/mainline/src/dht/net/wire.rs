use std::io;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};

/// What went through the socket of one family.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wire {
    /// Datagrams that the system took.
    pub sent: u64,
    /// Datagrams that the system refused to send.
    pub refused: u64,
    /// Why it refused the last one: the number that the system has for it.
    pub error: Option<i32>,
    /// Datagrams that came, of whoever and whatever they were.
    pub received: u64,
}

/// The counters of both families, written by the task that has the sockets.
#[derive(Debug, Default)]
pub(super) struct Wires([Counters; 2]);

#[derive(Debug, Default)]
struct Counters {
    sent: AtomicU64,
    refused: AtomicU64,
    error: AtomicI32,
    received: AtomicU64,
}

impl Wires {
    pub(super) fn received(&self, side: usize) {
        self.0[side].received.fetch_add(1, Relaxed);
    }

    pub(super) fn sent(&self, side: usize, failure: Option<&io::Error>) {
        let counters = &self.0[side];
        match failure {
            None => counters.sent.fetch_add(1, Relaxed),
            Some(error) => {
                counters.error.store(error.raw_os_error().unwrap_or(0), Relaxed);
                counters.refused.fetch_add(1, Relaxed)
            }
        };
    }

    pub(super) fn of(&self, side: usize) -> Wire {
        let counters = &self.0[side];
        let error = Some(counters.error.load(Relaxed)).filter(|error| *error != 0);
        Wire {
            sent: counters.sent.load(Relaxed),
            refused: counters.refused.load(Relaxed),
            error,
            received: counters.received.load(Relaxed),
        }
    }
}
