//! Single files and variables of the user's that the host reads for a backend: its process then needs no way to what lies beside them, such as
//! the wallet beside a node's cookie.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use bitboot_plugin_api::{Error, ErrorKind, Result};
use serde_json::Value;

use super::manifest::Asks;
use crate::registry::Grants;

/// What may be read, by the words of the plugin's manifest; nothing where the file's setting is not set.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reads(BTreeMap<String, Option<Source>>);

#[derive(Debug, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    Variable(String),
}

/// The most bytes of one thing: credentials are shorter.
const LONGEST: u64 = 64 << 10;

impl Reads {
    /// What a backend with these settings may have read.
    pub(super) fn new(plugin: &str, asks: &Asks, grants: &Grants, config: &Value) -> Self {
        if !grants.files.unwrap_or(true) {
            return Self::default();
        }
        // Variables of other programs hold secrets of other programs, and `BITBOOT_KEY_…` of ours has private keys: whatever a plugin calls
        // itself, it has none of those.
        let own = format!("BITBOOT_PLUGIN_{}_", plugin.to_ascii_uppercase().replace('-', "_"));
        let read = |asked: &String| {
            if let Some(key) = asked.strip_prefix("config.") {
                let path = config.get(key).and_then(Value::as_str).filter(|path| !path.is_empty());
                return Some((asked.clone(), path.map(|path| Source::File(path.into()))));
            }
            let name = asked.strip_prefix("env.").filter(|name| name.starts_with(&own))?;
            Some((asked.clone(), Some(Source::Variable(name.into()))))
        };
        Self(asks.reads.iter().filter_map(read).collect())
    }

    /// What it holds now; `None` where it is not there.
    pub(super) fn read(&self, what: &str) -> Result<Option<Vec<u8>>> {
        let refused = || Error::new(ErrorKind::Refused, "the plugin may not have this read");
        match self.0.get(what).ok_or_else(refused)? {
            Some(Source::File(path)) => Ok(file(path)),
            Some(Source::Variable(name)) => Ok(std::env::var(name).ok().map(String::into_bytes)),
            None => Ok(None),
        }
    }
}

fn file(path: &Path) -> Option<Vec<u8>> {
    // A pipe would keep whoever opens it waiting.
    std::fs::metadata(path).ok()?.is_file().then_some(())?;
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LONGEST + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= LONGEST).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reads(grants: &Grants, config: &Value) -> Reads {
        let reads =
            ["config.cookie", "env.BITBOOT_PLUGIN_SOME_CHAIN_LOGIN", "env.HOME"].map(Into::into).to_vec();
        Reads::new("some-chain", &Asks { reads, ..Asks::default() }, grants, config)
    }

    #[test]
    fn a_file_is_read_anew_each_time_and_no_other() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("cookie");
        let config = json!({ "cookie": path, "other": path });
        let reads = reads(&Grants::default(), &config);
        assert_eq!(reads.read("config.cookie").unwrap(), None);
        for words in ["one", "another"] {
            std::fs::write(&path, words).unwrap();
            assert_eq!(reads.read("config.cookie").unwrap().unwrap(), words.as_bytes());
        }
        std::fs::write(&path, vec![0; 1 << 17]).unwrap();
        assert_eq!(reads.read("config.cookie").unwrap(), None);
        assert_eq!(reads.read("config.other").unwrap_err().kind, ErrorKind::Refused);
    }

    #[test]
    fn variables_of_others_are_not_read() {
        let reads = reads(&Grants::default(), &json!({}));
        assert_eq!(reads.read("env.HOME").unwrap_err().kind, ErrorKind::Refused);
        assert_eq!(reads.read("env.BITBOOT_PLUGIN_SOME_CHAIN_LOGIN").unwrap(), None);
        assert_eq!(reads.read("config.cookie").unwrap(), None);
    }

    #[test]
    fn a_plugin_with_the_name_of_something_of_ours_reads_none_of_it() {
        let reads = ["env.BITBOOT_KEY_MINE", "env.BITBOOT_PASSPHRASE_FILE"].map(Into::into).to_vec();
        let asks = Asks { reads, ..Asks::default() };
        for name in ["key", "passphrase"] {
            assert_eq!(Reads::new(name, &asks, &Grants::default(), &json!({})), Reads::default());
        }
    }

    #[test]
    fn the_user_may_take_it_away() {
        let none = Grants { files: Some(false), ..Grants::default() };
        assert_eq!(reads(&none, &json!({ "cookie": "/etc/hostname" })), Reads::default());
    }
}
