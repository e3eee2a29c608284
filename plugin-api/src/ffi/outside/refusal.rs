use std::fmt;

/// Why a file is not opened as a plugin: the gate at which it stopped, and one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where it stopped.
    pub gate: Gate,
    /// What is wrong, in one sentence without a full stop.
    pub what: String,
    /// The long story, such as a layout comparison of several hundred lines; for `-vv` only.
    pub detail: Option<String>,
}

/// The gates between an entry of the registry and a plugin that answers, in the order in which they are passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Gate {
    /// 1: it is switched on, and not put aside because it died.
    Enabled,
    /// 2: it lies where it may lie, and nobody else may change it.
    Store,
    /// 2: it is a file that can be read.
    File,
    /// 3: its bytes are those that were verified when it was installed.
    Hash,
    /// 4: who published it is still trusted.
    Publisher,
    /// 5: it is a whole shared library for this machine.
    Library,
    /// 5: it carries a manifest, read without running it.
    Manifest,
    /// 6: its process has started, confined as it has to be.
    Worker,
    /// 7: the system's loader takes it.
    Load,
    /// 8: its plain-C magic is that of this API.
    Magic,
    /// 9: its types are laid out as ours are.
    Layout,
    /// 10: it says of itself what its manifest says.
    Truth,
    /// 11: it was ready before the deadline.
    Ready,
}

impl Gate {
    const ALL: [(Self, u8, &str); 13] = [
        (Self::Enabled, 1, "enabled"),
        (Self::Store, 2, "store"),
        (Self::File, 2, "file"),
        (Self::Hash, 3, "hash"),
        (Self::Publisher, 4, "publisher"),
        (Self::Library, 5, "library"),
        (Self::Manifest, 5, "manifest"),
        (Self::Worker, 6, "worker"),
        (Self::Load, 7, "load"),
        (Self::Magic, 8, "magic"),
        (Self::Layout, 9, "layout"),
        (Self::Truth, 10, "truth"),
        (Self::Ready, 11, "ready"),
    ];

    /// Its number, 1 to 11.
    #[must_use]
    pub fn number(self) -> u8 {
        Self::ALL.iter().find(|(gate, ..)| *gate == self).map_or(0, |(_, number, _)| *number)
    }

    /// Its name, one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(gate, ..)| *gate == self).map_or("", |(.., word)| word)
    }

    /// The gate of a name.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(.., name)| *name == word).map(|(gate, ..)| *gate)
    }
}

impl Refusal {
    /// With a sentence and nothing more to say.
    pub fn new(gate: Gate, what: impl Into<String>) -> Self {
        Self { gate, what: what.into(), detail: None }
    }

    /// With the long story.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Refusal {}
