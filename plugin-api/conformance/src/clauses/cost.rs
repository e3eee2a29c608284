//! Threads and descriptors that a plugin keeps. Counted where `/proc` tells them (Linux); elsewhere the clauses hold unseen.

use std::time::{Duration, Instant};

use bitboot_plugin_api::Query;
use tokio::time::sleep;

use crate::bench::{Bench, DEADLINE, fresh};
use crate::check::{Told, ensure};

/// How many more there may be, for what the test's own process does meanwhile.
const SLACK: usize = 8;

pub(super) async fn calls_leave_nothing_behind(bench: &Bench) -> Told {
    let before = Held::now();
    for number in 0..100 {
        let stream = bench.one.lookup_stream(&Query::new(fresh()), DEADLINE);
        // Every other one is cancelled.
        if number % 2 == 0 {
            stream.collect().await.outcome?;
        }
    }
    before.is_restored(bench, "after 100 lookups").await
}

pub(super) async fn closed_backends_leave_nothing_behind(bench: &Bench) -> Told {
    let before = Held::now();
    for _ in 0..20 {
        let backend = bench.create()?;
        backend.configure(&bench.subject.second).await?;
        backend.lookup(&Query::new(fresh()), DEADLINE).await.outcome?;
    }
    before.is_restored(bench, "after 20 backends were closed").await
}

/// What the process holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    threads: usize,
    descriptors: usize,
}

impl Held {
    fn now() -> Self {
        let count = |folder: &str| std::fs::read_dir(folder).map_or(0, Iterator::count);
        Self { threads: count("/proc/self/task"), descriptors: count("/proc/self/fd") }
    }

    /// That the process soon holds no more than it did, give or take a few.
    async fn is_restored(self, bench: &Bench, when: &str) -> Told {
        let start = Instant::now();
        loop {
            let now = Self::now();
            let restored = now.threads <= self.threads + SLACK && now.descriptors <= self.descriptors + SLACK;
            if restored || start.elapsed() > bench.subject.patience {
                return ensure(restored, || format!("{when} there are {now:?}, before there were {self:?}"));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}
