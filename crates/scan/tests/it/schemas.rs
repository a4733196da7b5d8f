//! The published schemas say what is printed: every field of a real document stands in them, with its type.
use crate::report::{index, inventory};
use seawall_model::Problem;
use seawall_scan::sbom::{SbomForm, write};
use seawall_scan::{Display, Exemptions, Report, render_json};
use seawall_vuln::explain;
use serde_json::{Map, Value};

const REPORT: &str = include_str!("../../../../docs/schemas/vulnerability-report.v1.json");
const SBOM: &str = include_str!("../../../../docs/schemas/sbom.v1.json");
const EXPLANATION: &str = include_str!("../../../../docs/schemas/explanation.v1.json");

/// Words of JSON Schema that the published schemas use; another one would go unchecked.
const KNOWN: [&str; 12] = [
    "$schema",
    "title",
    "description",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "$defs",
];

/// What is wrong with `value`, by its JSON Pointer. Stricter than the schema: a field that it does not name is wrong.
fn wrong(schema: &Value, value: &Value, root: &Value, at: &str) -> Vec<String> {
    let own = schema.as_object().unwrap();
    if let Some(name) = own.get("$ref") {
        let name = name.as_str().unwrap().strip_prefix('#').unwrap();
        return wrong(root.pointer(name).unwrap(), value, root, at);
    }
    if let Some(word) = own.keys().find(|word| !KNOWN.contains(&word.as_str())) {
        return vec![format!("{at}: the schema has {word}")];
    }
    if let Some(choices) = own.get("anyOf") {
        let mut tried = choices.as_array().unwrap().iter().map(|one| wrong(one, value, root, at));
        let all: Vec<_> = tried.by_ref().collect();
        let best = all.into_iter().min_by_key(Vec::len).unwrap();
        return best;
    }
    let listed = own.get("enum").and_then(Value::as_array);
    if listed.is_some_and(|all| !all.contains(value))
        || own.get("const").is_some_and(|one| one != value)
    {
        return vec![format!("{at}: {value} is not listed")];
    }
    let Some(kinds) = own.get("type") else { return Vec::new() };
    let fits = |kind: &Value| match kind.as_str().unwrap() {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other}"),
    };
    if !kinds.as_array().map_or_else(|| fits(kinds), |kinds| kinds.iter().any(fits)) {
        return vec![format!("{at}: {value} is no {kinds}")];
    }
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, item)| wrong(&own["items"], item, root, &format!("{at}/{index}")))
            .collect(),
        Value::Object(fields) => fields_wrong(own, fields, root, at),
        _ => Vec::new(),
    }
}

fn fields_wrong(
    schema: &Map<String, Value>,
    fields: &Map<String, Value>,
    root: &Value,
    at: &str,
) -> Vec<String> {
    let named = schema["properties"].as_object().unwrap();
    let lacking = schema["required"].as_array().unwrap().iter();
    let lacking = lacking.filter(|name| !fields.contains_key(name.as_str().unwrap()));
    let lacking = lacking.map(|name| format!("{at}: {name} is absent"));
    let present = fields.iter().flat_map(|(name, field)| {
        match named.get(name).or_else(|| schema.get("additionalProperties")) {
            Some(schema) => wrong(schema, field, root, &format!("{at}/{name}")),
            None => vec![format!("{at}: {name} is not in the schema")],
        }
    });
    lacking.chain(present).collect()
}

#[track_caller]
fn check(schema: &str, json: &str) {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let value = serde_json::from_str(json).unwrap();
    assert_eq!(wrong(&schema, &value, &schema, ""), Vec::<String>::new());
}

#[test]
fn what_is_printed_stands_in_the_published_schemas() {
    let mut inventory = inventory();
    inventory.packages[0].module = Some("a:1".into());
    inventory.repositories = vec!["main".into()];
    inventory.problems.push(Problem::gap("code", "message").file("a").at(1, 2).help("b"));
    let mut report = Report::new(inventory.clone(), &index());
    let mut exemptions = Exemptions::new(0);
    let ignore = "ignore:\n- {id: CVE-2020-0001, reason: r, until: 2030-01-01}\n";
    exemptions.add_ignore_file("i.yaml", ignore).unwrap();
    exemptions.apply(&mut report);
    assert!(report.findings[0].exemption.is_some());
    check(REPORT, &render_json(&report, &Display::default()).unwrap());
    check(SBOM, &write(&inventory, SbomForm::Json, 0).unwrap());
    for id in ["CVE-2020-0003", "CVE-2020-0001", "CVE-0"] {
        let told = explain(id, None, &inventory, &index(), &report.findings).unwrap();
        check(EXPLANATION, &serde_json::to_string(&told).unwrap());
    }
}

#[test]
fn the_check_finds_what_is_wrong() {
    #[track_caller]
    fn check(pointer: &str, value: Value, said: &str) {
        let schema: Value = serde_json::from_str(REPORT).unwrap();
        let report = Report::new(inventory(), &index());
        let mut json = serde_json::to_value(&report).unwrap();
        *json.pointer_mut(pointer).unwrap() = value;
        let told = wrong(&schema, &json, &schema, "").join("; ");
        assert!(told.contains(said), "{told}");
    }
    check("/findings/0/state", "fine".into(), "/findings/0/state: \"fine\" is not listed");
    check("/findings/0/package", serde_json::json!({}), "is absent");
    check("/coverage/owned", "1".into(), "/coverage/owned: \"1\" is no");
    check(
        "/distro",
        serde_json::json!({"id": "a", "version": null, "name": null, "new": 1}),
        "new is not in the schema",
    );
}
