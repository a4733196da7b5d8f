//! Evidence without secrets: reports, exports and the hub show what failed, never the credential that did.
use regex::Regex;
use seawall_model::facts::MASKED;
use serde_json::Value;
use std::sync::LazyLock;

/// An argument that names a credential, and the value behind `=` or `:`.
static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)([a-z0-9_.-]*(?:passw|passphrase|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key)[a-z0-9_.-]*\s*[=:]\s*)([^\s'&;,]+)")
        .expect("a constant pattern compiles")
});

/// A flag that names a credential, whose value is the next argument.
static FLAG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^--?[a-z0-9_.-]*(?:passw|passphrase|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key)[a-z0-9_.-]*$")
        .expect("a constant pattern compiles")
});

/// User and password in a URL.
static URL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"([a-zA-Z][a-zA-Z0-9+.-]*://[^:@/\s]*:)[^@/\s]+@")
        .expect("a constant pattern compiles")
});

/// The value at `pointer` of an object, as reports may show it: values of environment variables are masked whole, in
/// command lines what looks like a credential.
pub(crate) fn masked(pointer: &str, value: Value) -> Value {
    let mut parts = pointer.rsplit('/');
    let (last, index, list) = (parts.next(), parts.next(), parts.next());
    let is_index =
        |part: Option<&str>| part.is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()));
    match (list, index, last) {
        (Some("env"), number, Some("value")) if is_index(number) && value.is_string() => {
            MASKED.into()
        }
        (_, Some("env"), number) if is_index(number) => variable(value),
        (_, Some("command" | "args"), number) if is_index(number) => argument(value),
        (_, _, Some(field)) => within(field, value),
        _ => value,
    }
}

/// Below a field of that name.
fn within(field: &str, value: Value) -> Value {
    match (field, value) {
        ("env", Value::Array(variables)) => variables.into_iter().map(variable).collect(),
        ("command" | "args", Value::Array(items)) => arguments(items),
        (_, Value::Array(items)) => items.into_iter().map(|item| within("", item)).collect(),
        (_, Value::Object(members)) => {
            let members = members.into_iter().map(|(key, value)| {
                let value = within(&key, value);
                (key, value)
            });
            Value::Object(members.collect())
        }
        (_, other) => other,
    }
}

fn variable(mut variable: Value) -> Value {
    if let Some(value) = variable.get_mut("value").filter(|value| value.is_string()) {
        *value = MASKED.into();
    }
    variable
}

fn argument(value: Value) -> Value {
    let Value::String(text) = &value else { return value };
    let text =
        ASSIGNED.replace_all(text, |found: &regex::Captures<'_>| format!("{}{MASKED}", &found[1]));
    URL.replace_all(&text, |found: &regex::Captures<'_>| format!("{}{MASKED}@", &found[1]))
        .into_owned()
        .into()
}

fn arguments(items: Vec<Value>) -> Value {
    let mut follows = false;
    let mask = |item: Value| {
        let text = item.as_str().unwrap_or_default();
        let names = FLAG.is_match(text);
        let hidden = std::mem::replace(&mut follows, names) && !text.starts_with('-');
        if hidden { MASKED.into() } else { argument(item) }
    };
    items.into_iter().map(mask).collect()
}

#[test]
fn credentials_are_masked_and_the_rest_is_shown() {
    use serde_json::json;
    #[track_caller]
    fn check(pointer: &str, value: Value, expected: Value) {
        assert_eq!(masked(pointer, value), expected, "{pointer}");
    }
    let c = "/spec/containers/0";
    check(&format!("{c}/env/3/value"), json!("hunter2"), json!("(masked)"));
    check(&format!("{c}/env/3/value"), Value::Null, Value::Null);
    check(&format!("{c}/env/3/name"), json!("PASSWORD"), json!("PASSWORD"));
    let from = json!({"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}});
    let shown = json!([{"name": "A", "value": "(masked)"}, from]);
    check(&format!("{c}/env"), json!([{"name": "A", "value": "hunter2"}, from]), shown.clone());
    check(&format!("{c}/env/0"), json!({"name": "A", "value": "x"}), shown[0].clone());
    check(
        c,
        json!({"env": [{"name": "A", "value": "hunter2"}], "image": "x"}),
        json!({"env": [{"name": "A", "value": "(masked)"}], "image": "x"}),
    );
    let given = json!([
        "run",
        "--db-password=hunter2",
        "--token",
        "abc",
        "--token",
        "--v",
        "mysql://root:hunter2@db/x",
        "sh -c 'SECRET_KEY=abc exec x'"
    ]);
    let expected = json!([
        "run",
        "--db-password=(masked)",
        "--token",
        "(masked)",
        "--token",
        "--v",
        "mysql://root:(masked)@db/x",
        "sh -c 'SECRET_KEY=(masked) exec x'"
    ]);
    check(&format!("{c}/args"), given, expected);
    check(&format!("{c}/command/0"), json!("sudo"), json!("sudo"));
    check(
        &format!("{c}/securityContext"),
        json!({"privileged": true}),
        json!({"privileged": true}),
    );
    check(
        "/spec/template",
        json!({"spec": {"containers": [{"args": ["password: x"]}]}}),
        json!({"spec": {"containers": [{"args": ["password: (masked)"]}]}}),
    );
}
