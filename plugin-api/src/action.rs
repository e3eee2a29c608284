use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that only this kind of backend can do: `testnet`, `deploy`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ActionInfo {
    /// Its name, one word in lower case.
    pub name: String,
    /// What it does, in one sentence without a full stop.
    pub summary: String,
    /// JSON schema of its arguments, an object.
    pub schema: Value,
}

impl ActionInfo {
    /// An action whose arguments are an `A`.
    #[must_use]
    pub fn new<A: schemars::JsonSchema>(name: &str, summary: &str) -> Self {
        Self { name: name.into(), summary: summary.into(), schema: schemars::schema_for!(A).to_value() }
    }
}

/// A call of an action, by the user's words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Action {
    /// The action's name.
    pub name: String,
    /// Its arguments, a JSON object that fits the action's schema.
    #[serde(default)]
    pub args: Value,
}

impl Action {
    /// An action with its arguments.
    #[must_use]
    pub fn new(name: impl Into<String>, args: Value) -> Self {
        Self { name: name.into(), args }
    }

    /// The arguments as the type that the action's schema was made of.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the argument that does not fit.
    pub fn args<A: serde::de::DeserializeOwned>(&self) -> crate::Result<A> {
        let args =
            if self.args.is_null() { Value::Object(serde_json::Map::new()) } else { self.args.clone() };
        serde_json::from_value(args).map_err(|error| {
            crate::Error::new(
                crate::ErrorKind::Config,
                format!("the arguments of action `{}` do not fit", self.name),
            )
            .because(error.to_string())
        })
    }
}

/// What a kind of backend tells of itself before it is configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KindInfo {
    /// The kind's name, as in `plugin.toml`.
    pub kind: String,
    /// JSON schema of its configuration, an object.
    pub schema: Value,
    /// What only it can do.
    #[serde(default)]
    pub actions: Vec<ActionInfo>,
}

impl KindInfo {
    pub(crate) fn of<B: crate::Backend>() -> Self {
        Self {
            kind: B::KIND.into(),
            schema: schemars::schema_for!(B::Config).to_value(),
            actions: B::actions(),
        }
    }
}
