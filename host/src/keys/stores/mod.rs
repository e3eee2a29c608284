//! Where secrets lie: stores that are named, each with its own way. None is chosen in silence, and nothing that can spend lies in the clear.

mod deadline;
mod environment;
mod file;
mod helper;
mod home;
mod os;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::paths::Paths;

pub(crate) use environment::{confidential, holds_secret};
pub(super) use environment::{hints, variable};

/// The name of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StoreName {
    /// The keyring of the operating system
    Keyring,
    /// An encrypted file, opened by a passphrase
    File,
    /// Environment variables, read only
    Env,
    /// A program of yours that speaks one JSON object a line
    Helper,
    /// Files that only you can read, not encrypted; for the node and networks only
    Home,
}

impl StoreName {
    pub(crate) const ALL: [Self; 5] = [Self::Keyring, Self::File, Self::Env, Self::Helper, Self::Home];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::File => "file",
            Self::Env => "env",
            Self::Helper => "helper",
            Self::Home => "home",
        }
    }

    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Keyring => "the keyring of the operating system",
            Self::File => "files encrypted with a passphrase (Argon2id, XChaCha20-Poly1305)",
            Self::Env => "environment variables BITBOOT_KEY_NAME, read only",
            Self::Helper => "a program of yours that speaks one JSON object a line",
            Self::Home => "a file that only you can read, not encrypted",
        }
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A place for secrets. Each call ends at a deadline.
pub(super) trait Store {
    /// Whether it can be used now, in one sentence.
    fn status(&self) -> Result<String>;
    /// What it keeps under a name; `None` where it has nothing. A keyring that is locked may say so too.
    fn get(&self, item: &str) -> Result<Option<SecretString>>;
    /// Keeps a secret, in the place of one of the same name.
    fn put(&self, item: &str, secret: &SecretString) -> Result<()>;
    /// Deletes a secret; whether there was one.
    fn delete(&self, item: &str) -> Result<bool>;
    /// Asks a person now for what [`Store::get`], or [`Store::put`] where it is to keep something, would ask for.
    fn ask_before(&self, _item: &str, _keeps: bool) -> Result<()> {
        Ok(())
    }
}

/// How a passphrase is come by: it is told what it is for, and whether it is a new one. Asked once a process.
pub(crate) type AskPassphrase = Arc<dyn Fn(&str, bool) -> Result<SecretString> + Send + Sync>;

/// What it takes to open any store.
#[derive(Clone)]
pub(crate) struct Means {
    pub(super) paths: Paths,
    pub(super) ask: AskPassphrase,
    /// How long a store may take. A person who has to unlock a keyring needs longer than a program that is there or not.
    pub(super) patience: Duration,
    /// The program of the store `helper`, with its words.
    pub(super) helper: Vec<String>,
}

impl Means {
    pub(super) fn open(&self, name: StoreName) -> Box<dyn Store> {
        match name {
            StoreName::Keyring => {
                // The folder in which keys are described tells apart the homes that share one keyring.
                Box::new(os::Keyring::new(&self.paths.config, self.patience))
            }
            StoreName::File => {
                Box::new(file::Files::new(&self.paths.data.join("keys"), Arc::clone(&self.ask)))
            }
            StoreName::Env => Box::new(environment::Environment),
            StoreName::Helper => Box::new(helper::Helper::new(self.helper.clone(), self.patience)),
            StoreName::Home => Box::new(home::HomeFiles::new(&self.paths)),
        }
    }
}

/// The answer of a store that only reads.
fn read_only(name: StoreName) -> Error {
    Error::new(Kind::Key, format!("the store \"{name}\" is read only"))
}
