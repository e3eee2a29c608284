use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::now;
use crate::amount::Amount;
use crate::error::{Error, Kind, Result};
use crate::files::{self, Locked};
use crate::paths::Paths;

/// What was signed away, day by day. Counted and synced to the disk *before* a signature is handed out, so that whatever ends the process
/// afterwards, less can have been spent than was counted, and never more.
#[derive(Debug, Clone)]
pub(crate) struct Spending {
    path: PathBuf,
    /// Of those who have their turn.
    turns: PathBuf,
}

/// One day's account (days since 1970, UTC) of a key with a backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spent {
    day: u64,
    pub(crate) key: String,
    pub(crate) backend: String,
    pub(crate) amount: Amount,
}

impl Spending {
    pub(crate) fn new(paths: &Paths) -> Self {
        Self { path: paths.state.join("spending.json"), turns: paths.state.join("spending") }
    }

    /// The turn of a backend to spend, until it is dropped or the process ends. `None` while another process has it: two that spend by one key
    /// at once would choose the same coin, or the same number.
    pub(crate) fn turn(&self, backend: &str) -> Result<Option<Locked>> {
        Locked::attempt(self.turns.join(backend))
    }

    /// Counts a fee, unless the day's limit would be passed.
    pub(crate) fn count(&self, key: &str, backend: &str, fee: &Amount, per_day: &Amount) -> Result<()> {
        let file = Locked::new(self.path.clone())?;
        let mut all = self.parse(file.read()?.as_deref())?;
        let today = today(&all);
        let spent = all.entry("spent".into()).or_default();
        spent.retain(|spent| spent.day >= today);
        let mut ours = spent.iter().filter(|spent| spent.key == key && spent.backend == backend);
        let total = ours.try_fold(fee.clone(), |sum, spent| sum.plus(&spent.amount));
        if !total.is_some_and(|total| total.is_within(per_day)) {
            let what = format!(
                "{fee} more is over what backend \"{backend}\" may spend in a day with the key \"{key}\""
            );
            return Err(Error::new(Kind::NeedsHuman, what)
                .because(format!("the limit is {per_day}"))
                .fix("wait until tomorrow (UTC), or raise it: bitboot key policy"));
        }
        spent.push(Spent { day: today, key: key.into(), backend: backend.into(), amount: fee.clone() });
        let text = serde_json::to_vec_pretty(&all)
            .map_err(|error| Error::new(Kind::Other, "cannot write what was spent").because(error))?;
        file.replace(&text)
    }

    /// What was counted today, each key and backend once for each unit.
    pub(crate) fn today(&self) -> Result<Vec<Spent>> {
        let all = self.parse(files::read(&self.path)?.as_deref())?;
        let (today, mut sums) = (today(&all), Vec::<Spent>::new());
        for spent in all.into_values().flatten().filter(|spent| spent.day >= today) {
            let same = sums.iter_mut().find(|sum| {
                sum.key == spent.key
                    && sum.backend == spent.backend
                    && sum.amount.unit() == spent.amount.unit()
            });
            match same {
                Some(sum) => sum.amount = sum.amount.plus(&spent.amount).unwrap_or(spent.amount),
                None => sums.push(spent),
            }
        }
        sums.sort_by(|a, b| (&a.key, &a.backend).cmp(&(&b.key, &b.backend)));
        Ok(sums)
    }

    fn parse(&self, text: Option<&str>) -> Result<BTreeMap<String, Vec<Spent>>> {
        // A counter that cannot be read must not become a counter at nought.
        serde_json::from_str(text.unwrap_or("{}")).map_err(|error| {
            Error::new(Kind::NeedsHuman, format!("{} cannot be read", self.path.display()))
                .because(error)
                .fix("nothing is spent until it can; if it cannot be mended, remove it: the day's count is lost")
        })
    }
}

/// The clock's day, or the last that something was counted for: a clock that is behind for a while gives no day's budget twice. One that was
/// far ahead has one budget until its day has come.
fn today(all: &BTreeMap<String, Vec<Spent>>) -> u64 {
    all.values().flatten().map(|spent| spent.day).fold(now() / 86_400, u64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_an_end_and_a_broken_counter_spends_nothing() {
        let home = tempfile::tempdir().unwrap();
        let spending = Spending::new(&Paths::inside(home.path()));
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let count = |fee: &str| spending.count("k", "b", &amount(fee), &amount("0.5 TOL"));
        count("0.2 TOL").unwrap();
        count("0.3 TOL").unwrap();
        assert_eq!(count("0.1 TOL").unwrap_err().kind, Kind::NeedsHuman);
        assert_eq!(count("0.1 LOT").unwrap_err().kind, Kind::NeedsHuman);
        // Another key, or another backend, has a day of its own.
        spending.count("k", "c", &amount("0.5 TOL"), &amount("0.5 TOL")).unwrap();
        let today: Vec<_> =
            spending.today().unwrap().into_iter().map(|spent| (spent.backend, spent.amount)).collect();
        assert_eq!(today, [("b".into(), amount("0.5 TOL")), ("c".into(), amount("0.5 TOL"))]);
        let text = std::fs::read_to_string(&spending.path).unwrap();
        let ahead = text.replace(&format!("\"day\": {}", now() / 86_400), "\"day\": 99999");
        std::fs::write(&spending.path, ahead).unwrap();
        assert!(count("0.1 TOL").is_err());
        // What is spent while the clock is behind is spent of the day that had begun.
        let tomorrow = now() / 86_400 + 1;
        std::fs::write(
            &spending.path,
            text.replace(&format!("\"day\": {}", tomorrow - 1), &format!("\"day\": {tomorrow}")),
        )
        .unwrap();
        spending.count("k", "d", &amount("0.5 TOL"), &amount("0.5 TOL")).unwrap();
        let kept = std::fs::read_to_string(&spending.path).unwrap();
        assert_eq!(kept.matches(&format!("\"day\": {tomorrow}")).count(), 4, "{kept}");
        let behind = text.replace(&format!("\"day\": {}", now() / 86_400), "\"day\": 20000");
        std::fs::write(&spending.path, behind).unwrap();
        count("0.5 TOL").unwrap();
        std::fs::write(&spending.path, "junk").unwrap();
        assert!(count("0 TOL").is_err());
    }
}
