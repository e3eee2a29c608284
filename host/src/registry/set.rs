use std::str::FromStr;

use serde_json::Value as Json;
use toml_edit::{Array, Item, TableLike, Value};

use super::nearest;
use crate::error::{Error, Kind, Result};

/// `KEY=VALUE` as the user writes it. An empty value takes the setting back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("it wants the form KEY=VALUE")?;
        if key.is_empty() || text.chars().any(char::is_control) {
            return Err("the key is empty, or there are control characters".into());
        }
        Ok(Self { key: key.into(), value: value.into() })
    }
}

/// Carries out assignments on a table, each read as the JSON schema of the settings says: a list takes several values, separated by
/// commas or given one by one.
pub(crate) fn assign(table: &mut dyn TableLike, assignments: &[Assignment], schema: &Json) -> Result<()> {
    let mut touched: Vec<&str> = Vec::new();
    for Assignment { key, value } in assignments {
        let property = property(schema, key)?;
        if value.is_empty() {
            table.remove(key);
            continue;
        }
        let is_first = !touched.contains(&key.as_str());
        touched.push(key);
        if !has_type(property, "array") {
            table.insert(key, Item::Value(scalar(key, value, property)?));
            continue;
        }
        let mut list = match table.get(key).and_then(Item::as_array) {
            Some(list) if !is_first => list.clone(),
            _ => Array::new(),
        };
        let element = property.get("items").unwrap_or(&Json::Null);
        for part in value.split(',') {
            list.push(scalar(key, part.trim(), element)?);
        }
        table.insert(key, Item::Value(Value::Array(list)));
    }
    Ok(())
}

fn property<'a>(schema: &'a Json, key: &str) -> Result<&'a Json> {
    let properties = schema.get("properties").and_then(Json::as_object);
    if let Some(property) = properties.and_then(|properties| properties.get(key)) {
        return Ok(property);
    }
    let known = || properties.into_iter().flat_map(|properties| properties.keys().map(String::as_str));
    let error = Error::new(Kind::Usage, format!("there is no setting \"{key}\""));
    Err(match nearest(key, known()) {
        Some(near) => error.fix(format!("did you mean \"{near}\"?")),
        None => error.fix(format!("known are: {}", known().collect::<Vec<_>>().join(", "))),
    })
}

/// A schema's type is a word, or a list of words where the setting may be absent.
pub(crate) fn has_type(schema: &Json, name: &str) -> bool {
    match schema.get("type") {
        Some(Json::String(word)) => word == name,
        Some(Json::Array(words)) => words.iter().any(|word| word == name),
        _ => false,
    }
}

fn scalar(key: &str, text: &str, schema: &Json) -> Result<Value> {
    let wrong = |wanted: &str| {
        Error::new(Kind::Usage, format!("the setting \"{key}\" takes {wanted}, not \"{text}\""))
            .fix("see: bitboot backend info")
    };
    if has_type(schema, "integer") {
        return text.parse::<i64>().map(Value::from).map_err(|_| wrong("a whole number"));
    }
    if has_type(schema, "number") {
        return text.parse::<f64>().map(Value::from).map_err(|_| wrong("a number"));
    }
    if has_type(schema, "boolean") {
        return text.parse::<bool>().map(Value::from).map_err(|_| wrong("true or false"));
    }
    Ok(Value::from(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use toml_edit::Table;

    use super::*;

    fn after(assignments: &[&str]) -> Result<String> {
        let schema = json!({"properties": {
            "hosts": {"type": "array", "items": {"type": "string"}},
            "port": {"type": ["integer", "null"]},
            "strict": {"type": "boolean"},
            "bind": {"type": ["string", "null"]},
        }});
        let mut table = Table::new();
        let assignments = assignments.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        assign(&mut table, &assignments, &schema)?;
        Ok(table.to_string())
    }

    #[test]
    fn values_are_read_as_the_schema_says() {
        assert_eq!(
            after(&["port=7", "strict=true", "bind=7"]).unwrap(),
            "port = 7\nstrict = true\nbind = \"7\"\n"
        );
        assert_eq!(after(&["hosts=a:1,b:2", "hosts=c:3"]).unwrap(), "hosts = [\"a:1\", \"b:2\", \"c:3\"]\n");
        assert_eq!(after(&["port=7", "port="]).unwrap(), "");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(after(&["port=many"]).unwrap_err().what.contains("whole number"));
        assert_eq!(after(&["hots=a:1"]).unwrap_err().fix.unwrap(), "did you mean \"hosts\"?");
        assert!("port".parse::<Assignment>().is_err());
    }
}
