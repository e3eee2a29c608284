use std::path::PathBuf;

use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::files;
use crate::paths::Paths;

/// Every signature that was asked for, one JSON object a line, in the order in which they were asked for.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    path: PathBuf,
}

/// One request to sign, and what became of it.
#[derive(Debug, Serialize)]
pub(crate) struct Asked<'a> {
    /// RFC 3339.
    pub(crate) time: String,
    pub(crate) plugin: &'a str,
    pub(crate) backend: &'a str,
    pub(crate) key: Option<&'a str>,
    pub(crate) scheme: &'a str,
    pub(crate) purpose: &'a str,
    pub(crate) fee: Option<String>,
    /// SHA-256 of what was to be signed, hexadecimal.
    pub(crate) digest: String,
    /// Why it was refused; null where it was signed.
    pub(crate) refused: Option<String>,
}

impl Audit {
    pub(crate) fn new(paths: &Paths) -> Self {
        Self { path: paths.state.join("audit.jsonl") }
    }

    /// Writes a line and sees it on the disk. Texts of a plugin are cut.
    pub(crate) fn write(&self, asked: &Asked<'_>) -> Result<()> {
        let fee = asked.fee.as_deref().map(|fee| cut(fee).to_owned());
        let refused = asked.refused.as_deref().map(|refused| cut(refused).to_owned());
        let asked = Asked {
            purpose: cut(asked.purpose),
            fee,
            refused,
            digest: asked.digest.clone(),
            time: asked.time.clone(),
            ..*asked
        };
        let line = serde_json::to_string(&asked)
            .map_err(|error| Error::new(Kind::Other, "cannot write the audit log").because(error))?;
        files::append(&self.path, &line)
    }
}

/// So much of a text as a person reads.
fn cut(text: &str) -> &str {
    const LONGEST: usize = 500;
    &text[..text.floor_char_boundary(LONGEST)]
}
