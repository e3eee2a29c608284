//! Settings that environment variables give. An entry of the registry names the variables; what the user has set goes before them.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde_json::Value;

use super::config_of;
use crate::error::{Error, Kind, Result};
use crate::keys::holds_secret;
use crate::registry::BackendEntry;

/// What a backend is opened with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// What is set; what variables give is text here, to be read as the plugin's schema says.
    pub(crate) config: Value,
    /// The settings that variables give, each with its variable.
    pub(crate) variables: BTreeMap<String, String>,
}

/// The most settings of a backend that variables give.
const MOST: usize = 16;
/// The most variables for one setting; the first one that is set counts.
const MOST_NAMES: usize = 8;
const LONGEST_NAME: usize = 64;
/// The most bytes of a value.
const LONGEST: usize = 4096;

/// What a backend is opened with in this environment.
pub(crate) fn settings(backend: &str, entry: &BackendEntry) -> Result<Settings> {
    settings_in(|name| std::env::var_os(name), backend, entry)
}

fn settings_in(
    environment: impl Fn(&str) -> Option<OsString>,
    backend: &str,
    entry: &BackendEntry,
) -> Result<Settings> {
    let mut config = config_of(backend, entry)?;
    let mut variables = BTreeMap::new();
    if entry.env.len() > MOST || entry.env.values().any(|names| names.len() > MOST_NAMES) {
        let what = format!("`env` of backend \"{backend}\" names too many variables");
        return Err(Error::new(Kind::Config, what)
            .because(format!("it takes {MOST} settings with {MOST_NAMES} variables each")));
    }
    for (key, names) in &entry.env {
        names.iter().try_for_each(|name| may_be_read(backend, key, name))?;
        let set = names.iter().find_map(|name| Some((name, environment(name).filter(|it| !it.is_empty())?)));
        if let (Some((name, value)), Value::Object(config)) = (set, &mut config) {
            config.insert(key.clone(), Value::String(text_of(name, value)?));
            variables.insert(key.clone(), name.clone());
        }
    }
    Ok(Settings { config, variables })
}

/// Plugins see what they are set to, and send it to others. Variables of other programs hold secrets of other programs, so a name begins with
/// ours, whoever wrote the entry; and those of ours are left out that hold keys, passphrases, or what one plugin alone may have read.
fn may_be_read(backend: &str, key: &str, name: &str) -> Result<()> {
    let is_ours = ["BITBOOT_", "BITBOOTPY_"].iter().any(|prefix| name.starts_with(prefix));
    let is_name = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if is_ours && is_name && name.len() <= LONGEST_NAME && !holds_secret(name) {
        return Ok(());
    }
    let shown: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    let what = format!("`env` of backend \"{backend}\" names \"{shown}\", which no backend is given");
    Err(Error::new(Kind::Config, what)
        .because("the names begin with BITBOOT_ or BITBOOTPY_, and are none of those that hold keys or credentials")
        .fix(format!("set it instead: bitboot backend set {backend} {key}=VALUE")))
}

/// Never told: it may be an address with credentials in it.
fn text_of(name: &str, value: OsString) -> Result<String> {
    let wrong = |why: &str| {
        Error::new(Kind::Config, format!("the environment variable {name} cannot be used")).because(why).fix(
            format!("give it another value, or unset it: what is set with `bitboot backend set` goes before {name}"),
        )
    };
    let text = value.into_string().map_err(|_| wrong("it is no text"))?;
    if text.len() > LONGEST {
        return Err(wrong("it is too long"));
    }
    if text.chars().any(char::is_control) {
        return Err(wrong("there are control characters in it"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    fn given(env: &str, values: &[(&str, &str)]) -> Result<Settings> {
        let user = format!("[backends.b]\nplugin = \"p\"\nconfig = {{ set = 1 }}\nenv = {{ {env} }}\n");
        let registry = Registry::layered("", &user, "registry.toml").unwrap();
        let environment =
            |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, it)| it.into());
        settings_in(environment, "b", registry.backends["b"].value.as_ref().unwrap())
    }

    #[test]
    fn the_first_variable_that_is_set_gives_what_is_not_set() {
        let env = "rpc = [\"BITBOOTPY_A\", \"BITBOOT_B\"], set = [\"BITBOOT_B\"]";
        let both = given(env, &[("BITBOOTPY_A", ""), ("BITBOOT_B", "there")]).unwrap();
        assert_eq!(both.config, serde_json::json!({ "set": 1, "rpc": "there" }));
        assert_eq!(both.variables, [("rpc".to_owned(), "BITBOOT_B".to_owned())].into());
        let none = given(env, &[]).unwrap();
        assert_eq!((none.config, none.variables.len()), (serde_json::json!({ "set": 1 }), 0));
    }

    #[test]
    fn variables_of_others_and_secrets_of_ours_are_refused_also_while_they_are_not_set() {
        for name in [
            "HOME",
            "AWS_SECRET_ACCESS_KEY",
            "BITBOOT",
            "BITBOOTX_A",
            "BITBOOT_key",
            "BITBOOT_KEY_MINE",
            "BITBOOT_PASSPHRASE_FILE",
            "BITBOOT_PLUGIN_OTHER_RPC",
            "BITBOOTPY_SOLANA_KEYPAIR",
            "BITBOOTPY_BTC_KEY",
            "BITBOOT_A\\u001b",
        ] {
            let error = given(&format!("rpc = [\"{name}\"]"), &[]).unwrap_err();
            assert!(error.kind == Kind::Config && !error.what.contains('\u{1b}'), "{name}: {error}");
        }
        let long = format!("BITBOOT_{}", "A".repeat(LONGEST_NAME));
        assert!(given(&format!("rpc = [\"{long}\"]"), &[]).is_err());
    }

    #[test]
    fn a_value_that_is_none_names_its_variable_and_is_not_shown() {
        let long = "secret".repeat(1000);
        for value in ["http://me:secret@there\n", long.as_str()] {
            let error = given("rpc = [\"BITBOOT_B\"]", &[("BITBOOT_B", value)]).unwrap_err();
            let told = format!("{error:?}");
            assert!(told.contains("BITBOOT_B") && !told.contains("secret"), "{told}");
        }
        let many = (0..=MOST).map(|number| format!("s{number} = []")).collect::<Vec<_>>().join(", ");
        assert!(given(&many, &[]).unwrap_err().what.contains("too many"));
    }
}
