use std::time::Duration;

/// How long one thing took, round by round.
#[derive(Debug, Clone, Default)]
pub struct Series(Vec<Duration>);

impl Series {
    pub fn push(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub fn median(&self) -> Duration {
        self.share(50)
    }

    /// What one in a hundred rounds exceeds; with fewer than a hundred of them, the slowest.
    pub fn p99(&self) -> Duration {
        self.share(99)
    }

    fn share(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default()
    }
}

impl FromIterator<Duration> for Series {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        Self(times.into_iter().collect())
    }
}
