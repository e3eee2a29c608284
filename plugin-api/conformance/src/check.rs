use std::fmt;
use std::path::Path;
use std::time::Duration;

use bitboot_plugin_api::Error;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::bench::Bench;
use crate::clauses::{self, Clause};
use crate::{Subject, subject};

/// The longest that one clause may take; a plugin that hangs breaks the clause, it does not hang the test.
const LONGEST: Duration = Duration::from_secs(180);

/// The clause that is broken by a plugin that cannot even be opened.
pub const OPENS: &str = "it_opens";

/// Holds a plugin to every clause of the contract.
///
/// # Panics
/// When a clause is broken, with the list of them.
pub async fn check(plugin: &Path, subject: &Subject) {
    let verdicts = judge(plugin, subject).await;
    let broken =
        verdicts.iter().filter(|verdict| verdict.is_broken()).map(|verdict| format!("  {verdict}\n"));
    let broken = broken.collect::<String>();
    let again = format!("the same again: {}={}", subject::SEED, subject.seed);
    assert!(broken.is_empty(), "{} breaks the contract:\n{broken}  {again}\n", plugin.display());
}

/// Puts a plugin to every clause and tells what became of each, in order.
///
/// A plugin that cannot even be opened breaks the clause [`OPENS`], and the others are not tried.
pub async fn judge(plugin: &Path, subject: &Subject) -> Vec<Verdict> {
    let suite = match Suite::open(plugin, subject).await {
        Ok(suite) => suite,
        Err(verdict) => return vec![verdict],
    };
    let mut verdicts = Vec::from_iter(unknown(subject));
    for clause in Suite::clauses() {
        verdicts.extend(suite.put(clause).await);
    }
    verdicts
}

/// A plugin that is opened to be put to single clauses.
pub struct Suite(Bench);

impl Suite {
    /// The names of all clauses, in the order in which they are best put.
    pub fn clauses() -> impl Iterator<Item = &'static str> {
        clauses::ALL.iter().map(|clause| clause.name)
    }

    /// Opens two backends of the subject's kind.
    ///
    /// # Errors
    /// The verdict of [`OPENS`] when that does not work.
    pub async fn open(plugin: &Path, subject: &Subject) -> Result<Self, Verdict> {
        let set = Bench::set(plugin, subject).await;
        set.map(Self).map_err(|unkept| Verdict { clause: OPENS, outcome: unkept.into() })
    }

    /// Puts the plugin to a clause; `None` where there is none of that name.
    pub async fn put(&self, clause: &str) -> Option<Verdict> {
        let clause = clauses::ALL.iter().find(|known| known.name == clause)?;
        Some(Verdict { clause: clause.name, outcome: self.outcome(clause).await })
    }

    async fn outcome(&self, clause: &Clause) -> Outcome {
        let Self(bench) = self;
        if let Some(reason) = bench.subject.without.get(clause.name) {
            return Outcome::Excepted(reason.clone());
        }
        bench.begin(clause.name);
        match timeout(LONGEST, (clause.put)(bench)).await {
            Ok(Ok(())) => Outcome::Kept,
            Ok(Err(unkept)) => unkept.into(),
            Err(_) => Outcome::Broken(format!("no end within {LONGEST:?}")),
        }
    }
}

/// An exception for a clause that does not exist excuses nothing.
#[must_use]
pub fn unknown(subject: &Subject) -> Option<Verdict> {
    let stray = subject.without.keys().find(|name| !Suite::clauses().any(|known| known == *name))?;
    let outcome = Outcome::Broken(format!("there is no clause `{stray}`"));
    Some(Verdict { clause: "exceptions_name_clauses", outcome })
}

/// What became of one clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The clause's name, a statement in lower case.
    pub clause: &'static str,
    /// Whether it holds.
    pub outcome: Outcome,
}

/// Whether a clause holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "why", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// The plugin keeps it.
    Kept,
    /// The plugin's capabilities or the test say that there is nothing to see: why.
    NotApplicable(String),
    /// The test excepts it, for this reason.
    Excepted(String),
    /// The plugin breaks it: how.
    Broken(String),
}

impl Verdict {
    /// Whether the plugin breaks the clause.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        matches!(self.outcome, Outcome::Broken(_))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Kept => write!(f, "{}: kept", self.clause),
            Outcome::NotApplicable(reason) => write!(f, "{}: not applicable, {reason}", self.clause),
            Outcome::Excepted(reason) => write!(f, "{}: excepted, {reason}", self.clause),
            Outcome::Broken(how) => write!(f, "{}: broken, {how}", self.clause),
        }
    }
}

/// Why a clause is not kept, in one sentence.
#[derive(Debug)]
pub(crate) enum Unkept {
    /// It is broken.
    Broken(String),
    /// There is nothing to see.
    Idle(&'static str),
}

/// What a clause says: nothing, or why it is not kept.
pub(crate) type Told<T = ()> = Result<T, Unkept>;

impl Unkept {
    pub(crate) fn broken(how: impl Into<String>) -> Self {
        Self::Broken(how.into())
    }
}

/// What has to hold, and what is said when it does not.
pub(crate) fn ensure(holds: bool, else_say: impl FnOnce() -> String) -> Told {
    if holds { Ok(()) } else { Err(Unkept::Broken(else_say())) }
}

/// That there is nothing to see, and why.
pub(crate) fn idle(why: &'static str) -> Told {
    Err(Unkept::Idle(why))
}

impl From<Error> for Unkept {
    fn from(error: Error) -> Self {
        Self::Broken(format!("an error ({:?}): {error}", error.kind))
    }
}

impl From<Unkept> for Outcome {
    fn from(unkept: Unkept) -> Self {
        match unkept {
            Unkept::Broken(how) => Self::Broken(how),
            Unkept::Idle(why) => Self::NotApplicable(why.into()),
        }
    }
}
