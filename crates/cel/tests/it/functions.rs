//! Kubernetes' functions against the answers of Kubernetes 1.36.3's own environment: values, types, costs, messages.
//! `e2e/judges/cel` made the answers.
use seawall_cel::{Budget, Env, EvalError, Go, Stage, Type, Value, authz, display, key_text};
use serde_json::{Value as Json, json};

const ANSWERS: &[(&str, &str)] = &[
    ("authz", include_str!("../functions/authz.jsonl")),
    ("cidr", include_str!("../functions/cidr.jsonl")),
    ("format", include_str!("../functions/format.jsonl")),
    ("ip", include_str!("../functions/ip.jsonl")),
    ("language", include_str!("../functions/language.jsonl")),
    ("lists", include_str!("../functions/lists.jsonl")),
    ("printf", include_str!("../functions/printf.jsonl")),
    ("quantity", include_str!("../functions/quantity.jsonl")),
    ("regex", include_str!("../functions/regex.jsonl")),
    ("semver", include_str!("../functions/semver.jsonl")),
    ("sequences", include_str!("../functions/sequences.jsonl")),
    ("sets", include_str!("../functions/sets.jsonl")),
    ("strings", include_str!("../functions/strings.jsonl")),
    ("url", include_str!("../functions/url.jsonl")),
];

/// Parts of expressions, and the first minor that has them. The judge, which is 1.36, has them in older environments
/// too: selectors since a feature gate opens them whatever the minor, the others since its cel-go is newer.
const LATER: &[(&str, u32)] = &[("Selector(", 31), (".first()", 34), (".last()", 34)];

/// The variable `object`.
const POD: &str = include_str!("../pod.json");

/// Expressions and the minors whose environment compiles them.
const VERSIONS: &str = include_str!("../functions/versions.jsonl");

fn env(minor: u32) -> Env {
    Env::kubernetes(minor)
        .with_variable("object", Type::Dyn)
        .with_variable("authorizer", Type::Opaque(authz::AUTHORIZER.into()))
}

#[test]
fn answers_are_those_of_the_api_server() {
    let mut wrong = Vec::new();
    for (library, answers) in ANSWERS {
        for line in answers.lines() {
            let expected: Json = serde_json::from_str(line).unwrap();
            let got = answer(expected["expr"].as_str().unwrap());
            for (key, expected) in expected.as_object().unwrap() {
                // `type(x)` has a type parameter there, and none here.
                let typed = expected.as_str().is_some_and(|kind| kind.starts_with("type("));
                let expected =
                    if typed && key == "type" { json!("type") } else { expected.clone() };
                let same = got[key] == expected
                    || got[key].to_string().eq_ignore_ascii_case(&expected.to_string());
                // The judge knows the type of what it could not plan; a program that never was has none.
                let untold = key == "minor" || (key == "type" && got.get("program").is_some());
                if !untold && !same {
                    wrong.push(format!(
                        "{library}: {}\n  {key} {}\n  not {expected}",
                        got["expr"], got[key]
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn functions_exist_in_the_minors_that_have_them() {
    let mut wrong = Vec::new();
    for line in VERSIONS.lines() {
        let row: Json = serde_json::from_str(line).unwrap();
        let text = row["expr"].as_str().unwrap();
        let checks = |minor: &u32| match env(*minor).compile(text) {
            Ok(_) => true,
            Err(errors) => errors.iter().all(|error| error.stage == Stage::Plan),
        };
        let compiles: Vec<u32> = (26..=36).filter(checks).collect();
        let later =
            LATER.iter().find(|(part, _)| text.contains(part)).map_or(0, |(_, minor)| *minor);
        let mut expected: Vec<u32> = serde_json::from_value(row["minors"].clone()).unwrap();
        expected.retain(|minor| *minor >= later);
        if compiles != expected {
            wrong.push(format!("{text}: {compiles:?} not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// What the judge prints of an expression.
fn answer(text: &str) -> Json {
    let mut answer = json!({"expr": text});
    let program = match env(36).compile(text) {
        Ok(program) => program,
        Err(errors) if errors.iter().all(|error| error.stage == Stage::Plan) => {
            answer["program"] = json!(errors[0].message);
            answer["type"] = Json::Null;
            return answer;
        }
        Err(errors) => {
            answer["compile"] = json!(display(text, &errors));
            return answer;
        }
    };
    let kind = program.output().to_string();
    let kind = kind.replace("duration", "google.protobuf.Duration");
    answer["type"] = json!(kind.replace("timestamp", "google.protobuf.Timestamp"));
    let object: Json = serde_json::from_str(POD).expect("the pod is JSON");
    let mut budget = Budget::expression();
    match program.evaluate(&[("object", Value::json(&object))], &mut budget) {
        Ok(value) => answer["value"] = show(&value),
        Err(EvalError::Error(error)) => answer["error"] = json!(error),
        Err(other) => answer["stopped"] = json!(other.to_string()),
    }
    answer["cost"] = json!(budget.spent());
    answer
}

fn show(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!({"int": value.to_string()}),
        Value::Uint(value) => json!({"uint": value.to_string()}),
        Value::Double(_) => json!({"double": Go(value).to_string()}),
        Value::String(text) => json!(**text),
        Value::Bytes(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({"bytes": hex})
        }
        Value::Duration(duration) => json!({"duration": duration.go()}),
        Value::Timestamp(timestamp) => json!({"timestamp": timestamp.rfc3339()}),
        Value::List(list) => list.iter().map(|item| show(&item)).collect(),
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| (key_text(&key), show(&value)));
            json!({"map": entries.collect::<serde_json::Map<_, _>>()})
        }
        Value::Optional(None) => json!({"optional": "none"}),
        Value::Optional(Some(value)) => json!({"optional": [show(value)]}),
        Value::Type(name) => json!({"type": **name}),
        Value::Opaque(value) => {
            let name = value.type_name().rsplit('.').next().unwrap_or_default();
            json!({name.to_lowercase(): value.to_string()})
        }
    }
}
