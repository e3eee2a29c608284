use std::fmt;

use serde::{Deserialize, Serialize};

/// What a backend could not do: what failed, why, and what helps.
///
/// Every `std::error::Error` becomes one of kind [`ErrorKind::Other`], so `?` works in a backend's code. It is not a
/// `std::error::Error` itself, for that very reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Error {
    /// What sort of failure it is; decides the exit code of the command.
    pub kind: ErrorKind,
    /// What failed, on what, in one sentence without a full stop.
    pub message: String,
    /// The cause, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What the user can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// The sorts of failure that a host tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The medium did not answer.
    Unreachable,
    /// The deadline passed.
    TimedOut,
    /// The medium or the plugin has no such operation.
    Unsupported,
    /// The request cannot be carried out truthfully, such as announcing another host on a source-bound medium.
    Refused,
    /// The backend's configuration is wrong.
    Config,
    /// Another writer was faster; read again, merge and write again.
    Conflict,
    /// A key is missing, locked or refused.
    Key,
    /// The wallet does not hold enough for it.
    Funds,
    /// A person has to confirm or to grant something.
    NeedsHuman,
    /// Bytes were tampered with, or a peer lied.
    Integrity,
    /// The plugin's code panicked.
    Panicked,
    /// Nobody listens any more; never shown to a user.
    Stopped,
    /// Anything else.
    #[serde(other)]
    Other,
}

/// The result of everything that a backend does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of a kind, with what failed.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), why: None, fix: None }
    }

    /// The answer of a backend that has no such operation.
    #[must_use]
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, what)
    }

    /// With the cause.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// With what the user can do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    pub(crate) fn stopped() -> Self {
        Self::new(ErrorKind::Stopped, "nobody listens any more")
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let causes = std::iter::successors(error.source(), |cause| cause.source());
        let why = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        Self {
            kind: ErrorKind::Other,
            message: error.to_string(),
            why: (!why.is_empty()).then_some(why),
            fix: None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
    }
}
