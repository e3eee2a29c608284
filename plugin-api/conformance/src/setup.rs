use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bitboot_plugin_api::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Noise, Subject};

/// The name of the file beside `plugin.toml`.
const FILE: &str = "conformance.toml";

/// What a crate says about how each of its kinds is tested: `conformance.toml`, a table for each kind.
type File = BTreeMap<String, Setup>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Setup {
    /// The configuration of the backend. `{temp}` stands for an empty folder.
    config: Map<String, Value>,
    /// That of the second backend; the same where it is not there.
    second: Option<Map<String, Value>>,
    /// Seconds within which the medium has to show what was announced.
    patience_s: Option<u64>,
    /// How bytes of a stranger come onto the medium.
    noise: Option<Noise>,
    /// Clauses that this medium cannot keep, each with its reason.
    without: BTreeMap<String, String>,
}

impl Subject {
    /// A kind of backend as the file `conformance.toml` in the folder of its crate says; without a table for the kind, one with an empty
    /// configuration. `temp` is an empty folder of the test's own.
    ///
    /// ```toml
    /// [local]
    /// config = { folder = "{temp}" }                     # of the backend
    /// second = { folder = "{temp}" }                     # of a second one that shares the medium
    /// patience_s = 5                                     # until the medium shows what was announced
    /// noise = "{temp}/{locator}/noise"                   # what strangers may write: a file, or the words of a command, which is not confined
    /// without = { many_peers_are_found = "one slot" }    # what cannot be kept, and why
    /// ```
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_crate(folder: impl AsRef<Path>, kind: &str, temp: &Path) -> Result<Self> {
        let path = folder.as_ref().join(FILE);
        let wrong = |why: String| {
            Error::new(ErrorKind::Config, format!("{} cannot be read", path.display())).because(why)
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let mut file: File = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let setup = file.remove(kind).unwrap_or_default();
        let temp = temp.display().to_string();
        let config = |config: Map<String, Value>| filled(Value::Object(config), &temp);
        let mut subject = Self::new(kind, config(setup.config));
        subject.without = setup.without;
        subject.noise = setup.noise.map(|noise| noise.with_temp(&temp));
        if let Some(second) = setup.second {
            subject = subject.with_second(config(second));
        }
        Ok(match setup.patience_s {
            Some(seconds) => subject.with_patience(Duration::from_secs(seconds)),
            None => subject,
        })
    }

    /// With settings that go before those of the subject's configurations, of both backends; `{temp}` stands for the folder.
    #[must_use]
    pub fn with_settings(mut self, settings: &Map<String, Value>, temp: &Path) -> Self {
        let Value::Object(settings) = filled(Value::Object(settings.clone()), &temp.display().to_string())
        else {
            return self;
        };
        for config in [&mut self.config, &mut self.second] {
            if let Value::Object(config) = config {
                config.extend(settings.clone());
            }
        }
        self
    }
}

fn filled(value: Value, temp: &str) -> Value {
    match value {
        Value::String(text) => text.replace("{temp}", temp).into(),
        Value::Array(list) => list.into_iter().map(|value| filled(value, temp)).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, filled(value, temp))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_crate_says_how_it_is_tested() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[a]\nconfig = { folder = \"{temp}/x\", list = [\"{temp}\"], port = 7 }\nnoise = \"{temp}/{locator}\"\n\
                    patience_s = 3\nwithout = { saving_works = \"why not\" }\n";
        std::fs::write(folder.path().join(FILE), text).unwrap();
        let subject = |kind| Subject::of_crate(folder.path(), kind, Path::new("/t"));
        let a = subject("a").unwrap();
        assert_eq!(a.config, json!({ "folder": "/t/x", "list": ["/t"], "port": 7 }));
        assert_eq!((&a.second, a.patience), (&a.config, Duration::from_secs(3)));
        assert_eq!(a.noise, Some(Noise::File("/t/{locator}".into())));
        let settings = Map::from_iter([("port".to_owned(), json!(8))]);
        assert_eq!(a.with_settings(&settings, Path::new("/t")).second["port"], 8);
        assert_eq!(subject("b").unwrap().config, json!({}));
        std::fs::write(folder.path().join(FILE), "[a]\nconfg = 1\n").unwrap();
        assert!(subject("a").is_err_and(|error| error.to_string().contains("confg")));
    }
}
