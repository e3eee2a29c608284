use std::time::Duration;

/// How long answers take: a smoothed time and its variation, in microseconds (RFC 6298).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rtt {
    smooth: u32,
    varies: u32,
    samples: u32,
}

/// What the machine itself may add, at the least: a turn of its scheduler.
const SLACK_US: u32 = 2_000;

impl Rtt {
    /// Learns from one answer.
    pub(super) fn learn(&mut self, took: Duration) {
        let took = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        if self.samples == 0 {
            (self.smooth, self.varies) = (took, took / 2);
        } else {
            let off = self.smooth.abs_diff(took);
            self.varies = self.varies - self.varies / 4 + off / 4;
            self.smooth = self.smooth - self.smooth / 8 + took / 8;
        }
        self.samples = self.samples.saturating_add(1);
    }

    /// How many answers it knows.
    pub(super) fn samples(&self) -> u32 {
        self.samples
    }

    /// About how long an answer takes.
    pub(super) fn smooth(&self) -> Duration {
        Duration::from_micros(self.smooth.into())
    }

    /// After what time an answer is late; `None` while nothing is known.
    pub(super) fn late_after(&self) -> Option<Duration> {
        let late = self.smooth.saturating_add(self.varies.saturating_mul(4)).saturating_add(SLACK_US);
        (self.samples > 0).then(|| Duration::from_micros(late.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_steady_is_soon_late_and_what_varies_is_waited_for() {
        let (mut steady, mut varying) = (Rtt::default(), Rtt::default());
        assert_eq!(steady.late_after(), None);
        for number in 0..32 {
            steady.learn(Duration::from_millis(50));
            varying.learn(Duration::from_millis(if number % 2 == 0 { 20 } else { 180 }));
        }
        assert!(steady.late_after() < Some(Duration::from_millis(60)));
        assert!(varying.late_after() > Some(Duration::from_millis(250)));
    }
}
