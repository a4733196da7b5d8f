//! The type table of Kubernetes' objects, which conditions of controls are checked against.
//!
//! Made by hand once for each Kubernetes version: `kubectl get --raw /openapi/v2 > FILE`, then `cargo xtask types FILE`.
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

const TABLE: &str = "crates/posture/src/cel/kubernetes.types";

/// Stable versions whose objects controls judge.
const VERSIONS: [&str; 2] = ["v1", "v2"];

/// A kind that is served.
struct Served {
    api_version: String,
    kind: String,
    plural: String,
    namespaced: bool,
    definition: String,
}

/// Writes the table from an OpenAPI document of version 2.
pub(crate) fn run(root: &Path, file: &str) -> Result<()> {
    let text = std::fs::read(file).with_context(|| format!("cannot read {file}"))?;
    let document: Value =
        serde_json::from_slice(&text).with_context(|| format!("{file} is no JSON"))?;
    let version = document["info"]["version"].as_str().context("the document has no version")?;
    let served = served(&document);
    let names = names(&document, &served);
    let mut table = format!(
        "# Kinds: `@apiVersion kind plural scope Type`. Then field types: `Type`, then `  field type`; `[T]` list, `{{T}}`\n\
         # map of strings. Source: /openapi/v2 of k8s.io/kubernetes {version}; written by `cargo xtask types`.\n\
         # int-or-string and quantities (text or number) are dyn, times are text as in JSON.\n"
    );
    for kind in &served {
        let scope = if kind.namespaced { "namespaced" } else { "cluster" };
        let name = &names[&kind.definition];
        writeln!(table, "@{} {} {} {scope} {name}", kind.api_version, kind.kind, kind.plural)?;
    }
    let mut structs: Vec<(&String, &String)> =
        names.iter().map(|(definition, name)| (name, definition)).collect();
    structs.sort();
    for (name, definition) in structs {
        writeln!(table, "{name}")?;
        let fields = document["definitions"][definition]["properties"].as_object();
        for (field, schema) in fields.into_iter().flatten() {
            // `$ref` and its like, of JSON schemas within objects.
            if field.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                writeln!(table, "  {field} {}", written(schema, &document, &names))?;
            }
        }
    }
    std::fs::write(root.join(TABLE), table).with_context(|| format!("cannot write {TABLE}"))
}

/// The kinds that can be created, by version and kind.
fn served(document: &Value) -> Vec<Served> {
    let mut served: BTreeMap<(String, String), Served> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let kind = &item["post"]["x-kubernetes-group-version-kind"];
        let text = |key: &str| kind[key].as_str().unwrap_or_default();
        let plural = path.rsplit('/').next().unwrap_or_default();
        if !VERSIONS.contains(&text("version")) || path.contains("{name}") {
            continue;
        }
        let body = item["post"]["responses"]["201"]["schema"]["$ref"].as_str();
        let Some(definition) = body.and_then(|body| body.strip_prefix("#/definitions/")) else {
            continue;
        };
        if document["definitions"][definition]["properties"]["metadata"].is_null() {
            continue;
        }
        let api_version = match text("group") {
            "" => text("version").to_owned(),
            group => format!("{group}/{}", text("version")),
        };
        let key = (api_version.clone(), text("kind").to_owned());
        served.insert(
            key,
            Served {
                api_version,
                kind: text("kind").to_owned(),
                plural: plural.to_owned(),
                namespaced: path.contains("/namespaces/{namespace}/"),
                definition: definition.to_owned(),
            },
        );
    }
    served.into_values().collect()
}

/// Definitions that the kinds reach, each with its name: the short one, with its group where two have the same.
fn names(document: &Value, served: &[Served]) -> BTreeMap<String, String> {
    let mut open: Vec<String> = served.iter().map(|kind| kind.definition.clone()).collect();
    let mut reached = BTreeSet::new();
    while let Some(definition) = open.pop() {
        if reached.insert(definition.clone()) {
            let fields = document["definitions"][&definition]["properties"].as_object();
            for schema in fields.into_iter().flatten().map(|(_, schema)| schema) {
                open.extend(referred(schema).filter(|name| is_struct(document, name)));
            }
        }
    }
    let short = |definition: &str| definition.rsplit('.').next().unwrap_or_default().to_owned();
    let group = |definition: &str| definition.rsplit('.').nth(2).unwrap_or_default().to_owned();
    let version =
        |definition: &str| definition.rsplit('.').nth(1).unwrap_or_default().to_uppercase();
    let mut holders: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for definition in &reached {
        holders.entry(short(definition)).or_default().push(definition);
    }
    let mut names = BTreeMap::new();
    for (short, definitions) in &holders {
        for definition in definitions {
            // Pods and what belongs to them keep the short name.
            let plain = definitions.len() == 1 || group(definition) == "core";
            let (group, version) = (group(definition), version(definition));
            let rival = |other: &&&String| other.contains(&format!(".{group}."));
            let name = match (plain, definitions.iter().filter(rival).count()) {
                (true, _) => short.clone(),
                (false, 1) => group + short,
                (false, _) => group + &version + short,
            };
            names.insert((*definition).clone(), name);
        }
    }
    names
}

fn is_struct(document: &Value, definition: &str) -> bool {
    document["definitions"][definition]["properties"].is_object()
}

/// The definitions that a field's schema names.
fn referred(schema: &Value) -> impl Iterator<Item = String> {
    let inner = [schema, &schema["items"], &schema["additionalProperties"]];
    let named = inner
        .map(|schema| schema["$ref"].as_str()?.strip_prefix("#/definitions/").map(str::to_owned));
    named.into_iter().flatten()
}

/// A type as the table writes it.
fn written(schema: &Value, document: &Value, names: &BTreeMap<String, String>) -> String {
    if let Some(definition) =
        schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/definitions/"))
    {
        if let Some(name) = names.get(definition) {
            return name.clone();
        }
        let definition = &document["definitions"][definition];
        return match (definition["type"].as_str(), definition["format"].as_str()) {
            (Some("string"), Some("date-time")) => "string",
            _ => "dyn",
        }
        .to_owned();
    }
    match schema["type"].as_str() {
        Some("array") => format!("[{}]", written(&schema["items"], document, names)),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!("{{{}}}", written(&schema["additionalProperties"], document, names))
        }
        Some("boolean") => "bool".to_owned(),
        Some("integer") => "int".to_owned(),
        Some("number") => "double".to_owned(),
        Some("string") => "string".to_owned(),
        _ => "dyn".to_owned(),
    }
}
