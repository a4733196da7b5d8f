//! JSON, TOML and YAML as far as they can be read: a mistake costs the entry it stands in, or in JSON what follows it,
//! and is a gap with its line.
use crate::found::Found;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// Mistakes in one TOML or YAML file before the rest is given up: each costs another pass over it.
const MAX_MISTAKES: usize = 16;
/// Maps, lists and scalars of a YAML file; 10,000 packages of pnpm take 400,000.
const MAX_NODES: usize = 2_000_000;

/// What was read before a mistake counts.
pub(super) fn json(text: &str, found: &mut Found) -> Value {
    let mut value = Value::Null;
    // Windows' editors and tools of .NET write a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Slot(&mut value).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    if let Err(error) = read {
        found.malformed(format!("JSON cannot be read further: {error}"), error.line());
    }
    value
}

/// An entry is a table of the outermost array that it lies in, such as `[[package]]`.
pub(super) fn toml(text: &str, found: &mut Found) -> Value {
    let parse = |text: &str| {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            (error.message().to_owned(), before.matches('\n').count())
        })
    };
    recover(text, found, &parse, &|lines, at| {
        let begins = |line: &&&str| line.starts_with("[[") && !line.contains('.');
        let start = lines[..=at].iter().rposition(|line| begins(&line)).unwrap_or(at);
        let next = lines[start + 1..].iter().position(|line| begins(&line));
        start..next.map_or(lines.len(), |next| start + 1 + next)
    })
}

/// An entry is what a key in the second column of names stands for, or an item of an outermost list.
pub(super) fn yaml(text: &str, found: &mut Found) -> Value {
    let parse = |text: &str| {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_nodes: MAX_NODES, max_events: 2 * MAX_NODES },
            duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::FirstWins,
        };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let line = error.location().map_or(0, |location| location.line());
            let message = error.to_string().lines().next().unwrap_or_default().to_owned();
            (message, usize::try_from(line).unwrap_or(0).saturating_sub(1))
        })
    };
    recover(text, found, &parse, &|lines, at| {
        let begins = |line: &str| {
            let indent = line.len() - line.trim_start().len();
            !line.trim().is_empty() && (indent < 2 || (indent == 2 && !line.starts_with("  - ")))
        };
        let start = lines[..=at].iter().rposition(|line| begins(line)).unwrap_or(at);
        let next = lines[start + 1..].iter().position(|line| begins(line));
        start..next.map_or(lines.len(), |next| start + 1 + next)
    })
}

/// A 0-based line and what is wrong there.
type Mistake = (String, usize);

/// Parses, each time without the entries that the parser did not like. Lines keep their numbers.
fn recover(
    text: &str,
    found: &mut Found,
    parse: &dyn Fn(&str) -> Result<Value, Mistake>,
    entry: &dyn Fn(&[&str], usize) -> Range<usize>,
) -> Value {
    let mut text = Cow::from(text.strip_prefix('\u{feff}').unwrap_or(text));
    for _ in 0..MAX_MISTAKES {
        let (message, line) = match parse(&text) {
            Ok(value) => return value,
            Err(mistake) => mistake,
        };
        let mut lines: Vec<&str> = text.lines().collect();
        let Some(last) = lines.len().checked_sub(1) else { break };
        // A text that ends early is wrong at its end, where no line may be left.
        let filled = lines[..=line.min(last)].iter().rposition(|line| !line.trim().is_empty());
        let Some(at) = filled else { break };
        found.malformed(message, at + 1);
        let broken = entry(&lines, at);
        lines[broken].fill("");
        text = Cow::from(lines.join("\n"));
    }
    found.unreadable("no part of the file can be read past its mistakes");
    Value::Null
}

/// The 1-based line where `key` first stands in quotes, for a complaint about its entry.
pub(super) fn line_of(text: &str, key: &str) -> usize {
    let quoted = format!("\"{key}\"");
    text.find(&quoted).map_or(1, |at| text[..at].matches('\n').count() + 1)
}

/// Where a value goes while it is read, so that what came before a mistake is kept.
struct Slot<'a>(&'a mut Value);

impl<'de> DeserializeSeed<'de> for Slot<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Slot<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        *self.0 = Value::from(value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        *self.0 = Value::from(value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        *self.0 = Value::from(value);
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        *self.0 = Value::from(value);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        *self.0 = Value::from(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        *self.0 = Value::Array(Vec::new());
        let Value::Array(items) = self.0 else { return Ok(()) };
        loop {
            let mut item = Value::Null;
            let read = sequence.next_element_seed(Slot(&mut item));
            if !matches!(read, Ok(None)) && !item.is_null() {
                items.push(item);
            }
            if read?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        *self.0 = Value::Object(Map::new());
        let Value::Object(members) = self.0 else { return Ok(()) };
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(Slot(members.entry(key).or_insert(Value::Null)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = fn(&str, &mut Found) -> Value;

    /// `expected` is the value as JSON and the lines of the gaps.
    #[track_caller]
    fn check(read: Read, text: &str, expected: &str) {
        let mut found = Found::default();
        let mut actual = read(text, &mut found).to_string();
        for problem in &found.problems {
            actual += &format!("; {}", problem.line.unwrap_or_default());
        }
        assert_eq!(actual, expected);
    }

    #[test]
    fn json_counts_up_to_the_mistake() {
        check(json, r#"{"a": [1, "x", null, true], "b": {}}"#, r#"{"a":[1,"x",true],"b":{}}"#);
        check(json, "\u{feff}{\"a\": 1}", r#"{"a":1}"#);
        check(
            json,
            "{\"a\": {\"v\": \"1\"},\n\"b\": {\"v\": \"2",
            r#"{"a":{"v":"1"},"b":{"v":null}}; 2"#,
        );
        check(json, "[1,\n2,\n<<<<", "[1,2]; 3");
        check(json, "{\"a\": 1}\nrubbish", r#"{"a":1}; 2"#);
        check(json, "", "null; 1");
        let deep = "[".repeat(100_000);
        let mut found = Found::default();
        json(&deep, &mut found);
        assert_eq!(found.problems.len(), 1);
    }

    #[test]
    fn toml_costs_the_entry() {
        let three = "v = 1\n[[p]]\nn = \"a\"\n[[p]]\nn = b\n[p.d]\nx = 1\n[[p]]\nn = \"c\"\n";
        check(toml, three, r#"{"p":[{"n":"a"},{"n":"c"}],"v":1}; 5"#);
        check(toml, "[[p]]\nn = \"a\"\n[[p]]\nn = \"b", r#"{"p":[{"n":"a"}]}; 4"#);
        check(toml, "<<<<\n[[p]]\nn = \"a\"\n", r#"{"p":[{"n":"a"}]}; 1"#);
        check(toml, "", "{}");
    }

    #[test]
    fn yaml_costs_the_entry() {
        let three = "p:\n  a:\n    v: 1.0.0\n  b:\n    v: [2\n  c:\n    v: 3.0.0\n";
        check(yaml, three, r#"{"p":{"a":{"v":"1.0.0"}}}; 6; 5"#);
        check(
            yaml,
            "p:\n  a:\n    v: 1.0.0\n  b:\n    v: \"2\n",
            r#"{"p":{"a":{"v":"1.0.0"}}}; 5"#,
        );
        check(yaml, "p:\n  a: {v: x}\n  a: {v: y}\n", r#"{"p":{"a":{"v":"x"}}}"#);
        check(yaml, "", "null");
    }
}
