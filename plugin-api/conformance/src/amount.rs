use std::fmt;

/// Decimal places that are told apart.
const PLACES: usize = 18;

/// An amount as quotes, receipts and signatures tell it: a decimal number and a unit.
#[derive(Debug, Clone)]
pub(crate) struct Amount {
    /// In units of 10^-18.
    atto: u128,
    unit: String,
    told: String,
}

impl Amount {
    pub(crate) fn read(text: &str) -> Option<Self> {
        let at = text.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, unit) = (text[..at].trim(), text[at..].trim());
        let (whole, places) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(places) || places.len() > PLACES {
            return None;
        }
        let atto = format!("{whole}{places:0<PLACES$}").parse().ok()?;
        Some(Self { atto, unit: unit.to_owned(), told: text.to_owned() })
    }

    pub(crate) fn is_within(&self, limit: &Self) -> bool {
        self.unit == limit.unit && self.atto <= limit.atto
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.atto == 0
    }

    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        let atto = (self.unit == other.unit).then(|| self.atto.checked_add(other.atto))??;
        Some(Self { atto, unit: self.unit.clone(), told: format!("{} and {}", self.told, other.told) })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_compared_exactly() {
        let amount = |text| Amount::read(text).unwrap_or_else(|| panic!("{text}"));
        let (tenth, two) = (amount("0.1 TOL"), amount("0.2TOL"));
        assert!(tenth.is_within(&two) && !two.is_within(&tenth) && !tenth.is_within(&amount("1 ETH")));
        let three = tenth.plus(&two);
        assert!(three.is_some_and(|three| three.is_within(&amount("0.3 TOL")) && !three.is_within(&two)));
        assert!(tenth.plus(&amount("1 ETH")).is_none());
        assert!(
            ["1", "TOL", "-1 TOL", "1. TOL", "0.0000000000000000001 TOL"]
                .iter()
                .all(|text| Amount::read(text).is_none())
        );
    }
}
