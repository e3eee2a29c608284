use std::fs;
use std::io::{Error, Result, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bitboot_plugin_api::Locator;
use serde::Deserialize;

/// The longest that a command may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a test puts bytes of a stranger on its medium. In each word `{locator}` stands for the locator, hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Noise {
    /// Appended to this file.
    File(String),
    /// Written to the standard input of this command: its words.
    Command(Vec<String>),
}

impl Noise {
    /// Puts them there, under a locator.
    ///
    /// # Errors
    /// When the file cannot be written, or the command fails or has not ended after half a minute.
    pub fn put(&self, locator: &Locator, bytes: &[u8]) -> Result<()> {
        let fill = |word: &String| word.replace("{locator}", &locator.to_hex());
        match self {
            Self::File(path) => append(&PathBuf::from(fill(path)), bytes),
            Self::Command(words) => feed(&words.iter().map(fill).collect::<Vec<_>>(), bytes),
        }
    }

    pub(crate) fn with_temp(self, temp: &str) -> Self {
        let fill = |word: String| word.replace("{temp}", temp);
        match self {
            Self::File(path) => Self::File(fill(path)),
            Self::Command(words) => Self::Command(words.into_iter().map(fill).collect()),
        }
    }
}

fn append(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::File::options().create(true).append(true).open(path)?.write_all(bytes)
}

/// The command is the test's own, and does what whoever wrote it may do.
fn feed(words: &[String], bytes: &[u8]) -> Result<()> {
    let (program, words) = words.split_first().ok_or_else(|| Error::other("the command has no words"))?;
    let mut child = Command::new(program).args(words).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        let bytes = bytes.to_vec();
        // From elsewhere: one that does not read would keep us. What it made of it, its end tells.
        std::thread::spawn(move || input.write_all(&bytes));
    }
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            let failed = || Error::other(format!("{program}: {status}"));
            return status.success().then_some(()).ok_or_else(failed);
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Err(Error::other(format!("{program}: no end within {PATIENCE:?}")));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
