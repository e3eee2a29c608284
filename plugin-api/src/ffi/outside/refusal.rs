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

/// The gates between a file and a plugin, in the order in which they are passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Gate {
    /// It is a file that can be read.
    File,
    /// It is a whole shared library for this machine.
    Library,
    /// It carries a manifest, read without running it.
    Manifest,
    /// The system's loader takes it.
    Load,
    /// Its plain-C magic is that of this API.
    Magic,
    /// Its types are laid out as ours are.
    Layout,
    /// It says of itself what its manifest says.
    Truth,
}

impl Refusal {
    pub(super) fn new(gate: Gate, what: impl Into<String>) -> Self {
        Self { gate, what: what.into(), detail: None }
    }

    pub(super) fn with_detail(mut self, detail: impl Into<String>) -> Self {
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
