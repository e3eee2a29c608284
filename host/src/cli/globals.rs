use std::path::PathBuf;
use std::time::Duration;

use super::values::{self, Patience};
use crate::error::Result;
use crate::output::{ColorChoice, Mode, Screen};
use crate::paths::Paths;

/// What every command takes.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(next_help_heading = "Global options")]
pub(super) struct Globals {
    /// One JSON object a line
    #[arg(long, global = true, conflicts_with = "plain")]
    json: bool,
    /// One word a line, for xargs: a peer as HOST:PORT
    #[arg(long, global = true)]
    plain: bool,
    /// A table, also into a pipe
    #[arg(long, global = true, conflicts_with_all = ["json", "plain"])]
    table: bool,
    /// Say nothing but results and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    color: ColorChoice,
    /// Never ask anything
    #[arg(long, global = true)]
    no_input: bool,
    /// End each backend's work after this time [default: 10s to look up, 30s to announce]
    #[arg(long, global = true, value_name = "DURATION", env = "BITBOOT_TIMEOUT", hide_env_values = true, value_parser = values::patience)]
    timeout: Option<Patience>,
    /// Keep everything in this folder instead of the user's own ones
    #[arg(long, global = true, value_name = "DIR", env = "BITBOOT_HOME", hide_env_values = true, value_hint = clap::ValueHint::DirPath)]
    home: Option<PathBuf>,
    /// Read the passphrase of key files from this file instead of asking
    #[arg(long, global = true, value_name = "FILE", env = "BITBOOT_PASSPHRASE_FILE", hide_env_values = true, value_hint = clap::ValueHint::FilePath)]
    passphrase_file: Option<PathBuf>,
}

impl Globals {
    pub(super) fn screen(&self) -> Screen {
        let asked = [(self.json, Mode::Json), (self.plain, Mode::Plain), (self.table, Mode::Table)];
        let mode = asked.into_iter().find_map(|(asked, mode)| asked.then_some(mode));
        Screen::new(mode, self.color, self.quiet, self.verbose)
    }

    pub(super) fn paths(&self) -> Result<Paths> {
        match self.home.as_ref().filter(|home| !home.as_os_str().is_empty()) {
            Some(home) => Ok(Paths::inside(&std::path::absolute(home).unwrap_or_else(|_| home.clone()))),
            None => Paths::of_user(),
        }
    }

    pub(super) fn asks(&self) -> bool {
        !self.no_input
    }

    pub(super) fn passphrase_file(&self) -> Option<PathBuf> {
        self.passphrase_file.clone().filter(|file| !file.as_os_str().is_empty())
    }

    pub(super) fn timeout(&self) -> Option<Duration> {
        self.timeout?.0
    }
}
