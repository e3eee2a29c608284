use std::time::Duration;

use super::Network;

/// The hour for which a secret network's locators and keys hold, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Epoch(pub(crate) u64);

const HOUR: u64 = 3600;
/// In hours.
const DAY: u64 = 24;
/// A clock may be this far behind, and its announcement this old, at the same time: 55 minutes and 15.
const BEHIND: u64 = 70 * 60;
/// A clock may be this far ahead.
const AHEAD: u64 = 55 * 60;

impl Epoch {
    /// All epochs in which the records of a network may lie, the present one first: an open network stays where it is.
    ///
    /// On media that cost money nothing is renewed by itself, so there they lie for a whole day in one place.
    pub(crate) fn all_of(network: &Network, paid: bool, since_1970: Duration) -> Vec<Self> {
        match network.secret() {
            None => vec![Self::at(since_1970)],
            Some(_) if paid => Self::days(since_1970),
            Some(_) => Self::window(since_1970),
        }
    }

    /// The epoch of a time since 1970: where a writer writes.
    pub(crate) fn at(since_1970: Duration) -> Self {
        Self(since_1970.as_secs() / HOUR)
    }

    /// The epoch where a writer writes on a medium: where that costs money, the first of its day.
    pub(crate) fn written(paid: bool, since_1970: Duration) -> Self {
        let Self(hour) = Self::at(since_1970);
        Self(if paid { hour / DAY * DAY } else { hour })
    }

    /// Where a reader reads on media that cost money: the present day, then the one before, and the next where a clock may be there already.
    fn days(since_1970: Duration) -> Vec<Self> {
        let present = Self::written(true, since_1970);
        let ahead = Self::written(true, since_1970 + Duration::from_secs(AHEAD));
        let before = Self(present.0.saturating_sub(DAY));
        let mut days = vec![present, before, ahead];
        days.retain({
            let mut seen = std::collections::BTreeSet::new();
            move |day| seen.insert(*day)
        });
        days
    }

    /// Where a reader reads: the present epoch first, then each in which a writer may have written whose clock is off by less than an hour.
    pub(crate) fn window(since_1970: Duration) -> Vec<Self> {
        let now = since_1970.as_secs();
        let (first, present, last) =
            (now.saturating_sub(BEHIND) / HOUR, now / HOUR, now.saturating_add(AHEAD) / HOUR);
        let others = (first..=last).rev().filter(|epoch| *epoch != present);
        std::iter::once(present).chain(others).map(Self).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_cost_money_is_found_for_a_day(now in 10_000_000u64..4_000_000_000, clock in -50i64 * 60..=50 * 60, age in 0u64..=86_400 - 3600) {
            let wrote = (now - age).checked_add_signed(clock).unwrap();
            let days = Epoch::days(Duration::from_secs(now));
            prop_assert!(days.contains(&Epoch::written(true, Duration::from_secs(wrote))));
            prop_assert!((2..=3).contains(&days.len()));
        }

        #[test]
        fn nobody_is_lost_around_the_hour(now in 10_000_000u64..4_000_000_000, clock in -50i64 * 60..=50 * 60, age in 0u64..=15 * 60) {
            // A writer whose clock is off wrote some time ago.
            let wrote = (now - age).checked_add_signed(clock).unwrap();
            let window = Epoch::window(Duration::from_secs(now));
            prop_assert!(window.contains(&Epoch::at(Duration::from_secs(wrote))));
            prop_assert!(window.len() <= 4);
            prop_assert_eq!(window[0], Epoch::at(Duration::from_secs(now)));
        }
    }
}
