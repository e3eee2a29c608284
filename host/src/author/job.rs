use std::path::PathBuf;

use bitboot_conformance::{Outcome, Subject, unknown};
use bitboot_plugin_api::Locator;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};
use crate::loader::Asks;

/// What the process is told that puts a plugin to clauses: the first line on its standard input. When that input ends, so does the process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) library: PathBuf,
    /// The plugin's name.
    pub(crate) plugin: String,
    pub(crate) kind: String,
    /// What its manifest asks for: the process gets no more.
    pub(crate) asks: Asks,
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

impl Job {
    /// The kind as its crate says that it is tested.
    pub(super) fn subject(&self) -> Result<Subject> {
        let subject = match &self.folder {
            Some(folder) => Subject::of_crate(folder, &self.kind, &self.temp).map_err(|error| {
                let mut told = Error::new(Kind::Config, error.message);
                (told.why, told.fix) = (error.why, error.fix);
                told
            })?,
            None => Subject::new(&self.kind, Value::Object(Map::new())),
        };
        match unknown(&subject) {
            Some(stray) => Err(Error::new(Kind::Config, format!("conformance.toml: {stray}"))),
            None => Ok(subject),
        }
    }

    /// The same with the settings as they were typed. What they are by the schema is known only when the library is open; paths are what is
    /// typed.
    pub(super) fn as_typed(&self) -> Result<Subject> {
        let typed = self.settings.iter().map(|(key, value)| (key.clone(), Value::String(value.clone())));
        Ok(self.subject()?.with_settings(&typed.collect(), &self.temp))
    }
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
    /// It wants something that it may not do itself, and waits for the [`Answer`].
    Asks(Asked),
    /// It has come to the end.
    Ended,
}

/// What has to be done outside of the process with the plugin in it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Asked {
    /// To read what the plugin asks its host for, by the manifest's words, with what its setting says.
    Read { what: String, set: Option<String> },
    /// To put a stranger's bytes on the medium.
    Noise { locator: Locator, bytes: Vec<u8> },
}

/// A further line on its standard input.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// What was read.
    Read(bitboot_plugin_api::Result<Option<Vec<u8>>>),
    /// Why it could not be put there, if it could not.
    Noise(Option<String>),
}

/// The setting that the manifest's words `config.KEY` mean.
pub(super) fn setting<'a>(what: &str, config: &'a Value) -> Option<&'a str> {
    config.get(what.strip_prefix("config.")?)?.as_str()
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
