use std::env;

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{Store, StoreName, read_only};
use crate::error::{Error, Kind, Result};

/// What every name of such a variable begins with.
const PREFIX: &str = "BITBOOT_KEY_";
/// The variables of the Python program that came before: what they begin and end with.
const OLD_PREFIX: &str = "BITBOOTPY_";
const OLD_ENDINGS: [&str; 3] = ["_KEY", "_KEYPAIR", "_WALLET"];

/// Keys in environment variables, for machines that hand secrets out in that way. Nothing is written there.
///
/// Whatever runs in this process can read them too, plugins included.
pub(super) struct Environment;

impl Store for Environment {
    fn status(&self) -> Result<String> {
        let names: Vec<_> = names().filter(|name| name.starts_with(PREFIX)).collect();
        Ok(if names.is_empty() {
            "no such variable is set".into()
        } else {
            format!("set: {}", names.join(", "))
        })
    }

    fn get(&self, item: &str) -> Result<Option<SecretString>> {
        let Some(name) = variable(item) else { return Ok(None) };
        let value = env::var(&name).map(Zeroizing::new);
        let value = value.map_err(|_| Error::new(Kind::Key, format!("the variable {name} is no text")))?;
        Ok(Some(SecretString::from(value.as_str())))
    }

    fn put(&self, _item: &str, _secret: &SecretString) -> Result<()> {
        Err(read_only(StoreName::Env)
            .fix("set the variable where you start bitboot, then: bitboot key import NAME --store env"))
    }

    fn delete(&self, _item: &str) -> Result<bool> {
        // It is not ours to unset; the key is forgotten all the same.
        Ok(false)
    }
}

/// The variable that holds a key, if there is one; the old names are read too.
pub(crate) fn variable(key: &str) -> Option<String> {
    let name = key.to_ascii_uppercase().replace('-', "_");
    let old = OLD_ENDINGS.map(|ending| format!("{OLD_PREFIX}{name}{ending}"));
    [format!("{PREFIX}{name}")]
        .into_iter()
        .chain(old)
        .find(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// The old variables that are set, each with the name of a key that it would be.
pub(crate) fn hints() -> Vec<(String, String)> {
    let key = |name: &str| {
        let rest = name.strip_prefix(OLD_PREFIX)?;
        OLD_ENDINGS
            .iter()
            .find_map(|ending| rest.strip_suffix(ending))
            .map(|key| key.to_ascii_lowercase().replace('_', "-"))
    };
    names().filter_map(|name| key(&name).map(|key| (name, key))).collect()
}

/// The variables that no program started by bitboot needs to see.
pub(crate) fn confidential() -> impl Iterator<Item = String> {
    names().filter(|name| is_confidential(name))
}

fn is_confidential(name: &str) -> bool {
    name.starts_with(OLD_PREFIX) || holds_secret(name)
}

/// Whether a variable of ours is one for secrets: keys and passphrases, or what a single plugin may have read.
pub(crate) fn holds_secret(name: &str) -> bool {
    let is_old = name.starts_with(OLD_PREFIX) && OLD_ENDINGS.iter().any(|ending| name.ends_with(ending));
    is_old || [PREFIX, "BITBOOT_PASSPHRASE", "BITBOOT_PLUGIN_"].iter().any(|prefix| name.starts_with(prefix))
}

fn names() -> impl Iterator<Item = String> {
    let mut names: Vec<_> = env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    names.sort();
    names.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_plugin_alone_may_have_read_is_confidential() {
        let names =
            ["BITBOOT_KEY_A", "BITBOOT_PLUGIN_ACME_LOGIN", "BITBOOT_PASSPHRASE_FILE", "BITBOOTPY_A_KEY"];
        assert!(names.into_iter().all(is_confidential));
        assert!(!["BITBOOT_HOME", "BITBOOT_VIA", "HOME"].into_iter().any(is_confidential));
    }
}
