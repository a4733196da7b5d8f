//! JSON to CEL values. Whole numbers are `int`: the crate's own conversion makes them `uint`, and then `x * 2` errors.
use cel::Value;
use cel::objects::{Key, Map};
use std::collections::HashMap;
use std::sync::Arc;

/// Only whole numbers over 2^63 are `uint`.
pub(crate) fn of(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Value::Int(value),
            (None, Some(value)) => Value::UInt(value),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::String(Arc::new(text.clone())),
        serde_json::Value::Array(items) => Value::List(Arc::new(items.iter().map(of).collect())),
        serde_json::Value::Object(members) => {
            let map: HashMap<Key, Value> =
                members.iter().map(|(key, value)| (key.as_str().into(), of(value))).collect();
            Value::Map(Map { map: Arc::new(map) })
        }
    }
}
