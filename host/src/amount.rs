use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};

/// How many decimal places an amount has at most.
const PLACES: u32 = 18;
const WHOLE: u128 = 10u128.pow(PLACES);
/// The longest unit.
const MAX_UNIT: usize = 12;

/// An amount of what a medium is paid in, exactly: a decimal number of at most 18 places and its unit, as in `0.00001 BTC`.
///
/// Amounts of different units cannot be compared: nobody here knows what one is worth in the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount {
    /// In units of 10^-18.
    atto: u128,
    unit: String,
}

impl Amount {
    /// Nothing, in a unit.
    #[must_use]
    pub fn nothing(unit: &str) -> Self {
        Self { atto: 0, unit: unit.to_owned() }
    }

    /// What it is an amount of.
    #[must_use]
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Whether it is nothing at all.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.atto == 0
    }

    /// Whether it is at most a limit of the same unit.
    #[must_use]
    pub fn is_within(&self, limit: &Self) -> bool {
        self.unit == limit.unit && self.atto <= limit.atto
    }

    /// Both together; `None` where their units differ, or where it is more than can be counted.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Option<Self> {
        let atto = self.atto.checked_add(other.atto)?;
        (self.unit == other.unit).then(|| Self { atto, unit: self.unit.clone() })
    }

    /// What is left; `None` where it is less than is taken, or of another unit.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Option<Self> {
        let atto = self.atto.checked_sub(other.atto)?;
        (self.unit == other.unit).then(|| Self { atto, unit: self.unit.clone() })
    }
}

impl FromStr for Amount {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = |why: &str| {
            Error::new(Kind::Usage, format!("\"{text}\" is no amount: {why}"))
                .fix("the form is a number and a unit: '0.002 TOL'")
        };
        let at = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(|| bad("it has no unit"))?;
        let (number, unit) = (text[..at].trim(), text[at..].trim());
        if unit.len() > MAX_UNIT || !unit.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(bad("a unit is at most 12 letters"));
        }
        let (whole, places) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(places) {
            return Err(bad("the number is digits, with a point where it needs one"));
        }
        if places.len() > PLACES as usize {
            return Err(bad("it has more than 18 decimal places"));
        }
        let whole = whole.parse::<u128>().ok().and_then(|whole| whole.checked_mul(WHOLE));
        let places = format!("{places:0<18}").parse::<u128>().ok();
        let atto = whole.zip(places).and_then(|(whole, places)| whole.checked_add(places));
        Ok(Self { atto: atto.ok_or_else(|| bad("it is too large"))?, unit: unit.to_owned() })
    }
}

impl TryFrom<String> for Amount {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = format!("{:018}", self.atto % WHOLE);
        let places = places.trim_end_matches('0');
        let point = if places.is_empty() { "" } else { "." };
        write!(f, "{}{point}{places} {}", self.atto / WHOLE, self.unit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn amounts_are_exact() {
        for (text, shown) in [
            ("0.1 TOL", "0.1 TOL"),
            ("0.100TOL", "0.1 TOL"),
            ("12 TOL", "12 TOL"),
            ("0.000000000000000001 ETH", "0.000000000000000001 ETH"),
            ("340282366920938463463 X", "340282366920938463463 X"),
            ("0 TOL", "0 TOL"),
        ] {
            assert_eq!(amount(text).to_string(), shown);
        }
        assert_eq!(amount("0.1 T").plus(&amount("0.2 T")).unwrap(), amount("0.3 T"));
        assert!(amount("0.1 T").is_within(&amount("0.1 T")) && !amount("0.11 T").is_within(&amount("0.1 T")));
        assert!(!amount("0.1 T").is_within(&amount("1 U")) && amount("1 T").plus(&amount("1 U")).is_none());
        assert!(amount("1 T").minus(&amount("2 T")).is_none());
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "",
            "1",
            "TOL",
            "-1 TOL",
            "+1 TOL",
            "1. TOL",
            ".5 TOL",
            "1,5 TOL",
            "1e3",
            "1 2 TOL",
            "1 TOL ETH",
            "0.0000000000000000001 TOL",
            "340282366920938463464 X",
            "1 ABCDEFGHIJKLM",
            "١ TOL",
            "1 T\u{1b}L",
        ] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_what_was_meant(atto: u128) {
            let meant = Amount { atto, unit: "TOL".into() };
            prop_assert_eq!(amount(&meant.to_string()), meant);
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<Amount>();
        }
    }
}
