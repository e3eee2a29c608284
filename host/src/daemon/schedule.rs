//! When each announcement is repeated. Pure: the time and the randomness come as arguments.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A random share from 0.0 to 1.0, so that a thousand nodes that start together do not announce together for ever.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Jitter(pub(crate) f64);

/// The jobs of one process, by a key of the caller's.
#[derive(Debug)]
pub(crate) struct Schedule<K> {
    jobs: BTreeMap<K, Job>,
}

#[derive(Debug)]
struct Job {
    /// `None` while it is being done.
    due: Option<Instant>,
    failures: u32,
}

/// Between the repetitions of an announcement that failed: 15 s, 30 s, a minute ... at most ten minutes.
const FIRST_RETRY: Duration = Duration::from_secs(15);
const LAST_RETRY: Duration = Duration::from_secs(600);
/// However short a lifetime a backend tells of.
const SHORTEST: Duration = Duration::from_secs(1);

impl<K: Ord + Clone> Schedule<K> {
    /// Jobs that are all due now.
    pub(crate) fn new(keys: impl IntoIterator<Item = K>, now: Instant) -> Self {
        Self { jobs: keys.into_iter().map(|key| (key, Job { due: Some(now), failures: 0 })).collect() }
    }

    /// Takes the jobs that are due; they come again when they are told to be done.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<K> {
        let is_due = |job: &mut Job| job.due.take_if(|due| *due <= now).is_some();
        self.jobs.iter_mut().filter_map(|(key, job)| is_due(job).then(|| key.clone())).collect()
    }

    /// The announcement lives for `lifetime`: it is repeated after half of it, a tenth earlier at most.
    pub(crate) fn succeeded(&mut self, key: &K, lifetime: Duration, now: Instant, jitter: Jitter) {
        if let Some(job) = self.jobs.get_mut(key) {
            let wait = (lifetime / 2).mul_f64(1.0 - 0.1 * jitter.0.clamp(0.0, 1.0));
            *job = Job { due: Some(now + wait.max(SHORTEST)), failures: 0 };
        }
    }

    /// The announcement failed: it is repeated soon, then ever later.
    pub(crate) fn failed(&mut self, key: &K, now: Instant, jitter: Jitter) {
        if let Some(job) = self.jobs.get_mut(key) {
            let wait = FIRST_RETRY.saturating_mul(1 << job.failures.min(10)).min(LAST_RETRY);
            let wait = wait.mul_f64(1.0 - 0.1 * jitter.0.clamp(0.0, 1.0));
            *job = Job { due: Some(now + wait), failures: job.failures + 1 };
        }
    }

    /// When the next job is due; `None` while all are being done.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.jobs.values().filter_map(|job| job.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn half_the_lifetime_with_jitter() {
        let now = Instant::now();
        let mut schedule = Schedule::new(["a"], now);
        assert_eq!(schedule.take_due(now), ["a"]);
        assert!(schedule.take_due(now).is_empty() && schedule.next().is_none());
        schedule.succeeded(&"a", 30 * MINUTE, now, Jitter(0.0));
        assert_eq!(schedule.next(), Some(now + 15 * MINUTE));
        schedule.succeeded(&"a", 30 * MINUTE, now, Jitter(1.0));
        assert_eq!(schedule.next(), Some(now + Duration::from_secs(15 * 60 - 90)));
        assert!(schedule.take_due(now + 13 * MINUTE).is_empty());
        assert_eq!(schedule.take_due(now + 14 * MINUTE), ["a"]);
    }

    #[test]
    fn failures_wait_longer_each_time_and_a_success_forgets_them() {
        let now = Instant::now();
        let mut schedule = Schedule::new(["a"], now);
        let waits = (0..9).map(|_| {
            schedule.failed(&"a", now, Jitter(0.0));
            schedule.next().map(|due| (due - now).as_secs()).unwrap()
        });
        assert_eq!(waits.collect::<Vec<_>>(), [15, 30, 60, 120, 240, 480, 600, 600, 600]);
        schedule.succeeded(&"a", MINUTE, now, Jitter(0.0));
        schedule.failed(&"a", now, Jitter(0.0));
        assert_eq!(schedule.next(), Some(now + FIRST_RETRY));
    }

    #[test]
    fn no_lifetime_is_too_short_to_breathe() {
        let now = Instant::now();
        let mut schedule = Schedule::new(["a"], now);
        schedule.succeeded(&"a", Duration::ZERO, now, Jitter(0.5));
        assert_eq!(schedule.next(), Some(now + SHORTEST));
    }
}
