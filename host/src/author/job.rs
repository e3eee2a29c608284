use std::path::PathBuf;

use bitboot_conformance::Outcome;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};

/// What the process is told that puts a plugin to clauses: one line on its standard input. When that input ends, so does the process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) library: PathBuf,
    pub(crate) kind: String,
    /// The crate's folder, where `conformance.toml` may lie.
    pub(crate) folder: Option<PathBuf>,
    /// An empty folder.
    pub(crate) temp: PathBuf,
    /// The file that stands for its standard output.
    pub(crate) printed: PathBuf,
    /// Settings: key and value as they were typed.
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) patience_ms: Option<u64>,
    pub(crate) seed: u64,
    /// The clauses, in this order.
    pub(crate) clauses: Vec<String>,
}

/// What it says: lines on its standard output.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    /// It goes to a clause.
    Begun(String),
    /// What became of a clause.
    Told(String, Outcome),
    /// The test itself is set up wrongly, and so no clause is judged.
    Unready(Unready),
    /// It has come to the end.
    Ended,
}

/// A wrong set-up of the test.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Unready {
    what: String,
    why: Option<String>,
    fix: Option<String>,
}

impl From<Error> for Unready {
    fn from(Error { what, why, fix, .. }: Error) -> Self {
        Self { what, why, fix }
    }
}

impl From<Unready> for Error {
    fn from(Unready { what, why, fix }: Unready) -> Self {
        let mut error = Self::new(Kind::Config, what);
        (error.why, error.fix) = (why, fix);
        error
    }
}
