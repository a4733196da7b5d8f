//! Label selectors: `matchLabels` and `matchExpressions` of a Kubernetes LabelSelector.
use serde_json::Value;

/// Source: `LabelSelector` of meta/v1 and `LabelSelectorAsSelector` of apimachinery. Empty selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Errors: what is no label selector, in words.
    pub fn read(value: &Value) -> Result<Self, String> {
        let mut requirements = Vec::new();
        if let Some(labels) = present(value, "matchLabels") {
            requirements.extend(equalities(labels, "matchLabels")?);
        }
        if let Some(expressions) = present(value, "matchExpressions") {
            let expressions = expressions.as_array().ok_or("matchExpressions is no list")?;
            for expression in expressions {
                requirements.push(expression_of(expression)?);
            }
        }
        Ok(Self(requirements))
    }

    /// A map of labels that must all be there, such as a Service's `selector`.
    pub fn equal(labels: &Value) -> Result<Self, String> {
        Ok(Self(equalities(labels, "selector")?))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `labels` is the object's map of labels, or null.
    pub fn matches(&self, labels: &Value) -> bool {
        self.0.iter().all(|requirement| {
            let label = labels.get(&requirement.key).and_then(Value::as_str);
            match &requirement.test {
                Test::In(values) => {
                    label.is_some_and(|label| values.iter().any(|value| value == label))
                }
                Test::NotIn(values) => {
                    label.is_none_or(|label| values.iter().all(|value| value != label))
                }
                Test::Exists => label.is_some(),
                Test::DoesNotExist => label.is_none(),
            }
        })
    }
}

fn present<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    value.get(key).filter(|value| !value.is_null())
}

fn equalities(labels: &Value, place: &str) -> Result<Vec<Requirement>, String> {
    let labels = labels.as_object().ok_or_else(|| format!("{place} is no map"))?;
    let equality = |(key, value): (&String, &Value)| match value.as_str() {
        Some(value) => Ok(Requirement { key: key.clone(), test: Test::In(vec![value.to_owned()]) }),
        None => Err(format!("the label {key} is no text")),
    };
    labels.iter().map(equality).collect()
}

fn expression_of(expression: &Value) -> Result<Requirement, String> {
    let text = |key: &str| expression.get(key).and_then(Value::as_str);
    let key = text("key").ok_or("an expression has no key")?.to_owned();
    let values = || -> Vec<String> {
        let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
        values.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let test = match text("operator") {
        Some("In") => Test::In(values()),
        Some("NotIn") => Test::NotIn(values()),
        Some("Exists") => Test::Exists,
        Some("DoesNotExist") => Test::DoesNotExist,
        operator => return Err(format!("unknown operator {}", operator.unwrap_or("(none)"))),
    };
    Ok(Requirement { key, test })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(selector: Value, labels: Value, expected: bool) {
        assert_eq!(
            Selector::read(&selector).unwrap().matches(&labels),
            expected,
            "{selector} {labels}"
        );
    }

    #[test]
    fn selects() {
        let expression = |operator: &str, values: &[&str]| json!({"matchExpressions": [{"key": "a", "operator": operator, "values": values}]});
        check(json!({}), Value::Null, true);
        check(json!({"matchLabels": {"a": "1"}}), json!({"a": "1", "b": "2"}), true);
        check(json!({"matchLabels": {"a": "1"}}), json!({"a": "2"}), false);
        check(json!({"matchLabels": {"a": "1"}}), Value::Null, false);
        check(expression("In", &["1", "2"]), json!({"a": "2"}), true);
        check(expression("In", &["1", "2"]), json!({}), false);
        check(expression("NotIn", &["1"]), json!({}), true);
        check(expression("NotIn", &["1"]), json!({"a": "1"}), false);
        check(expression("Exists", &[]), json!({"a": ""}), true);
        check(expression("DoesNotExist", &[]), json!({"a": ""}), false);
    }

    #[test]
    fn refused_with_words() {
        let refused = |value: Value| Selector::read(&value).unwrap_err();
        assert_eq!(refused(json!({"matchLabels": {"a": 1}})), "the label a is no text");
        assert_eq!(
            refused(json!({"matchExpressions": [{"key": "a", "operator": "Gt"}]})),
            "unknown operator Gt"
        );
    }
}
