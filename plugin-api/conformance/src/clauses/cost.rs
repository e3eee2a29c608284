//! Threads and descriptors that a plugin keeps. Counted where `/proc` tells them (Linux).

use std::time::{Duration, Instant};

use bitboot_plugin_api::Query;
use tokio::time::sleep;

use crate::bench::{Bench, DEADLINE};
use crate::check::{Told, ensure, idle};

/// How many more there may be, for what the test's own process does meanwhile.
const SLACK: usize = 8;

/// So long may it take at least until what was let go of is gone: tokio keeps a thread for blocking work ten seconds.
const SETTLES: Duration = Duration::from_secs(20);

/// Why there is nothing to see.
const UNSEEN: &str = "this system does not tell what a process holds";

pub(super) async fn calls_leave_nothing_behind(bench: &Bench) -> Told {
    let Some(before) = Held::now() else { return idle(UNSEEN) };
    for number in 0..100 {
        let stream = bench.one.lookup_stream(&Query::new(bench.fresh()), DEADLINE);
        // Every other one is cancelled.
        if number % 2 == 0 {
            stream.collect().await.outcome?;
        }
    }
    before.is_restored(bench, "after 100 lookups").await
}

pub(super) async fn closed_backends_leave_nothing_behind(bench: &Bench) -> Told {
    let Some(before) = Held::now() else { return idle(UNSEEN) };
    for _ in 0..20 {
        let backend = bench.create()?;
        backend.configure(&bench.subject.second).await?;
        backend.lookup(&Query::new(bench.fresh()), DEADLINE).await.outcome?;
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
    /// `None` where the system does not tell.
    fn now() -> Option<Self> {
        let count = |folder: &str| std::fs::read_dir(folder).ok().map(Iterator::count);
        Some(Self { threads: count("/proc/self/task")?, descriptors: count("/proc/self/fd")? })
    }

    /// That the process soon holds no more than it did, give or take a few.
    async fn is_restored(self, bench: &Bench, when: &str) -> Told {
        let (start, patience) = (Instant::now(), bench.subject.patience.max(SETTLES));
        loop {
            let Some(now) = Self::now() else { return idle(UNSEEN) };
            let restored = now.threads <= self.threads + SLACK && now.descriptors <= self.descriptors + SLACK;
            if restored || start.elapsed() > patience {
                return ensure(restored, || format!("{when} there are {now:?}, before there were {self:?}"));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}
