use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::exit::Exit;
use super::globals::Globals;
use crate::client::Bitboot;
use crate::error::{Error, Kind, Result};
use crate::keys::{AskPassphrase, KeyRing, ask_never};
use crate::output::{ErrorLine, Line, Screen};
use crate::paths::Paths;

/// What a command works with.
pub(super) struct Context {
    pub(super) screen: Arc<Screen>,
    paths: Result<Paths>,
    timeout: Option<Duration>,
    passphrase_file: Option<PathBuf>,
    /// A person may be asked something.
    pub(super) asks: bool,
}

impl Context {
    pub(super) fn new(screen: Screen, globals: &Globals) -> Self {
        Self {
            screen: Arc::new(screen),
            paths: globals.paths(),
            timeout: globals.timeout(),
            passphrase_file: globals.passphrase_file(),
            asks: globals.asks(),
        }
    }

    pub(super) fn paths(&self) -> Result<&Paths> {
        self.paths.as_ref().map_err(Clone::clone)
    }

    pub(super) fn timeout(&self, default: Duration) -> Duration {
        self.timeout.unwrap_or(default)
    }

    /// The user's registry with its plugins; reads files and loads nothing yet.
    pub(super) fn bitboot(&self) -> Result<Bitboot> {
        let screen = Arc::clone(&self.screen);
        Bitboot::with_keys(self.paths()?.clone(), self.keys()?, move |backend, level, text| {
            screen.talk().log(backend, level, text);
        })
    }

    /// Whether a person sits there who may be asked and can answer.
    pub(super) fn is_answered(&self) -> bool {
        self.asks && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// The user's keys; opens no store yet.
    pub(super) fn keys(&self) -> Result<KeyRing> {
        Ok(KeyRing::new(self.paths()?, self.passphrases(), self.is_answered()))
    }

    /// Where passphrases come from: the file that was named, else the person, if there is one.
    pub(super) fn passphrases(&self) -> AskPassphrase {
        if self.passphrase_file.is_some() || !self.is_answered() {
            return ask_never(self.passphrase_file.as_deref());
        }
        let screen = Arc::clone(&self.screen);
        Arc::new(move |what, is_new| {
            let typed = screen.talk().ask_secret(&format!("{what}: "))?;
            if is_new
                && screen.talk().ask_secret("the same again: ")?.expose_secret() != typed.expose_secret()
            {
                return Err(Error::new(Kind::Usage, "the two are not the same").fix("try again"));
            }
            Ok(typed)
        })
    }

    /// Prints a result. The error of a closed pipe ends the command in silence, see [`Context::end`].
    pub(super) fn print(&self, line: &Line) -> Result<()> {
        self.screen.print(line).map_err(unprinted)
    }

    /// Prints what waits in the table.
    pub(super) fn finish(&self) -> Result<()> {
        self.screen.talk().rest();
        self.screen.finish().map_err(unprinted)
    }

    /// Prints a text for people.
    pub(super) fn page(&self, text: &str) -> Result<()> {
        self.screen.page(text).map_err(unprinted)
    }

    pub(super) fn raw(&self, text: &str) -> Result<()> {
        self.screen.raw(text).map_err(unprinted)
    }

    /// The command's end becomes the process' end.
    pub(super) fn end(&self, outcome: Result<Exit>, json: bool) -> Exit {
        self.screen.talk().rest();
        match outcome.and_then(|exit| self.finish().map(|()| exit)) {
            Ok(exit) => exit,
            Err(error) if is_closed(&error) => Exit::OK,
            Err(error) => {
                self.screen.talk().error(&error);
                if json {
                    let _ = self.screen.print(&Line::Error(ErrorLine::new(None, None, &error)));
                }
                Exit::from(&error)
            }
        }
    }
}

/// Told apart from every other error by this text alone, which is never shown.
const CLOSED: &str = "whoever read the results has had enough";

/// A pipe that was closed is no failure; all else is one, or a full disk would look like a file that is whole.
fn unprinted(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Error::new(Kind::Other, CLOSED);
    }
    Error::new(Kind::Other, "the results cannot be written").because(error).fix("is the disk full?")
}

pub(super) fn is_closed(error: &Error) -> bool {
    error.what == CLOSED
}
