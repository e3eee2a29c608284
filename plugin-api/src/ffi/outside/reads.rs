//! Single files and variables of the user's that the host reads for a backend: its process then needs no way to what lies beside them, such as
//! the wallet beside a node's cookie.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Error, ErrorKind, Result};

/// What a host reads for a backend, by the words of its plugin's manifest; nothing where the file's setting is not set. By default none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads(BTreeMap<String, Option<Source>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    Variable(String),
}

/// The most bytes of one thing: credentials are shorter.
const LONGEST: u64 = 64 << 10;

impl Reads {
    /// What a backend with these settings may have read, whose plugin asks for it in `asks.reads` of its manifest.
    #[must_use]
    pub fn new(plugin: &str, asked: &[String], config: &Value) -> Self {
        // Variables of other programs hold secrets of other programs, and `BITBOOT_KEY_…` of ours has private keys: whatever a plugin calls
        // itself, it has none of those.
        let own = Self::prefix(plugin);
        let read = |asked: &String| {
            if let Some(key) = asked.strip_prefix("config.") {
                let path = config.get(key).and_then(Value::as_str).filter(|path| !path.is_empty());
                return Some((asked.clone(), path.map(|path| Source::File(path.into()))));
            }
            let name = asked.strip_prefix("env.").filter(|name| name.starts_with(&own))?;
            Some((asked.clone(), Some(Source::Variable(name.into()))))
        };
        Self(asked.iter().filter_map(read).collect())
    }

    /// What every variable begins with that a plugin may have read. That of one plugin may begin that of another one, and `-` is `_` there: a
    /// host asks for no more than is the plugin's alone.
    #[must_use]
    pub fn prefix(plugin: &str) -> String {
        format!("BITBOOT_PLUGIN_{}_", plugin.to_ascii_uppercase().replace('-', "_"))
    }

    /// What it holds now; `None` where it is not there, or is longer than 64 KiB.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] for what the plugin does not ask for.
    pub fn read(&self, what: &str) -> Result<Option<Vec<u8>>> {
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

    fn reads(config: &Value) -> Reads {
        let asked = ["config.cookie", "env.BITBOOT_PLUGIN_SOME_CHAIN_LOGIN", "env.HOME"].map(Into::into);
        Reads::new("some-chain", &asked, config)
    }

    #[test]
    fn a_file_is_read_anew_each_time_and_no_other() {
        let path = std::env::temp_dir().join(format!("bitboot-reads-{}", std::process::id()));
        // Of a run that was ended, and had the same number.
        let _ = std::fs::remove_file(&path);
        let config = json!({ "cookie": path, "other": path });
        let reads = reads(&config);
        assert_eq!(reads.read("config.cookie").unwrap(), None);
        for words in ["one", "another"] {
            std::fs::write(&path, words).unwrap();
            assert_eq!(reads.read("config.cookie").unwrap().unwrap(), words.as_bytes());
        }
        std::fs::write(&path, vec![0; 1 << 17]).unwrap();
        assert_eq!(reads.read("config.cookie").unwrap(), None);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(reads.read("config.other").unwrap_err().kind, ErrorKind::Refused);
    }

    #[test]
    fn variables_of_others_are_not_read() {
        let reads = reads(&json!({}));
        assert_eq!(reads.read("env.HOME").unwrap_err().kind, ErrorKind::Refused);
        assert_eq!(reads.read("env.BITBOOT_PLUGIN_SOME_CHAIN_LOGIN").unwrap(), None);
        assert_eq!(reads.read("config.cookie").unwrap(), None);
    }

    #[test]
    fn a_plugin_with_the_name_of_something_of_ours_reads_none_of_it() {
        let asked = ["env.BITBOOT_KEY_MINE", "env.BITBOOT_PASSPHRASE_FILE"].map(Into::into);
        for name in ["key", "passphrase"] {
            assert_eq!(Reads::new(name, &asked, &json!({})), Reads::default());
        }
    }
}
