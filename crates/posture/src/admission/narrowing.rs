//! Whether an assignment's narrowing fits an object.
use crate::glob::fits as glob_fits;
use seawall_model::admission::Narrowing;
use serde_json::Value;

/// `namespace` is empty for objects of the cluster, which of all patterns only `*` names.
pub(super) fn fits(narrowing: &Narrowing, namespace: &str, object: &Value) -> bool {
    let named = |patterns: &[String]| patterns.iter().any(|pattern| glob_fits(pattern, namespace));
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let labels = object.pointer("/metadata/labels");
    let labelled = |(key, value): &(String, String)| {
        labels.and_then(|labels| labels.get(key)).and_then(Value::as_str) == Some(value)
    };
    (narrowing.namespaces.is_empty() || named(&narrowing.namespaces))
        && !named(&narrowing.excluded_namespaces)
        && (narrowing.kinds.is_empty() || narrowing.kinds.iter().any(|own| own == kind))
        && narrowing.labels.iter().all(labelled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_part_narrows() {
        #[track_caller]
        fn check(narrowing: Value, expected: bool) {
            let object = json!({"kind": "Deployment", "metadata": {"labels": {"app": "web", "tier": "front"}}});
            let narrowing: Narrowing = serde_json::from_value(narrowing).unwrap();
            assert_eq!(fits(&narrowing, "shop", &object), expected, "{narrowing:?}");
        }
        check(json!({}), true);
        check(json!({"namespaces": ["shop"]}), true);
        check(json!({"namespaces": ["bank", "sh*"]}), true);
        check(json!({"namespaces": ["bank"]}), false);
        check(json!({"excluded_namespaces": ["bank"]}), true);
        check(json!({"namespaces": ["*"], "excluded_namespaces": ["s*"]}), false);
        check(json!({"kinds": ["Pod", "Deployment"]}), true);
        check(json!({"kinds": ["Pod"]}), false);
        check(json!({"labels": [["app", "web"]]}), true);
        check(json!({"labels": [["app", "web"], ["tier", "front"]]}), true);
        check(json!({"labels": [["app", "web"], ["tier", "back"]]}), false);
        check(json!({"labels": [["gone", ""]]}), false);
    }
}
