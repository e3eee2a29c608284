//! Which entries an archive may have. What breaks a rule is told with the rule.

use std::collections::BTreeSet;

use super::{LICENSE, MANIFEST, MAX_LIBRARY, MAX_TEXT, MAX_TOTAL, SCHEMA};
use crate::install::names;

/// What is seen of an entry before its content is.
pub(super) struct Head<'a> {
    pub(super) name: &'a [u8],
    /// It is a plain file: no link, folder, device or extension of the format.
    pub(super) plain: bool,
    pub(super) mode: u32,
    pub(super) size: u64,
}

/// Keeps count of what has come.
#[derive(Default)]
pub(super) struct Rules {
    /// In small letters: some systems do not tell them apart.
    seen: BTreeSet<String>,
    total: u64,
    /// All that may come; known once the manifest is.
    expected: Option<Vec<(String, u64)>>,
}

impl Rules {
    /// Lets the other files of a plugin come.
    pub(super) fn expect(&mut self, plugin: &str, target: &str) {
        self.expected = Some(vec![
            (names::library(plugin, target), MAX_LIBRARY),
            (SCHEMA.into(), MAX_TEXT),
            (LICENSE.into(), MAX_TEXT),
            (names::man_page(plugin), MAX_TEXT),
        ]);
    }

    /// The name of an entry that may be there, or which rule it breaks.
    pub(super) fn admit(&mut self, head: &Head<'_>) -> Result<String, String> {
        let shown = String::from_utf8_lossy(&head.name[..head.name.len().min(100)]).into_owned();
        let name = std::str::from_utf8(head.name).map_err(|_| format!("\"{shown}\" is no name in UTF-8"))?;
        if !head.plain {
            return Err(format!("\"{shown}\" is no plain file"));
        }
        is_plain_name(name).map_err(|why| format!("\"{shown}\" {why}"))?;
        if head.mode & !0o777 != 0 {
            return Err(format!("\"{shown}\" has the mode {:o}, which would give it rights", head.mode));
        }
        if !self.seen.insert(name.to_lowercase()) {
            return Err(format!(
                "\"{shown}\" is there twice, at least on systems that do not tell letters apart"
            ));
        }
        let limit = self.limit(name).ok_or_else(|| format!("\"{shown}\" has no place in a package"))?;
        if head.size > limit {
            return Err(format!("\"{shown}\" has {} bytes, where {limit} are allowed", head.size));
        }
        self.total += head.size;
        if self.total > MAX_TOTAL {
            return Err("it is too large when it is unpacked".into());
        }
        Ok(name.to_owned())
    }

    fn limit(&self, name: &str) -> Option<u64> {
        match &self.expected {
            None => (name == MANIFEST).then_some(MAX_TEXT),
            Some(expected) => expected.iter().find(|(file, _)| file == name).map(|(_, limit)| *limit),
        }
    }
}

fn is_plain_name(name: &str) -> Result<(), &'static str> {
    if name.starts_with(['/', '\\']) || name.contains(':') {
        return Err("is an absolute path");
    }
    if name.split(['/', '\\']).any(|part| part == "..") {
        return Err("leads out of its folder");
    }
    if name.is_empty() || name.contains(['/', '\\', '\0']) {
        return Err("is no file name");
    }
    Ok(())
}
