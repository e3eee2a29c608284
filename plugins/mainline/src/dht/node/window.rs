use std::time::{Duration, Instant};

use super::rtt::Rtt;

/// How many questions may be in the air at once, those that are late not among them.
///
/// It grows while it is full, nothing is lost that would have been answered, and answers do not take longer than they did while little was
/// asked; then the way has room for more. It shrinks when somebody who has answered lately does not (additive increase, multiplicative
/// decrease, as TCP has it), but not below what it was set to: some of those who have answered are always gone.
#[derive(Debug)]
pub(super) struct Window {
    least: usize,
    size: usize,
    /// Below this it doubles with each round trip; above, it grows by a few.
    doubles_to: usize,
    /// Answers that make up for the next step.
    credit: usize,
    calm: Rtt,
    all: Rtt,
    shrunk: Option<Instant>,
}

/// It never is larger: more is a flood.
const MOST: usize = 4096;
/// With no more than this in the air the way is as free as it can be.
const CALM: usize = 64;
/// How much it grows with each round trip once it has shrunk.
const MORE: usize = 16;

impl Window {
    pub(super) fn new(least: usize) -> Self {
        let (calm, all) = (Rtt::default(), Rtt::default());
        Self { least, size: least, doubles_to: MOST.max(least), credit: 0, calm, all, shrunk: None }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Learns from an answer: how many were in the air when it was asked for, and whether there are questions that wait for room.
    pub(super) fn answered(&mut self, took: Duration, in_the_air: usize, is_full: bool) {
        self.all.learn(took);
        if in_the_air <= CALM {
            self.calm.learn(took);
        }
        if !is_full || self.size >= MOST || self.is_crowded() {
            return;
        }
        if self.size < self.doubles_to {
            self.size += 1;
            return;
        }
        self.credit += MORE;
        if self.credit >= self.size {
            self.credit -= self.size;
            self.size += 1;
        }
    }

    /// Who has answered lately has not answered in time: once in such a time that counts.
    pub(super) fn lost(&mut self, late_after: Duration, now: Instant) {
        if self.shrunk.is_some_and(|at| now < at + late_after) {
            return;
        }
        self.size = (self.size / 2).max(self.least);
        (self.doubles_to, self.shrunk) = (self.size, Some(now));
    }

    /// Answers take half as long again as they have to: they wait somewhere.
    fn is_crowded(&self) -> bool {
        self.all.smooth() * 2 > self.calm.smooth() * 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(50);

    #[test]
    fn it_grows_while_nothing_is_lost_and_shrinks_when_something_is() {
        let (mut window, now) = (Window::new(256), Instant::now());
        (0..10).for_each(|_| window.answered(RTT, 8, false));
        assert_eq!(window.size(), 256, "nobody waits");
        (0..256).for_each(|_| window.answered(RTT, 256, true));
        assert_eq!(window.size(), 512);
        (0..10_000).for_each(|_| window.answered(RTT, 512, true));
        assert_eq!(window.size(), MOST);
        (0..100).for_each(|_| window.lost(RTT, now));
        assert_eq!(window.size(), MOST / 2, "what is lost at once counts once");
        (0..MOST / 2).for_each(|_| window.answered(RTT, 512, true));
        assert!((15..=16).contains(&(window.size() - MOST / 2)), "{}", window.size());
        (1..10).for_each(|times| window.lost(RTT, now + RTT * times));
        assert_eq!(window.size(), 256);
    }

    #[test]
    fn it_does_not_grow_where_answers_wait() {
        let mut window = Window::new(256);
        (0..10).for_each(|_| window.answered(RTT, 8, false));
        (0..20).for_each(|_| window.answered(RTT * 2, 256, true));
        let grown = window.size();
        (0..1000).for_each(|_| window.answered(RTT * 2, 256, true));
        assert!(window.size() == grown && grown < 270, "{grown}");
    }
}
