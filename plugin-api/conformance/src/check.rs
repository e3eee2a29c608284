use std::fmt;
use std::path::Path;
use std::time::Duration;

use bitboot_plugin_api::Error;
use tokio::time::timeout;

use crate::Subject;
use crate::bench::Bench;
use crate::clauses::{self, Clause};

/// The longest that one clause may take; a plugin that hangs breaks the clause, it does not hang the test.
const LONGEST: Duration = Duration::from_secs(180);

/// Holds a plugin to every clause of the contract.
///
/// # Panics
/// When a clause is broken, with the list of them.
pub async fn check(plugin: &Path, subject: &Subject) {
    let verdicts = judge(plugin, subject).await;
    let broken =
        verdicts.iter().filter(|verdict| verdict.is_broken()).map(|verdict| format!("  {verdict}\n"));
    let broken = broken.collect::<String>();
    assert!(broken.is_empty(), "{} breaks the contract:\n{broken}", plugin.display());
}

/// Puts a plugin to every clause and tells what became of each, in order.
///
/// A plugin that cannot even be opened breaks the clause `it_opens`, and the others are not tried.
pub async fn judge(plugin: &Path, subject: &Subject) -> Vec<Verdict> {
    let bench = match Bench::set(plugin, subject).await {
        Ok(bench) => bench,
        Err(broken) => return vec![Verdict { clause: "it_opens", outcome: Outcome::Broken(broken.0) }],
    };
    let mut verdicts = Vec::from_iter(unknown(subject));
    for clause in clauses::ALL {
        verdicts.push(Verdict { clause: clause.name, outcome: put(clause, &bench, subject).await });
    }
    verdicts
}

async fn put(clause: &Clause, bench: &Bench, subject: &Subject) -> Outcome {
    if let Some(reason) = subject.without.get(clause.name) {
        return Outcome::Excepted(reason.clone());
    }
    match timeout(LONGEST, (clause.put)(bench)).await {
        Ok(Ok(())) => Outcome::Kept,
        Ok(Err(broken)) => Outcome::Broken(broken.0),
        Err(_) => Outcome::Broken(format!("no end within {LONGEST:?}")),
    }
}

/// An exception for a clause that does not exist excuses nothing.
fn unknown(subject: &Subject) -> Option<Verdict> {
    let names = || clauses::ALL.iter().map(|clause| clause.name);
    let stray = subject.without.keys().find(|name| !names().any(|known| known == *name))?;
    Some(Verdict {
        clause: "exceptions_name_clauses",
        outcome: Outcome::Broken(format!("there is no clause `{stray}`")),
    })
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The plugin keeps it, or its capabilities say that it does not apply.
    Kept,
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
            Outcome::Excepted(reason) => write!(f, "{}: excepted, {reason}", self.clause),
            Outcome::Broken(how) => write!(f, "{}: broken, {how}", self.clause),
        }
    }
}

/// How a clause is broken, in one sentence.
#[derive(Debug)]
pub(crate) struct Broken(String);

/// What a clause says: nothing, or how it is broken.
pub(crate) type Told<T = ()> = Result<T, Broken>;

impl Broken {
    pub(crate) fn new(how: impl Into<String>) -> Self {
        Self(how.into())
    }
}

/// What has to hold, and what is said when it does not.
pub(crate) fn ensure(holds: bool, else_say: impl FnOnce() -> String) -> Told {
    if holds { Ok(()) } else { Err(Broken(else_say())) }
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self(format!("an error ({:?}): {error}", error.kind))
    }
}
