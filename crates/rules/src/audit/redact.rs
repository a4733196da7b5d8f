//! Secrets in records, masked before a rule sees them: bodies of Secrets and tokens, environments, arguments of
//! containers and of what is executed in them. Names and keys stay, for rules go by them.
use super::form::query;
use super::workload::{self, CONTAINERS};
use crate::mask::{MASKED, mask_arguments, mask_text};
use serde_json::{Map, Value};

/// kubectl's copy of the whole object, in one text.
const LAST_APPLIED: &str =
    "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";

pub(super) fn redact(json: &mut Map<String, Value>) {
    if let Some(Value::String(uri)) = json.get_mut("requestURI") {
        redact_uri(uri);
    }
    let part = |key: &str| {
        let text = json.get("objectRef").and_then(|object| object.get(key)?.as_str());
        text.unwrap_or_default().to_owned()
    };
    let (resource, subresource) = (part("resource"), part("subresource"));
    for key in ["requestObject", "responseObject"] {
        let Some(body) = json.get_mut(key) else { continue };
        if subresource == "token" || resource == "tokenreviews" {
            ["/status/token", "/spec/token"].iter().for_each(|at| hide(body.pointer_mut(at)));
        }
        match body.as_array_mut() {
            Some(operations) => {
                for value in operations.iter_mut().filter_map(|one| one.get_mut("value")) {
                    if resource == "secrets" { *value = MASKED.into() } else { redact_tree(value) }
                }
            }
            None => redact_object(body, &resource),
        }
        // The items of a list are never patches.
        let items = body.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten();
        items.for_each(|item| redact_object(item, &resource));
    }
}

fn hide(value: Option<&mut Value>) {
    if let Some(value) = value.filter(|value| !value.is_null()) {
        *value = MASKED.into();
    }
}

fn redact_object(object: &mut Value, resource: &str) {
    hide(object.pointer_mut(LAST_APPLIED));
    let entries = |value: Option<&mut Value>, change: fn(&mut Value)| {
        value.and_then(Value::as_object_mut).into_iter().flatten().for_each(|(_, one)| change(one));
    };
    match resource {
        "secrets" => {
            entries(object.get_mut("data"), |value| hide(Some(value)));
            entries(object.get_mut("stringData"), |value| hide(Some(value)));
        }
        "configmaps" => {
            let data = object.get_mut("data").and_then(Value::as_object_mut);
            for (key, value) in data.into_iter().flatten() {
                redact_setting(key, value);
            }
        }
        _ => {
            let spec = workload::of_resource(resource)
                .and_then(|workload| object.pointer_mut(workload.pod_spec));
            if let Some(spec) = spec {
                for list in CONTAINERS {
                    let list = spec.get_mut(list).and_then(Value::as_array_mut);
                    list.into_iter().flatten().for_each(redact_container);
                }
            }
        }
    }
}

fn redact_container(container: &mut Value) {
    let variables = container.get_mut("env").and_then(Value::as_array_mut);
    variables.into_iter().flatten().for_each(redact_variable);
    // A shell's script stands behind its `-c`, whichever of the two lists has that.
    let texts = |key: &str| -> Vec<String> {
        let list = container.get(key).and_then(Value::as_array).map(Vec::as_slice);
        let texts = list.unwrap_or_default().iter();
        texts.map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
    };
    let (command, arguments) = (texts("command"), texts("args"));
    let mut all = [command.as_slice(), arguments.as_slice()].concat();
    if !mask_arguments(&mut all) {
        return;
    }
    let rest = all.split_off(command.len());
    for (key, masked) in [("command", all), ("args", rest)] {
        let list = container.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten();
        for (value, masked) in list.zip(masked).filter(|(value, _)| value.is_string()) {
            *value = masked.into();
        }
    }
}

/// `{name: PASSWORD, value: x}` is read as `PASSWORD=x`.
fn redact_variable(variable: &mut Value) {
    let part = |key: &str| variable.get(key).and_then(Value::as_str).unwrap_or_default();
    if let Some(masked) = masked_value(part("name"), part("value")) {
        variable["value"] = masked.into();
    }
}

/// The value of that name without secrets; `None` where it has none.
fn masked_value(name: &str, value: &str) -> Option<String> {
    let whole = format!("{name}={value}");
    let masked = mask_text(&whole);
    if *masked == *whole {
        return None;
    }
    let value = masked.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
    Some(value.unwrap_or(MASKED).to_owned())
}

/// An entry of a ConfigMap: one value, or a file with a setting a line, blanks around its `=` or `:`.
fn redact_setting(key: &str, value: &mut Value) {
    let Value::String(text) = value else { return };
    if !text.contains('\n') {
        if let Some(masked) = masked_value(key, text) {
            *text = masked;
        }
        return;
    }
    let lines = text.split_inclusive('\n').map(|line| {
        let setting = line.find(['=', ':']).and_then(|at| {
            let (name, value) = (line[..at].trim(), line[at + 1..].trim());
            let masked = masked_value(name, value).filter(|_| !value.is_empty())?;
            Some(line[..=at].to_owned() + &line[at + 1..].replacen(value, &masked, 1))
        });
        setting.unwrap_or_else(|| mask_text(line).into_owned())
    });
    *text = lines.collect();
}

fn redact_text(value: &mut Value) {
    if let Value::String(text) = value
        && let std::borrow::Cow::Owned(masked) = mask_text(text)
    {
        *text = masked;
    }
}

/// Every text in it, and every pair of name and value. As deep as the parser lets JSON nest.
fn redact_tree(value: &mut Value) {
    match value {
        Value::String(_) => redact_text(value),
        Value::Array(items) => items.iter_mut().for_each(redact_tree),
        Value::Object(entries) => {
            if entries.get("name").is_some_and(Value::is_string)
                && entries.get("value").is_some_and(Value::is_string)
            {
                redact_variable(value);
            } else {
                entries.iter_mut().for_each(|(_, value)| redact_tree(value));
            }
        }
        _ => {}
    }
}

/// The command of an exec stands in the query, a word each.
fn redact_uri(uri: &mut String) {
    let Some((path, _)) = uri.split_once('?').filter(|(_, query)| query.contains("command="))
    else {
        return;
    };
    let mut pairs = query(uri);
    let is_word = |pair: &&mut (String, String)| pair.0 == "command";
    let mut words: Vec<String> =
        pairs.iter_mut().filter(is_word).map(|pair| pair.1.clone()).collect();
    if !mask_arguments(&mut words) {
        return;
    }
    for (pair, word) in pairs.iter_mut().filter(is_word).zip(words) {
        pair.1 = word;
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    *uri = format!("{path}?{query}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(resource: &str, body: Value, expected: Value) {
        let mut record = json!({"objectRef": {"resource": resource}, "requestObject": body});
        redact(record.as_object_mut().unwrap());
        assert_eq!(record["requestObject"], expected);
    }

    #[test]
    fn bodies_keep_names_and_lose_secrets() {
        check(
            "secrets",
            json!({"kind": "Secret", "data": {"k": "aGVsbG8="}, "stringData": {"p": "x"}}),
            json!({"kind": "Secret", "data": {"k": MASKED}, "stringData": {"p": MASKED}}),
        );
        check(
            "secrets",
            json!({"items": [{"data": {"k": "v"}}]}),
            json!({"items": [{"data": {"k": MASKED}}]}),
        );
        check(
            "secrets",
            json!([{"op": "add", "path": "/data/k", "value": "v"}]),
            json!([{"op": "add", "path": "/data/k", "value": MASKED}]),
        );
        check(
            "configmaps",
            json!({"data": {"a.properties": "a = b\naws_secret_access_key = MY-KEY\n", "n": 1, "password": "x"}}),
            json!({"data": {"a.properties": format!("a = b\naws_secret_access_key = {MASKED}\n"), "n": 1, "password": MASKED}}),
        );
        check(
            "tokenreviews",
            json!({"spec": {"token": "t"}, "status": {"token": "t"}}),
            json!({"spec": {"token": MASKED}, "status": {"token": MASKED}}),
        );
        let containers = |value: &str, word: &str| {
            json!([{"name": "a", "env": [{"name": "DB_PASSWORD", "value": value}, {"name": "A", "value": "b"}],
                "command": ["app"], "args": ["--password", word, "run"]}])
        };
        check(
            "deployments",
            json!({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}},
                "spec": {"template": {"spec": {"initContainers": containers("hunter2", "hunter3")}}}}),
            json!({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": MASKED}},
                "spec": {"template": {"spec": {"initContainers": containers(MASKED, MASKED)}}}}),
        );
        check(
            "deployments",
            json!([{"op": "add", "path": "/spec/template/spec/containers/0/env", "value": [{"name": "API_TOKEN", "value": "abc"}]}]),
            json!([{"op": "add", "path": "/spec/template/spec/containers/0/env", "value": [{"name": "API_TOKEN", "value": MASKED}]}]),
        );
    }

    #[test]
    fn what_is_executed_is_masked_in_the_query() {
        let path = "/api/v1/namespaces/a/pods/b/exec";
        for (query, expected) in [
            ("command=ls&command=-l&stdin=true", "command=ls&command=-l&stdin=true"),
            (
                "command=mysql&command=--password%3Dhunter2&container=c",
                "command=mysql&command=--password%3D%3Cmasked%3E&container=c",
            ),
        ] {
            let mut uri = format!("{path}?{query}");
            redact_uri(&mut uri);
            assert_eq!(uri, format!("{path}?{expected}"));
        }
    }
}
