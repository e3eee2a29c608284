use crate::error::{Error, Kind, Result};
use crate::output::{FindingLine, HealthLine};

/// What was looked at, and what is right or wrong with it.
pub(super) struct Finding {
    about: String,
    verdict: Verdict,
    health: Option<Box<HealthLine>>,
}

enum Verdict {
    Fine(String),
    /// It hinders nothing that is in use.
    Doubtful(Error),
    Wrong(Error),
}

impl Finding {
    pub(super) fn new(about: impl Into<String>, outcome: Result<String>) -> Self {
        let verdict = outcome.map_or_else(Verdict::Wrong, Verdict::Fine);
        Self { about: about.into(), verdict, health: None }
    }

    /// The same, where a failure hinders nothing.
    pub(super) fn mild(about: impl Into<String>, outcome: Result<String>) -> Self {
        let verdict = outcome.map_or_else(Verdict::Doubtful, Verdict::Fine);
        Self { about: about.into(), verdict, health: None }
    }

    /// With what a medium tells of itself.
    pub(super) fn with_health(self, health: Option<Box<HealthLine>>) -> Self {
        Self { health, ..self }
    }

    /// What makes the command fail.
    pub(super) fn failure(&self) -> Option<Kind> {
        if let Verdict::Wrong(error) = &self.verdict { Some(error.kind) } else { None }
    }

    /// What a program of strangers has said stays out of a report: nobody knows what is in it.
    pub(super) fn without_foreign_words(mut self) -> Self {
        if let Verdict::Doubtful(error) | Verdict::Wrong(error) = &mut self.verdict
            && matches!(error.gate, Some("put-aside" | "died"))
        {
            error.why = None;
        }
        Self { health: None, ..self }
    }

    pub(super) fn line(self) -> FindingLine {
        let Self { about, verdict, health } = self;
        let (verdict, error) = match verdict {
            Verdict::Fine(finding) => {
                return FindingLine { about, verdict: "ok", finding, fix: None, gate: None, health };
            }
            Verdict::Doubtful(error) => ("warning", error),
            Verdict::Wrong(error) => ("problem", error),
        };
        FindingLine { about, verdict, finding: error.to_string(), fix: error.fix, gate: error.gate, health }
    }
}
