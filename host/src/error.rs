use std::fmt;

use bitboot_plugin_api::ErrorKind;

/// What could not be done: what failed, on what, why, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    /// What sort of failure it is; decides the exit code.
    pub kind: Kind,
    /// What failed, on what, in one sentence without a full stop.
    pub what: String,
    /// The cause, where it is known.
    pub why: Option<String>,
    /// What the user can do about it.
    pub fix: Option<String>,
    /// The check at which it stopped, where there are several of a kind, such as `signature`.
    pub gate: Option<&'static str>,
}

/// The sorts of failure that the command line tells apart, each with its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// None of the others.
    Other,
    /// The words of the command do not fit.
    Usage,
    /// Nothing was found.
    NotFound,
    /// A key is missing, locked or refused.
    Key,
    /// A backend's medium did not answer in time.
    Unreachable,
    /// A plugin could not be loaded, or its code failed.
    Plugin,
    /// Bytes are not what they should be.
    Integrity,
    /// A person has to decide.
    NeedsHuman,
    /// Some of the named backends failed.
    Partial,
    /// A configuration is invalid.
    Config,
    /// A wallet does not hold enough.
    Funds,
    /// It costs more than was agreed to.
    OverLimit,
    /// It would spend real money, and nobody allowed that.
    RealMoney,
}

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Kind {
    /// The process' exit code, see `bitboot help exit-codes`.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Other => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Key => 4,
            Self::Unreachable => 5,
            Self::Plugin => 6,
            Self::Integrity => 7,
            Self::NeedsHuman => 8,
            Self::Partial => 9,
            Self::Config => 10,
            Self::Funds => 11,
            Self::OverLimit => 12,
            Self::RealMoney => 13,
        }
    }

    /// The word in `error[WORD]` and in the field `code` of JSON lines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Usage => "usage",
            Self::NotFound => "not-found",
            Self::Key => "key",
            Self::Unreachable => "unreachable",
            Self::Plugin => "plugin",
            Self::Integrity => "integrity",
            Self::NeedsHuman => "needs-human",
            Self::Partial => "partial",
            Self::Config => "config",
            Self::Funds => "funds",
            Self::OverLimit => "over-limit",
            Self::RealMoney => "real-money",
        }
    }
}

impl Error {
    pub(crate) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), why: None, fix: None, gate: None }
    }

    pub(crate) fn because(mut self, why: impl fmt::Display) -> Self {
        self.why = Some(why.to_string());
        self
    }

    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Names the check at which it stopped.
    pub(crate) fn at(mut self, gate: &'static str) -> Self {
        self.gate = Some(gate);
        self
    }

    /// What stands in `error[CODE]`: the sort of failure, and the check where there are several.
    pub(crate) fn code(&self) -> String {
        let word = self.kind.word();
        self.gate.map_or_else(|| word.to_owned(), |gate| format!("{word}/{gate}"))
    }

    /// A failure to read or write a file.
    pub(crate) fn file(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(Kind::Other, format!("cannot {doing} {}", path.display())).because(error)
    }

    /// What a backend told, seen from the host.
    pub(crate) fn of_backend(backend: &str, error: bitboot_plugin_api::Error) -> Self {
        let kind = match error.kind {
            ErrorKind::Unreachable | ErrorKind::TimedOut => Kind::Unreachable,
            ErrorKind::Config => Kind::Config,
            ErrorKind::Key => Kind::Key,
            ErrorKind::Funds => Kind::Funds,
            ErrorKind::NeedsHuman => Kind::NeedsHuman,
            ErrorKind::Integrity => Kind::Integrity,
            ErrorKind::Panicked => Kind::Plugin,
            _ => Kind::Other,
        };
        let fix = error.fix.or_else(|| match error.kind {
            ErrorKind::Panicked | ErrorKind::Integrity => Some(format!(
                "this is a fault of the plugin; see it with: bitboot -vv backend ping {backend}"
            )),
            ErrorKind::TimedOut => {
                Some("give it more time, with --timeout, or name other backends, with --via".into())
            }
            _ => None,
        });
        Self {
            kind,
            what: format!("backend \"{backend}\": {}", error.message),
            why: error.why,
            fix,
            gate: None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
    }
}

impl std::error::Error for Error {}
