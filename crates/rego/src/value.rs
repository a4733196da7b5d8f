//! JSON ↔ the interpreter's values.
use crate::builtin::quote::plain;
use regorus::Value;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Numbers stay what they are: integers exact, the rest doubles.
pub(crate) fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => Value::from(number),
            (_, Some(number), _) => Value::from(number),
            (_, _, Some(number)) => Value::from(number),
            _ => Value::Null,
        },
        Json::String(text) => Value::String(text.as_str().into()),
        Json::Array(items) => Value::from(items.iter().map(from_json).collect::<Vec<_>>()),
        Json::Object(map) => {
            let pairs = map
                .iter()
                .map(|(key, value)| (Value::String(key.as_str().into()), from_json(value)));
            Value::from(pairs.collect::<BTreeMap<_, _>>())
        }
    }
}

/// Sets become arrays in their order, keys that are no strings their JSON text. As OPA does.
pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Null | Value::Undefined => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(_) => serde_json::from_str(&plain(value)).unwrap_or(Json::Null),
        Value::String(text) => Json::String(text.to_string()),
        Value::Array(items) => items.iter().map(to_json).collect(),
        Value::Set(items) => items.iter().map(to_json).collect(),
        Value::Object(pairs) => {
            let key = |key: &Value| match key {
                Value::String(text) => text.to_string(),
                other => to_json(other).to_string(),
            };
            Json::Object(pairs.iter().map(|(k, value)| (key(k), to_json(value))).collect())
        }
    }
}
