use std::fs;
use std::io::{Error, Result, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bitboot_plugin_api::Locator;
use serde::Deserialize;

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
    pub(crate) fn put(&self, locator: &Locator, bytes: &[u8]) -> Result<()> {
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

fn feed(words: &[String], bytes: &[u8]) -> Result<()> {
    let (program, words) = words.split_first().ok_or_else(|| Error::other("the command has no words"))?;
    let mut child = Command::new(program).args(words).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(bytes)?;
    }
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(Error::other(format!("{program}: {status}"))) }
}
