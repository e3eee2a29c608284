/// How likely nodes are to answer in time, as those say that were asked lately.
#[derive(Debug, Clone, Copy)]
pub(super) struct Odds {
    known: f32,
    told: f32,
}

/// What is known of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It has answered in the last quarter of an hour.
    Known,
    /// Others tell of it, or have told of it some time.
    Told,
}

/// How much one answer, or none, says.
const RATE: f32 = 1.0 / 32.0;
/// Nobody is surer than this, nor less sure who has not been silent: a machine that slept has missed the answers of all.
const MOST: f32 = 0.99;
const LEAST: f32 = 0.35;
/// Who has answered lately is there with this probability, whatever the way there loses.
const THERE: f32 = 0.98;

impl Default for Odds {
    fn default() -> Self {
        Self { known: 0.97, told: 0.7 }
    }
}

impl Odds {
    /// Learns from a question that was answered, or not in time; to somebody who has not been silent before.
    pub(super) fn learn(&mut self, kind: Kind, is_answered: bool) {
        let share = match kind {
            Kind::Known => &mut self.known,
            Kind::Told => &mut self.told,
        };
        let seen = if is_answered { 1.0 } else { 0.0 };
        *share = (*share + (seen - *share) * RATE).clamp(LEAST, MOST);
    }

    /// How likely an answer is of one that has been silent so many times since it last answered.
    ///
    /// By Bayes: where much is lost on the way, silence says little; where nothing is, who is silent once is likely gone.
    pub(super) fn of(self, kind: Kind, silences: u8) -> f32 {
        let (usual, there) = match kind {
            Kind::Known => (self.known, THERE),
            Kind::Told => (self.told, (self.told / self.known).min(THERE)),
        };
        if silences == 0 {
            return usual;
        }
        let lost = there * (1.0 - self.known).powi(silences.into());
        self.known * lost / (lost + 1.0 - there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(known: bool, told: bool) -> Odds {
        let mut odds = Odds::default();
        for number in 0..200 {
            odds.learn(Kind::Known, known || number % 2 == 0);
            odds.learn(Kind::Told, told || number % 2 == 0);
        }
        odds
    }

    #[test]
    fn where_nothing_is_lost_who_is_silent_is_gone() {
        let odds = after(true, true);
        assert!(odds.of(Kind::Known, 0) > 0.98 && odds.of(Kind::Told, 0) > 0.98);
        assert!((0.2..0.5).contains(&odds.of(Kind::Known, 1)), "{}", odds.of(Kind::Known, 1));
        assert!(odds.of(Kind::Known, 2) < 0.01);
        let odds = after(true, false);
        assert!((0.4..0.6).contains(&odds.of(Kind::Told, 0)) && odds.of(Kind::Told, 1) < 0.02);
    }

    #[test]
    fn where_half_is_lost_silence_says_little() {
        let odds = after(false, false);
        assert!((0.4..0.6).contains(&odds.of(Kind::Known, 0)));
        assert!(odds.of(Kind::Known, 3) > 0.3 && odds.of(Kind::Told, 1) > 0.3);
    }
}
