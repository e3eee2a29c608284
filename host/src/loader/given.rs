//! Opening a backend with what is set for it, also by environment variables.

use std::borrow::Cow;

use serde_json::Value;

use super::request::Request;
use crate::backend::{self, Backend};
use crate::error::{Error, Kind, Result};
use crate::registry::has_type;

/// Opens a backend with what the user has set.
pub(crate) async fn configure(backend: &dyn Backend, request: &Request) -> Result<()> {
    let of_backend = |error| Error::of_backend(&request.backend, error);
    let config = if request.variables.is_empty() {
        Cow::Borrowed(&request.config)
    } else {
        let described = backend::describe(backend).await.map_err(of_backend)?;
        Cow::Owned(request.settings(&described.schema)?)
    };
    backend::open(backend, &config).await.map_err(|error| request.told(of_backend(error)))
}

impl Request {
    /// What is set, as the JSON schema of the settings says: variables give texts, and lists of texts with commas in between.
    fn settings(&self, schema: &Value) -> Result<Value> {
        let mut config = self.config.clone();
        for (key, variable) in &self.variables {
            let property =
                schema.pointer(&format!("/properties/{}", key.replace('~', "~0").replace('/', "~1")));
            let wrong = |why: String| {
                let what = format!("the environment variable {variable} cannot give the setting \"{key}\"");
                let fix = format!("unset it, or mend `env` in [backends.{}]", self.backend);
                Error::new(Kind::Config, what).because(why).fix(fix)
            };
            let property = property.ok_or_else(|| wrong(format!("{} has no such setting", self.backend)))?;
            let takes = |name: &str| has_type(property, name);
            if ["integer", "number", "boolean", "object"].iter().any(|name| takes(name)) {
                return Err(wrong("variables give texts and lists of texts only".into()));
            }
            if let (true, Some(value)) = (takes("array"), config.get_mut(key)) {
                let text = value.as_str().unwrap_or_default();
                *value = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
            }
        }
        Ok(config)
    }

    /// An error of opening, with where the settings come from that the user may not think of, and a way out.
    fn told(&self, mut error: Error) -> Error {
        if error.kind != Kind::Config {
            return error;
        }
        if !self.variables.is_empty() {
            let of = |(key, variable): (&String, &String)| {
                format!("`{key}` comes from the environment variable {variable}")
            };
            let given = self.variables.iter().map(of).collect::<Vec<_>>().join(", ");
            error.why = Some(error.why.map_or_else(|| given.clone(), |why| format!("{why}; {given}")));
        }
        let fix = format!(
            "see what it takes: bitboot backend info {0}; change it: bitboot backend set {0} KEY=VALUE",
            self.backend
        );
        if error.fix.is_none() { error.fix(fix) } else { error }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(key: &str, text: &str) -> Result<Value> {
        let schema = json!({ "properties": {
            "rpc": { "type": "array", "items": { "type": "string" } },
            "cookie": { "type": ["string", "null"] },
            "retries": { "type": "integer" },
        } });
        let mut request = Request::new("some", "library".into());
        request.config = json!({ key: text, "retries": 1 });
        request.variables = [(key.to_owned(), "BITBOOT_SOME".to_owned())].into();
        request.settings(&schema)
    }

    #[test]
    fn texts_become_what_the_schema_says() {
        assert_eq!(settings("rpc", " a, b,").unwrap(), json!({ "rpc": ["a", "b"], "retries": 1 }));
        assert_eq!(settings("cookie", "a, b").unwrap(), json!({ "cookie": "a, b", "retries": 1 }));
        for (key, says) in [("retries", "texts"), ("nothing", "no such setting")] {
            let error = settings(key, "secret").unwrap_err();
            assert!(error.what.contains("BITBOOT_SOME") && error.why.clone().unwrap().contains(says));
            assert!(error.kind == Kind::Config && !format!("{error:?}").contains("secret"));
        }
    }
}
