use std::fmt;
use std::ops::AddAssign;

/// What a backend brought that is not shown, and why: counted and told, never an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ignored {
    /// Values that somebody else sealed, or that were changed, or junk.
    pub unreadable: usize,
    /// Records with a wrong signature, or of a version that is not known here.
    pub forged: usize,
    /// Records whose time is over.
    pub expired: usize,
    /// Records that are dated more than an hour ahead: a clock is wrong.
    pub ahead: usize,
    /// Addresses at which no peer can be.
    pub impossible: usize,
    /// What came beyond the most that one backend may bring.
    pub beyond: usize,
}

impl AddAssign for Ignored {
    fn add_assign(&mut self, other: Self) {
        self.unreadable += other.unreadable;
        self.forged += other.forged;
        self.expired += other.expired;
        self.ahead += other.ahead;
        self.impossible += other.impossible;
        self.beyond += other.beyond;
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.unreadable, "unreadable"),
            (self.forged, "with a wrong signature"),
            (self.expired, "expired"),
            (self.ahead, "dated more than an hour ahead (is a clock wrong?)"),
            (self.impossible, "at impossible addresses"),
            (self.beyond, "beyond the most that one backend may bring"),
        ];
        let told: Vec<_> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        f.write_str(&told.join(", "))
    }
}
