//! `fields`: which of an object's fields are answered. What can be named stands in its schema, so that a mistake is one
//! whether or not there is data.
use crate::api::document::openapi;
use crate::api::problem::Refusal;
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::LazyLock;
use utoipa::PartialSchema;

/// Names in `fields`; each costs a look-up per row.
const MAX_FIELDS: usize = 64;

/// Where references of schemas lead.
static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi);

/// The names of `text`, each a field of `T`; below the top anything may be asked for.
pub(super) fn parse<T: PartialSchema>(text: Option<&str>) -> Result<Option<Vec<String>>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    if names.len() > MAX_FIELDS {
        return Err(Refusal::invalid("?fields", format!("more than {MAX_FIELDS} names")));
    }
    let known = known::<T>()?;
    for name in &names {
        let top = name.split('.').next().unwrap_or(name);
        if !known.iter().any(|known| known == top) {
            let detail = format!("no field `{name}`; there are {}", known.join(", "));
            return Err(Refusal::invalid("?fields", detail));
        }
    }
    Ok(Some(names))
}

/// The names at the top of `T`, in its order.
pub(super) fn known<T: PartialSchema>() -> Result<Vec<String>, Refusal> {
    let schema = serde_json::to_value(T::schema()).map_err(Refusal::internal)?;
    let mut names = Vec::new();
    collect(&schema, &mut names);
    Ok(names)
}

fn collect(schema: &Value, names: &mut Vec<String>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for name in properties.into_iter().flat_map(Map::keys) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    // Flattened structs and enums are parts of their own.
    for parts in ["allOf", "oneOf", "anyOf"] {
        for part in schema.get(parts).and_then(Value::as_array).into_iter().flatten() {
            collect(part, names);
        }
    }
    let reference = schema.get("$ref").and_then(Value::as_str);
    if let Some(part) = reference.and_then(|path| DOCUMENT.pointer(path.strip_prefix('#')?)) {
        collect(part, names);
    }
}

/// The fields of an object in the order asked for; what it does not have is null.
pub(super) fn chosen<T: Serialize>(item: &T, fields: &[String]) -> serde_json::Result<Value> {
    let value = serde_json::to_value(item)?;
    let pair = |name: &String| (name.clone(), reach(&value, name).cloned().unwrap_or(Value::Null));
    Ok(Value::Object(fields.iter().map(pair).collect()))
}

pub(super) fn reach<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    name.split('.').try_fold(value, |value, key| value.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::alert::Alert;
    use seawall_store::{ImagePackage, StoredFiring};
    use serde_json::json;

    #[track_caller]
    fn check<T: PartialSchema>(text: &str, refused: Option<&str>) {
        match (parse::<T>(Some(text)), refused) {
            (Ok(_), None) => {}
            (Err(refusal), Some(said)) => {
                let refusal = refusal.to_string();
                assert!(refusal.contains(said), "{text}: {refusal}");
            }
            (outcome, _) => panic!("{text}: {outcome:?}"),
        }
    }

    #[test]
    fn names_are_those_of_the_schema_without_any_data() {
        check::<Alert>("id, where.pod,dismissal", None);
        check::<Alert>("pod", Some("no field `pod`; there are"));
        check::<Alert>("", Some("no field ``"));
        check::<Alert>(&"id,".repeat(65), Some("more than 64"));
        // Of a flattened struct too.
        check::<ImagePackage>("purl,counts.high", None);
        check::<StoredFiring>("nope", Some("no field `nope`"));
    }

    #[test]
    fn fields_reach_inside() {
        let item = json!({"id": 1, "where": {"pod": "web-1"}, "gone": null});
        let fields = ["where.pod", "gone", "where.none"].map(str::to_owned);
        let expected = json!({"where.pod": "web-1", "gone": null, "where.none": null});
        assert_eq!(chosen(&item, &fields).unwrap(), expected);
    }
}
