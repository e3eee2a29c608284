use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Spanned, Table, Value};

use super::{BackendEntry, NetworkEntry, PluginEntry};
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::paths::Paths;

/// What ships with bitboot.
const SHIPPED: &str = include_str!("../../../registry.toml");

/// Everything that is registered, by name.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    pub(crate) plugins: BTreeMap<String, Entry<PluginEntry>>,
    pub(crate) backends: BTreeMap<String, Entry<BackendEntry>>,
    pub(crate) networks: BTreeMap<String, Entry<NetworkEntry>>,
}

/// An entry, or why it is none. An entry that does not parse disables itself only.
#[derive(Debug, Clone)]
pub(crate) struct Entry<T> {
    pub(crate) value: Result<T>,
    pub(crate) origin: Origin,
}

impl Entry<PluginEntry> {
    /// Whether it is used as its author builds it: neither locked nor signed.
    pub(crate) fn is_dev(&self) -> bool {
        self.value.as_ref().is_ok_and(|entry| entry.path.is_some())
    }
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It ships with bitboot.
    Shipped,
    /// It ships with bitboot and the user's file changes it.
    Changed,
    /// It stands in the user's file only.
    User,
}

impl Origin {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::Changed => "shipped, changed",
            Self::User => "user",
        }
    }
}

/// One layer, not yet believed.
#[derive(Debug, Default, Deserialize)]
struct Layer {
    #[serde(default)]
    plugins: BTreeMap<String, Spanned<Value>>,
    #[serde(default)]
    backends: BTreeMap<String, Spanned<Value>>,
    #[serde(default)]
    networks: BTreeMap<String, Spanned<Value>>,
}

impl Registry {
    /// Reads the user's registry over the shipped one.
    pub(crate) fn read(paths: &Paths) -> Result<Self> {
        let path = paths.registry();
        let user = files::read(&path)?.unwrap_or_default();
        Self::over_shipped(&user, &path.display().to_string())
    }

    /// A user's registry, as text of a named file, over the shipped one.
    pub(super) fn over_shipped(user: &str, file: &str) -> Result<Self> {
        Self::layered(SHIPPED, user, file)
    }

    pub(crate) fn layered(shipped: &str, user: &str, file: &str) -> Result<Self> {
        let below: Layer =
            toml::from_str(shipped).map_err(|error| syntax("the shipped registry", shipped, &error))?;
        let above: Layer = toml::from_str(user).map_err(|error| syntax(file, user, &error))?;
        let place = |at: usize| position(user, at, file);
        Ok(Self {
            plugins: merge("plugins", below.plugins, above.plugins, place),
            backends: merge("backends", below.backends, above.backends, place),
            networks: merge("networks", below.networks, above.networks, place),
        })
    }
}

/// A registry that is no TOML, with the place.
pub(super) fn syntax(file: &str, text: &str, error: &toml::de::Error) -> Error {
    let place = error.span().map_or_else(|| file.to_owned(), |span| position(text, span.start, file));
    Error::new(Kind::Config, format!("the registry cannot be read: {place}"))
        .because(error.message())
        .fix("mend that line in an editor")
}

fn position(text: &str, at: usize, file: &str) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    format!("{file}, line {line}, column {column}")
}

fn merge<T: DeserializeOwned>(
    section: &str,
    below: BTreeMap<String, Spanned<Value>>,
    above: BTreeMap<String, Spanned<Value>>,
    place: impl Fn(usize) -> String,
) -> BTreeMap<String, Entry<T>> {
    let parse = |value: Value, name: &str, at: Option<usize>| {
        value.try_into().map_err(|error: toml::de::Error| {
            let place = at.map_or_else(|| "the shipped registry".into(), &place);
            Error::new(Kind::Config, format!("the entry [{section}.{name}] is invalid: {place}"))
                .because(error.message())
                .fix("mend it in an editor, or remove it")
        })
    };
    let mut entries: BTreeMap<_, _> =
        below.into_iter().map(|(name, value)| (name, (value.into_inner(), None, Origin::Shipped))).collect();
    for (name, value) in above {
        let at = Some(value.span().start);
        let user = value.into_inner();
        let (mut merged, origin) = match entries.remove(&name) {
            Some((Value::Table(shipped), ..)) => (overlay(shipped, user.clone()), Origin::Changed),
            _ => (user.clone(), Origin::User),
        };
        settle(&mut merged, &user);
        let changed = (merged, at, origin);
        entries.insert(name, changed);
    }
    entries
        .into_iter()
        .map(|(name, (value, at, origin))| {
            let value = parse(value, &name, at);
            (name, Entry { value, origin })
        })
        .collect()
}

/// The user's fields over the shipped ones; `config` is merged key by key.
fn overlay(mut shipped: Table, user: Value) -> Value {
    let Value::Table(user) = user else { return user };
    for (key, value) in user {
        let merged = match (shipped.remove(&key), value) {
            (Some(Value::Table(old)), new @ Value::Table(_)) => overlay(old, new),
            (_, new) => new,
        };
        shipped.insert(key, merged);
    }
    Value::Table(shipped)
}

/// What the user has set is not asked of the environment any more; what ships is.
fn settle(entry: &mut Value, user: &Value) {
    let set = user.get("config").and_then(Value::as_table).into_iter().flat_map(Table::keys);
    let variables = entry.get_mut("env").and_then(Value::as_table_mut);
    if let Some(variables) = variables {
        set.for_each(|key| drop(variables.remove(key)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(user: &str) -> Result<Registry> {
        Registry::layered(SHIPPED, user, "registry.toml")
    }

    #[test]
    fn what_ships_is_valid() {
        let registry = read("").unwrap();
        assert!(registry.plugins.values().all(|entry| entry.value.is_ok()));
        assert!(registry.backends.values().all(|entry| entry.value.is_ok()));
        assert!(registry.backends["local"].value.as_ref().unwrap().default);
    }

    #[test]
    fn the_users_fields_lie_over_the_shipped_ones() {
        let registry =
            read("[backends.bittorrent]\nconfig = { port = 7 }\n[backends.lab]\nplugin = \"mainline\"\n")
                .unwrap();
        let bittorrent = registry.backends["bittorrent"].value.as_ref().unwrap();
        assert!(bittorrent.config.contains_key("bootstrap") && bittorrent.config.contains_key("port"));
        assert_eq!(registry.backends["bittorrent"].origin, Origin::Changed);
        assert_eq!(registry.backends["lab"].origin, Origin::User);
    }

    #[test]
    fn what_the_user_sets_goes_before_a_variable_and_what_ships_does_not() {
        let shipped = "[backends.a]\nplugin = \"p\"\nconfig = { rpc = 1, of = 1 }\nenv = { rpc = [\"X\"], of = [\"Y\"] }";
        let user = "[backends.a]\nconfig = { of = 2 }\n[backends.b]\nplugin = \"p\"\nconfig = { of = 2 }\nenv = { of = [\"Y\"] }";
        let registry = Registry::layered(shipped, user, "registry.toml").unwrap();
        let variables = |name: &str| registry.backends[name].value.as_ref().unwrap().env.clone();
        assert_eq!(variables("a"), [("rpc".to_owned(), vec!["X".to_owned()])].into());
        assert!(variables("b").is_empty());
    }

    #[test]
    fn an_entry_that_does_not_parse_disables_itself_only() {
        let registry = read("[backends.lab]\nplugin = 7\n\n[backends.good]\nplugin = \"local\"\n").unwrap();
        let error = registry.backends["lab"].value.as_ref().unwrap_err();
        assert!(error.what.contains("line 1, column"), "{error}");
        assert!(registry.backends["good"].value.is_ok() && registry.backends["local"].value.is_ok());
    }

    #[test]
    fn a_syntax_error_is_told_with_its_place() {
        let error = read("[backends.lab]\nplugin = \n").unwrap_err();
        assert_eq!(error.kind, Kind::Config);
        assert!(error.what.contains("line 2, column"), "{error}");
    }
}
