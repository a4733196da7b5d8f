//! The schema of a constraint: what a template says of `parameters`, within what Gatekeeper says of the rest.
//!
//! Source: Kubernetes' structural schemas (apiextensions-apiserver `pkg/apiserver/schema`), constraint framework
//! `pkg/client/crds`. `x-kubernetes-validations` is not evaluated.
use super::{at, text};
use regex::Regex;
use serde_json::{Map, Value, json};

/// Nested schemas. The API server refuses deeper ones by their size.
const MAX_DEPTH: usize = 64;
/// Bytes of a compiled pattern.
const MAX_PATTERN: usize = 1 << 20;

#[derive(Clone, Debug)]
pub(super) struct Schema(Value);

impl Schema {
    /// Of the constraints of a template. `version` decides what parameters without a schema mean.
    /// Errors: the schema is none that Kubernetes takes.
    pub(super) fn of_constraint(template: &Value, version: &str) -> Result<Self, String> {
        let path = ["spec", "crd", "spec", "validation"];
        let legacy = match at(template, &path).and_then(|validation| validation.get("legacySchema"))
        {
            Some(Value::Bool(legacy)) => *legacy,
            // What the versions default to.
            _ => version != "v1",
        };
        let given = at(template, &path).and_then(|validation| validation.get("openAPIV3Schema"));
        let mut parameters = given.filter(|schema| !schema.is_null()).cloned();
        if legacy {
            let schema = parameters.get_or_insert_with(|| json!({}));
            preserve(schema, 0);
        }
        if let Some(schema) = &parameters {
            sound(schema, "openAPIV3Schema", 0)?;
        }
        let mut spec = json!({
            "match": match_schema(),
            "enforcementAction": {"type": "string", "default": "deny"},
            "scopedEnforcementActions": {"type": "array", "items": {"type": "object", "properties": {
                "action": {"type": "string"},
                "enforcementPoints": {"type": "array", "items": {"type": "object", "properties": {
                    "name": {"type": "string"}}}}}}},
        });
        if let (Some(parameters), Some(spec)) = (parameters, spec.as_object_mut()) {
            spec.insert("parameters".to_owned(), parameters);
        }
        Ok(Self(json!({
            "type": "object",
            "properties": {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 63}},
                    "x-kubernetes-preserve-unknown-fields": true},
                "spec": {"type": "object", "properties": spec},
                "status": {"x-kubernetes-preserve-unknown-fields": true},
            },
        })))
    }

    /// Every fault, joined, with its path.
    pub(super) fn validate(&self, document: &Value) -> Result<(), String> {
        let mut faults = Vec::new();
        check(&self.0, document, "", &mut faults);
        if faults.is_empty() { Ok(()) } else { Err(faults.join(", ")) }
    }

    /// The first field that the schema does not know.
    pub(super) fn unknown(&self, document: &Value) -> Option<String> {
        unknown(&self.0, document, "")
    }

    /// Fills in defaults where fields are absent.
    pub(super) fn fill(&self, document: &mut Value) {
        fill(&self.0, document);
    }
}

fn match_schema() -> Value {
    let glob = json!({"type": "string", "pattern": r"^\*?[-:a-z0-9]*\*?$"});
    let words = json!({"type": "array", "items": {"type": "string"}});
    let selector = json!({"type": "object", "properties": {
        "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
        "matchExpressions": {"type": "array", "items": {"type": "object", "required": ["key", "operator"],
            "properties": {"key": {"type": "string"}, "operator": {"type": "string"}, "values": words}}},
    }});
    json!({"type": "object", "properties": {
        "kinds": {"type": "array", "items": {"type": "object", "properties": {"apiGroups": words, "kinds": words}}},
        "scope": {"type": "string"},
        "namespaces": {"type": "array", "items": glob},
        "excludedNamespaces": {"type": "array", "items": glob},
        "labelSelector": selector,
        "namespaceSelector": selector,
        "name": glob,
        "source": {"type": "string", "enum": ["All", "Generated", "Original"]},
    }})
}

const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";

/// What `legacySchema` means: unknown fields stay, at every level. Source: framework `pkg/schema/transform.go`.
fn preserve(schema: &mut Value, depth: usize) {
    let Value::Object(fields) = schema else { return };
    if depth > MAX_DEPTH {
        return;
    }
    match fields.get("type").and_then(Value::as_str) {
        None | Some("" | "object") => {
            fields.insert(PRESERVE.to_owned(), true.into());
        }
        Some("array") => {
            fields.entry("items").or_insert_with(|| json!({PRESERVE: true}));
        }
        _ => {}
    }
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(|property| preserve(property, depth + 1));
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner @ Value::Object(_)) = fields.get_mut(key) {
            preserve(inner, depth + 1);
        }
    }
}

const TYPES: &[&str] = &["object", "array", "string", "integer", "number", "boolean"];

/// What Kubernetes demands of a structural schema, as far as templates get it wrong.
fn sound(schema: &Value, path: &str, depth: usize) -> Result<(), String> {
    let Value::Object(fields) = schema else {
        return Err(format!("{path}: a schema is an object"));
    };
    if depth > MAX_DEPTH {
        return Err(format!("{path}: nested over {MAX_DEPTH} levels deep"));
    }
    let kind = text(schema, &["type"]);
    let free = fields.get(PRESERVE) == Some(&Value::Bool(true))
        || fields.get(INT_OR_STRING) == Some(&Value::Bool(true));
    if kind.is_empty() && !free {
        return Err(format!(
            "{path}.type: Required value: must not be empty for specified object fields"
        ));
    }
    if !kind.is_empty() && !TYPES.contains(&kind) {
        return Err(format!("{path}.type: Unsupported value: {kind:?}"));
    }
    if kind == "array" && !fields.contains_key("items") {
        return Err(format!("{path}.items: Required value: must be specified"));
    }
    if let Some(pattern) = fields.get("pattern").and_then(Value::as_str) {
        compile(pattern).map_err(|_| format!("{path}.pattern: Invalid value: {pattern:?}"))?;
    }
    if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            sound(property, &format!("{path}.properties[{name}]"), depth + 1)?;
        }
    }
    for key in ["items", "additionalProperties"] {
        match fields.get(key) {
            Some(inner @ Value::Object(_)) => sound(inner, &format!("{path}.{key}"), depth + 1)?,
            Some(Value::Bool(_)) if key == "additionalProperties" => {}
            None => {}
            Some(_) => return Err(format!("{path}.{key}: Invalid value: must be a schema")),
        }
    }
    if let Some(default) = fields.get("default") {
        let mut faults = Vec::new();
        check(schema, default, "", &mut faults);
        if let Some(fault) = faults.first() {
            return Err(format!("{path}.default: Invalid value: {fault}"));
        }
    }
    Ok(())
}

fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    regex::RegexBuilder::new(pattern).size_limit(MAX_PATTERN).build()
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|f| f.fract() == 0.0)
        }
        "number" => value.is_number(),
        _ => false,
    }
}

fn named(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Faults of `value`, each `path: what`.
fn check(schema: &Value, value: &Value, path: &str, faults: &mut Vec<String>) {
    let Value::Object(fields) = schema else { return };
    let kind = text(schema, &["type"]);
    let mut fault = |what: String| faults.push(format!("{}: {what}", path.trim_start_matches('.')));
    if value.is_null() {
        if fields.get("nullable") != Some(&Value::Bool(true)) && !kind.is_empty() {
            fault(format!("Invalid value: \"null\": must be of type {kind}: \"null\""));
        }
        return;
    }
    let either = fields.get(INT_OR_STRING) == Some(&Value::Bool(true));
    if either && !(is("integer", value) || value.is_string()) {
        fault(format!("Invalid value: must be of type integer or string: {:?}", named(value)));
        return;
    }
    if !kind.is_empty() && !is(kind, value) {
        fault(format!("Invalid value: must be of type {kind}: {:?}", named(value)));
        return;
    }
    if let Some(allowed) = fields.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        let shown: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        fault(format!("Unsupported value: {value}: supported values: {}", shown.join(", ")));
    }
    match value {
        Value::String(text) => strings(fields, text, &mut fault),
        Value::Number(number) => numbers(fields, number.as_f64().unwrap_or(0.0), &mut fault),
        Value::Array(items) => {
            size(fields, items.len(), ["minItems", "maxItems"], "items", &mut fault);
            let repeated = || items.iter().enumerate().any(|(at, item)| items[..at].contains(item));
            if fields.get("uniqueItems") == Some(&Value::Bool(true)) && repeated() {
                fault("Duplicate value".to_owned());
            }
            if let Some(inner) = fields.get("items") {
                for (at, item) in items.iter().enumerate() {
                    check(inner, item, &format!("{path}[{at}]"), faults);
                }
            }
        }
        Value::Object(members) => object(fields, members, path, faults),
        _ => {}
    }
    combined(fields, value, path, faults);
}

fn object(
    fields: &Map<String, Value>,
    members: &Map<String, Value>,
    path: &str,
    faults: &mut Vec<String>,
) {
    let mut fault = |what: String| faults.push(format!("{}: {what}", path.trim_start_matches('.')));
    size(fields, members.len(), ["minProperties", "maxProperties"], "properties", &mut fault);
    for name in fields
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !members.contains_key(name) {
            faults.push(format!(
                "{}: Required value",
                format!("{path}.{name}").trim_start_matches('.')
            ));
        }
    }
    let properties = fields.get("properties").and_then(Value::as_object);
    for (name, member) in members {
        let inner = properties.and_then(|properties| properties.get(name)).or_else(|| {
            fields.get("additionalProperties").filter(|additional| additional.is_object())
        });
        if let Some(inner) = inner {
            check(inner, member, &format!("{path}.{name}"), faults);
        }
    }
}

fn strings(fields: &Map<String, Value>, text: &str, fault: &mut dyn FnMut(String)) {
    size(fields, text.chars().count(), ["minLength", "maxLength"], "chars", fault);
    if let Some(pattern) = fields.get("pattern").and_then(Value::as_str)
        && compile(pattern).is_ok_and(|regex| !regex.is_match(text))
    {
        fault(format!("Invalid value: {text:?}: should match '{pattern}'"));
    }
}

fn numbers(fields: &Map<String, Value>, number: f64, fault: &mut dyn FnMut(String)) {
    let limit = |key: &str| fields.get(key).and_then(Value::as_f64);
    let exclusive = |key: &str| fields.get(key) == Some(&Value::Bool(true));
    if let Some(least) = limit("minimum")
        && (number < least || (number <= least && exclusive("exclusiveMinimum")))
    {
        fault(format!("Invalid value: {number}: should be greater than or equal to {least}"));
    }
    if let Some(most) = limit("maximum")
        && (number > most || (number >= most && exclusive("exclusiveMaximum")))
    {
        fault(format!("Invalid value: {number}: should be less than or equal to {most}"));
    }
    if let Some(step) = limit("multipleOf")
        && step > 0.0
        && (number / step).fract() != 0.0
    {
        fault(format!("Invalid value: {number}: should be a multiple of {step}"));
    }
}

fn size(
    fields: &Map<String, Value>,
    size: usize,
    keys: [&str; 2],
    of: &str,
    fault: &mut dyn FnMut(String),
) {
    let limit = |key: &str| {
        fields.get(key).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok())
    };
    if limit(keys[0]).is_some_and(|least| size < least) {
        fault(format!(
            "Invalid value: has {size} {of}, should have at least {}",
            limit(keys[0]).unwrap_or(0)
        ));
    }
    if limit(keys[1]).is_some_and(|most| size > most) {
        fault(format!(
            "Invalid value: has {size} {of}, should have at most {}",
            limit(keys[1]).unwrap_or(0)
        ));
    }
}

/// `allOf`, `anyOf`, `oneOf`, `not`.
fn combined(fields: &Map<String, Value>, value: &Value, path: &str, faults: &mut Vec<String>) {
    let fits = |schema: &Value| {
        let mut faults = Vec::new();
        check(schema, value, path, &mut faults);
        faults.is_empty()
    };
    let list = |key: &str| fields.get(key).and_then(Value::as_array);
    for schema in list("allOf").into_iter().flatten() {
        check(schema, value, path, faults);
    }
    let mut fault = |what: &str| {
        faults.push(format!("{}: Invalid value: {what}", path.trim_start_matches('.')))
    };
    if list("anyOf").is_some_and(|any| !any.iter().any(fits)) {
        fault("must validate at least one schema (anyOf)");
    }
    if list("oneOf").is_some_and(|one| one.iter().filter(|schema| fits(schema)).count() != 1) {
        fault("must validate one and only one schema (oneOf)");
    }
    if fields.get("not").is_some_and(fits) {
        fault("must not validate the schema (not)");
    }
}

fn unknown(schema: &Value, value: &Value, path: &str) -> Option<String> {
    let Value::Object(fields) = schema else { return None };
    match value {
        Value::Array(items) => {
            let inner = fields.get("items")?;
            let mut items = items.iter().enumerate();
            items.find_map(|(at, item)| unknown(inner, item, &format!("{path}[{at}]")))
        }
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            let place = format!("{path}.{name}").trim_start_matches('.').to_owned();
            let property = fields.get("properties").and_then(|properties| properties.get(name));
            match (property, fields.get("additionalProperties")) {
                (Some(inner), _) => unknown(inner, member, &place),
                (None, Some(inner @ Value::Object(_))) => unknown(inner, member, &place),
                (None, Some(Value::Bool(true))) => None,
                _ if fields.get(PRESERVE) == Some(&Value::Bool(true)) => None,
                _ => Some(place),
            }
        }),
        _ => None,
    }
}

fn fill(schema: &Value, value: &mut Value) {
    let Value::Object(fields) = schema else { return };
    match value {
        Value::Array(items) => {
            if let Some(inner) = fields.get("items") {
                items.iter_mut().for_each(|item| fill(inner, item));
            }
        }
        Value::Object(members) => {
            let properties = fields.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                // A null that may not be one takes the default too.
                let nulled = members.get(name) == Some(&Value::Null)
                    && property.get("nullable") != Some(&Value::Bool(true));
                if let Some(default) = property.get("default")
                    && (nulled || !members.contains_key(name))
                {
                    members.insert(name.clone(), default.clone());
                }
                if let Some(member) = members.get_mut(name) {
                    fill(property, member);
                }
            }
            if let Some(inner @ Value::Object(_)) = fields.get("additionalProperties") {
                let known = |name: &String| {
                    properties.is_some_and(|properties| properties.contains_key(name))
                };
                members
                    .iter_mut()
                    .filter(|(name, _)| !known(name))
                    .for_each(|(_, member)| fill(inner, member));
            }
        }
        _ => {}
    }
}
