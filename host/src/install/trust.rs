//! Whose signatures count: `trust.toml` in the configuration folder. A plugin's name belongs to the key that was the first to sign it here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::PublisherKey;
use crate::error::{Error, Kind, Result};
use crate::files::{self, Locked};
use crate::paths::Paths;

/// What is believed of publishers.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trust {
    #[serde(default, rename = "publisher")]
    pub(crate) publishers: BTreeMap<PublisherKey, Known>,
}

/// A publisher that somebody decided about.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// What it calls itself.
    #[serde(default)]
    pub(crate) name: String,
    /// The plugins and indexes that it has signed here, and that nobody else may sign.
    #[serde(default)]
    pub(crate) plugins: BTreeSet<String>,
    /// Nothing that it signs, or has signed, is used any more.
    #[serde(default)]
    pub(crate) revoked: bool,
    /// When it was decided, RFC 3339.
    #[serde(default)]
    pub(crate) since: String,
}

/// What is known of a key that signs a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The key is trusted, and no other one has signed the plugin.
    Known,
    /// Nobody has decided about the key yet.
    New,
}

impl Trust {
    pub(crate) fn read(paths: &Paths) -> Result<Self> {
        Self::parse(&files::read(&path(paths))?.unwrap_or_default(), &path(paths).display().to_string())
    }

    pub(crate) fn parse(text: &str, file: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            Error::new(Kind::Config, format!("{file} cannot be read"))
                .at("trust")
                .because(error.message())
                .fix("mend it in an editor; until then nothing is trusted")
        })
    }

    /// Changes what is believed, with nobody else changing it meanwhile.
    pub(crate) fn change<T>(paths: &Paths, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let path = path(paths);
        let file = Locked::new(path.clone())?;
        let mut trust = Self::parse(&file.read()?.unwrap_or_default(), &path.display().to_string())?;
        let result = change(&mut trust)?;
        let text = toml::to_string(&trust)
            .map_err(|error| Error::new(Kind::Other, "trust.toml cannot be written").because(error))?;
        file.replace(format!("# Whose signatures count. Changed by `bitboot trust`.\n\n{text}").as_bytes())?;
        Ok(result)
    }

    /// Whether a key may sign a plugin, as far as is known.
    pub(crate) fn judge(&self, plugin: &str, key: &PublisherKey) -> Result<Verdict> {
        self.not_revoked(plugin, key)?;
        match self.owner(plugin) {
            Some((owner, known)) if owner != key => Err(Error::new(
                Kind::Integrity,
                format!("plugin \"{plugin}\" is signed by another key than before"),
            )
            .at("changed-key")
            .because(format!("before: {owner} ({}); now: {key}", known.name))
            .fix(format!(
                "ask the publisher whether the key is new; if so: bitboot trust add {key} --plugin {plugin}"
            ))),
            _ if self.publishers.contains_key(key) => Ok(Verdict::Known),
            _ => Ok(Verdict::New),
        }
    }

    /// Whose a plugin's name is.
    pub(crate) fn owner(&self, plugin: &str) -> Option<(&PublisherKey, &Known)> {
        self.publishers.iter().find(|(_, known)| known.plugins.contains(plugin))
    }

    /// Nothing of a publisher that was revoked is used.
    pub(crate) fn not_revoked(&self, plugin: &str, key: &PublisherKey) -> Result<()> {
        match self.publishers.get(key) {
            Some(known) if known.revoked => Err(Error::new(
                Kind::Integrity,
                format!("the publisher of \"{plugin}\" is revoked: {}", known.name),
            )
            .at("revoked")
            .because(format!("since {}; the key is {key}", known.since))
            .fix(format!(
                "remove it: bitboot plugin remove {plugin}; or trust again: bitboot trust add {key}"
            ))),
            _ => Ok(()),
        }
    }

    /// Trusts a key, and gives it a plugin if one is named: nobody else may sign that one from now on.
    pub(crate) fn add(&mut self, key: &PublisherKey, name: Option<&str>, plugin: Option<&str>, now: &str) {
        if let Some(plugin) = plugin {
            self.publishers.values_mut().for_each(|known| {
                known.plugins.remove(plugin);
            });
        }
        let known = self.publishers.entry(key.clone()).or_default();
        if known.revoked || known.since.is_empty() {
            (known.revoked, known.since) = (false, now.into());
        }
        if let Some(name) = name {
            name.clone_into(&mut known.name);
        }
        known.plugins.extend(plugin.map(Into::into));
    }

    /// Revokes a key, known or not.
    pub(crate) fn revoke(&mut self, key: &PublisherKey, now: &str) {
        let known = self.publishers.entry(key.clone()).or_default();
        (known.revoked, known.since) = (true, now.into());
    }

    /// A publisher by its key, or by what it calls itself if only one does.
    pub(crate) fn find(&self, word: &str) -> Result<PublisherKey> {
        if let Ok(key) = word.parse::<PublisherKey>() {
            return Ok(key);
        }
        let mut named = self.publishers.iter().filter(|(_, known)| known.name == word).map(|(key, _)| key);
        match (named.next(), named.next()) {
            (Some(key), None) => Ok(key.clone()),
            (Some(_), Some(_)) => {
                Err(Error::new(Kind::Usage, format!("several publishers call themselves \"{word}\""))
                    .fix("name the key; see: bitboot trust list"))
            }
            _ => Err(Error::new(Kind::Usage, format!("there is no publisher \"{word}\""))
                .fix("name it or its key; see: bitboot trust list")),
        }
    }
}

fn path(paths: &Paths) -> std::path::PathBuf {
    paths.config.join("trust.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> PublisherKey {
        let mut bytes = vec![b'E', b'd'];
        bytes.extend([seed; 40]);
        data_encoding::BASE64.encode(&bytes).parse().unwrap()
    }

    #[test]
    fn a_name_belongs_to_the_first_key_that_signs_it() {
        let mut trust = Trust::default();
        let (mine, other) = (key(1), key(2));
        assert_eq!(trust.judge("demo", &mine).unwrap(), Verdict::New);
        trust.add(&mine, Some("Ann"), Some("demo"), "then");
        trust.add(&other, Some("Bob"), None, "then");
        assert_eq!(trust.judge("demo", &mine).unwrap(), Verdict::Known);
        assert_eq!(trust.judge("demo", &other).unwrap_err().gate, Some("changed-key"));
        assert_eq!(trust.judge("another", &other).unwrap(), Verdict::Known);
        trust.add(&other, None, Some("demo"), "now");
        assert_eq!(trust.judge("demo", &other).unwrap(), Verdict::Known);
        assert!(trust.judge("demo", &mine).is_err());
    }

    #[test]
    fn what_is_revoked_stays_so_until_it_is_added_again() {
        let mut trust = Trust::default();
        trust.revoke(&key(1), "now");
        assert_eq!(trust.judge("demo", &key(1)).unwrap_err().gate, Some("revoked"));
        let text = toml::to_string(&trust).unwrap();
        assert_eq!(Trust::parse(&text, "trust.toml").unwrap(), trust);
        trust.add(&key(1), None, None, "later");
        assert_eq!(trust.judge("demo", &key(1)).unwrap(), Verdict::Known);
    }

    #[test]
    fn a_publisher_is_found_by_its_name_if_that_is_clear() {
        let mut trust = Trust::default();
        trust.add(&key(1), Some("Ann"), None, "now");
        assert_eq!(trust.find("Ann").unwrap(), key(1));
        assert_eq!(trust.find(&key(3).to_string()).unwrap(), key(3));
        trust.add(&key(2), Some("Ann"), None, "now");
        assert!(trust.find("Ann").is_err() && trust.find("Eve").is_err());
    }
}
