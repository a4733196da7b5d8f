//! A suite as it is written.
use seawall_rego::regex_of_go;
use serde_json::Value;

/// One file of tests.
#[derive(Clone, Debug)]
pub struct Suite {
    pub(super) skip: bool,
    pub(super) tests: Vec<Test>,
}

/// A template and a constraint of it.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub(super) name: String,
    pub(super) template: String,
    pub(super) constraint: String,
    pub(super) expansion: String,
    pub(super) invalid: bool,
    pub(super) skip: bool,
    pub(super) cases: Vec<Case>,
}

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) object: String,
    pub(super) inventory: Vec<String>,
    pub(super) skip: bool,
    /// As written; read when the case runs, so that a bad one fails its own case alone.
    pub(super) assertions: Vec<Value>,
}

/// How many violations, of those that a message chooses.
#[derive(Clone, Debug)]
pub(super) struct Assertion {
    pub(super) count: Count,
    pub(super) message: Option<(String, regex::Regex)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Some,
    None,
    Exactly(u64),
}

impl Suite {
    /// `None`: the document is no suite. Errors: a field of the wrong type.
    pub fn parse(document: &Value) -> Result<Option<Self>, String> {
        let group = document
            .get("apiVersion")
            .and_then(Value::as_str)
            .and_then(|version| version.split_once('/'));
        let kind = document.get("kind").and_then(Value::as_str);
        if group.is_none_or(|(group, _)| group != "test.gatekeeper.sh") || kind != Some("Suite") {
            return Ok(None);
        }
        let tests = list(document, "tests", "tests")?;
        let tests =
            tests.iter().enumerate().map(|(at, test)| Test::parse(test, &format!("tests[{at}]")));
        Ok(Some(Self {
            skip: boolean(document, "skip", "skip")?,
            tests: tests.collect::<Result<_, _>>()?,
        }))
    }
}

impl Test {
    fn parse(test: &Value, path: &str) -> Result<Self, String> {
        let word = |key: &str| string(test, key, path);
        let cases = list(test, "cases", path)?;
        let cases = cases
            .iter()
            .enumerate()
            .map(|(at, case)| Case::parse(case, &format!("{path}.cases[{at}]")));
        Ok(Self {
            name: word("name")?,
            template: word("template")?,
            constraint: word("constraint")?,
            expansion: word("expansion")?,
            invalid: boolean(test, "invalid", path)?,
            skip: boolean(test, "skip", path)?,
            cases: cases.collect::<Result<_, _>>()?,
        })
    }
}

impl Case {
    fn parse(case: &Value, path: &str) -> Result<Self, String> {
        let inventory = list(case, "inventory", path)?.iter().map(|file| {
            file.as_str()
                .map(str::to_owned)
                .ok_or_else(|| format!("{path}.inventory: files are strings"))
        });
        Ok(Self {
            name: string(case, "name", path)?,
            object: string(case, "object", path)?,
            inventory: inventory.collect::<Result<_, _>>()?,
            skip: boolean(case, "skip", path)?,
            assertions: list(case, "assertions", path)?.to_vec(),
        })
    }
}

impl Assertion {
    /// Errors: neither yes, no, a boolean nor a count; a message that is no regular expression.
    pub(super) fn parse(assertion: &Value) -> Result<Self, String> {
        let count = match assertion.get("violations") {
            None | Some(Value::Null | Value::Bool(true)) => Count::Some,
            Some(Value::Bool(false)) => Count::None,
            Some(Value::String(word)) if word == "yes" => Count::Some,
            Some(Value::String(word)) if word == "no" => Count::None,
            Some(Value::Number(number)) if number.is_u64() => {
                Count::Exactly(number.as_u64().unwrap_or(0))
            }
            Some(_) => {
                let told = "assertion.violation, if set, must be a nonnegative integer, \"yes\", or \"no\"";
                return Err(told.to_owned());
            }
        };
        let message = match assertion.get("message") {
            None | Some(Value::Null) => None,
            Some(Value::String(pattern)) => {
                let regex = regex_of_go(pattern)
                    .ok_or_else(|| format!("invalid regular expression: {pattern}"))?;
                Some((pattern.clone(), regex))
            }
            Some(_) => return Err("assertion.message is a string".to_owned()),
        };
        Ok(Self { count, message })
    }

    /// Errors: what was found instead.
    pub(super) fn check(&self, messages: &[&str]) -> Result<(), String> {
        let matches = |message: &&&str| {
            self.message.as_ref().is_none_or(|(_, regex)| regex.is_match(message))
        };
        let found = messages.iter().filter(matches).count();
        let wanted = match self.count {
            Count::Some if found == 0 => "at least 1".to_owned(),
            Count::None if found > 0 => "none".to_owned(),
            Count::Exactly(count) if found as u64 != count => format!("exactly {count}"),
            _ => return Ok(()),
        };
        let containing = self
            .message
            .as_ref()
            .map_or(String::new(), |(text, _)| format!(" containing {text:?}"));
        Err(format!(
            "unexpected number of violations: got {found} violations{containing} but want {wanted}: got messages [{}]",
            messages.join(" ")
        ))
    }
}

fn list<'a>(value: &'a Value, key: &str, path: &str) -> Result<&'a [Value], String> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(format!("{path}.{key} is a list")),
    }
}

fn string(value: &Value, key: &str, path: &str) -> Result<String, String> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("{path}.{key} is a string")),
    }
}

fn boolean(value: &Value, key: &str, path: &str) -> Result<bool, String> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(set)) => Ok(*set),
        Some(_) => Err(format!("{path}.{key} is true or false")),
    }
}
