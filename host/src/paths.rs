use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::error::{Error, Kind, Result};

/// The folders in which bitboot keeps what is the user's: by the XDG Base Directory rules on Linux and macOS, Known Folders on Windows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Paths {
    /// `registry.toml` lies here.
    pub config: PathBuf,
    /// Installed plugins lie here.
    pub data: PathBuf,
    /// What this machine announces lies here.
    pub state: PathBuf,
    /// What may be lost lies here: what plugins keep from run to run.
    pub cache: PathBuf,
}

impl Paths {
    /// The user's own folders.
    ///
    /// # Errors
    /// When the system tells no home folder.
    pub fn of_user() -> Result<Self> {
        let base = etcetera::choose_base_strategy().map_err(|error| {
            Error::new(Kind::Config, "the system tells no home folder")
                .because(error)
                .fix("name one: --home DIR or BITBOOT_HOME=DIR")
        })?;
        Ok(Self {
            config: base.config_dir().join("bitboot"),
            data: base.data_dir().join("bitboot"),
            state: base.state_dir().unwrap_or_else(|| base.data_dir()).join("bitboot"),
            cache: base.cache_dir().join("bitboot"),
        })
    }

    /// All folders inside one, as `--home` and `BITBOOT_HOME` want it.
    #[must_use]
    pub fn inside(home: &Path) -> Self {
        Self {
            config: home.join("config"),
            data: home.join("data"),
            state: home.join("state"),
            cache: home.join("cache"),
        }
    }

    /// The user's registry.
    #[must_use]
    pub fn registry(&self) -> PathBuf {
        self.config.join("registry.toml")
    }

    /// Where installed plugins lie.
    #[must_use]
    pub fn plugins(&self) -> PathBuf {
        self.data.join("plugins")
    }

    /// What this machine announces.
    #[must_use]
    pub fn announced(&self) -> PathBuf {
        self.state.join("announced.json")
    }

    /// Where each process that keeps an announcement alive holds a lock.
    pub(crate) fn owners(&self) -> PathBuf {
        self.state.join("owners")
    }
}
