use std::process::ExitCode;

use crate::error::{Error, Kind};

/// How the process ends, see `bitboot help exit-codes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exit(u8);

impl Exit {
    pub(super) const OK: Self = Self(0);

    /// The end that a signal asked for: 128 and its number.
    pub(super) fn signal(number: u8) -> Self {
        Self(128 + number)
    }

    pub(super) fn code(self) -> u8 {
        self.0
    }
}

impl From<Kind> for Exit {
    fn from(kind: Kind) -> Self {
        Self(kind.exit_code())
    }
}

impl From<&Error> for Exit {
    fn from(error: &Error) -> Self {
        error.kind.into()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.0.into()
    }
}
