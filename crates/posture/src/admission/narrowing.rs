//! Whether an assignment's narrowing fits an object.
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

/// Whether `name` fits `pattern`, in which `*` stands for any text. Leftmost finds of each part suffice, so that the
/// time is linear in the name for every star.
fn glob_fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*').peekable();
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn globs() {
        #[track_caller]
        fn check(pattern: &str, fitting: &[&str], others: &[&str]) {
            for (names, expected) in [(fitting, true), (others, false)] {
                for name in names {
                    assert_eq!(glob_fits(pattern, name), expected, "{pattern} {name}");
                }
            }
        }
        check("shop", &["shop"], &["shops", "a-shop", ""]);
        check("*", &["", "shop"], &[]);
        check("shop-*", &["shop-", "shop-a"], &["shop", "a-shop-a"]);
        check("*-prod", &["a-prod", "-prod"], &["prod", "a-prod-b"]);
        check("a*b*c", &["abc", "a1b2c", "abbc", "abcbc"], &["ac", "abcd", "xabc"]);
        check("a*a", &["aa", "aba"], &["a"]);
        check("**", &["", "x"], &[]);
        check("", &[""], &["x"]);
    }

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
