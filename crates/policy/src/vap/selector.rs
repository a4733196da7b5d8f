//! Label selectors. Source: k8s.io/apimachinery `pkg/apis/meta/v1` LabelSelectorAsSelector and `pkg/labels`.
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// All requirements must hold; none selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabelSelector {
    #[serde(default)]
    match_labels: BTreeMap<String, String>,
    #[serde(default)]
    match_expressions: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    key: String,
    operator: Operator,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl LabelSelector {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }

    /// `labels` is `metadata.labels`, absent where there are none.
    #[must_use]
    pub fn matches(&self, labels: Option<&Value>) -> bool {
        let get = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        self.match_labels.iter().all(|(key, value)| get(key) == Some(value))
            && self.match_expressions.iter().all(|requirement| {
                let value = get(&requirement.key);
                let listed =
                    value.is_some_and(|value| requirement.values.iter().any(|v| v == value));
                match requirement.operator {
                    Operator::In => listed,
                    Operator::NotIn => !listed,
                    Operator::Exists => value.is_some(),
                    Operator::DoesNotExist => value.is_none(),
                }
            })
    }

    /// What the API server refuses in it, with the field below the selector.
    pub(crate) fn faults(&self) -> Vec<(String, &'static str)> {
        let expressions = self.match_expressions.iter().enumerate();
        expressions
            .filter_map(|(at, requirement)| {
                let listed = matches!(requirement.operator, Operator::In | Operator::NotIn);
                match (listed, requirement.values.is_empty()) {
                    (true, true) => Some((
                        format!("matchExpressions[{at}].values"),
                        "must be specified when `operator` is 'In' or 'NotIn'",
                    )),
                    (false, false) => Some((
                        format!("matchExpressions[{at}].values"),
                        "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                    )),
                    _ => None,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(selector: Value, labels: Value, expected: bool) {
        let selector: LabelSelector = serde_json::from_value(selector).expect("a selector");
        assert_eq!(selector.matches(Some(&labels)), expected, "{selector:?} {labels}");
    }

    #[test]
    fn table() {
        let one = |operator: &str, values: Value| {
            let mut requirement = json!({"key": "tier", "operator": operator});
            if !values.is_null() {
                requirement["values"] = values;
            }
            json!({"matchExpressions": [requirement]})
        };
        check(json!({}), json!({}), true);
        check(json!({"matchLabels": {"a": "1"}}), json!({"a": "1"}), true);
        check(json!({"matchLabels": {"a": "1"}}), json!({"a": "2"}), false);
        check(one("In", json!(["x", "y"])), json!({"tier": "y"}), true);
        check(one("In", json!(["x"])), json!({}), false);
        check(one("NotIn", json!(["x"])), json!({}), true);
        check(one("NotIn", json!(["x"])), json!({"tier": "x"}), false);
        check(one("Exists", Value::Null), json!({"tier": ""}), true);
        check(one("DoesNotExist", Value::Null), json!({"tier": ""}), false);
    }
}
