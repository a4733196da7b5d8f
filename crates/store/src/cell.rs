//! A field's value: taken from the noun's JSON in one place, for the column, the memory evaluator and facets alike.
use crate::filter::fold;
use crate::noun::{Field, Kind, Table};
use seawall_model::Severity;
use serde_json::Value;

/// What a column holds. Order: absent values come last, whatever the direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Absent,
    Text(String),
    Int(i64),
}

/// Characters of a text that are compared, sorted and indexed: PostgreSQL's index entries end at 2,700 bytes.
pub(crate) const MAX_TEXT: usize = 512;
/// Characters of the text that words search, per object.
const MAX_SEARCH: usize = 8_192;
/// Sits before, between and after the items of a list column; removed from items.
pub(crate) const SEPARATOR: char = '\u{1f}';
/// Decimals are kept as integers of this many per one, so that both engines compare them exactly.
const DECIMAL: f64 = 1e6;

pub(crate) fn cell(field: &Field, document: &Value) -> Cell {
    match field.kind {
        Kind::List => list(field.pointer, document),
        Kind::Bool => flag(document.pointer(field.pointer)),
        _ => document.pointer(field.pointer).map_or(Cell::Absent, |value| scalar(field, value)),
    }
}

fn flag(value: Option<&Value>) -> Cell {
    match value {
        Some(Value::Bool(set)) => Cell::Int(i64::from(*set)),
        // A list says yes where it has items.
        Some(Value::Array(items)) => Cell::Int(i64::from(!items.is_empty())),
        _ => Cell::Absent,
    }
}

fn scalar(field: &Field, value: &Value) -> Cell {
    match (field.kind, value) {
        (Kind::Severity, Value::String(word)) => {
            word.parse().map_or(Cell::Absent, |severity| Cell::Int(rank(severity)))
        }
        (Kind::Decimal, value) => {
            value.as_f64().map_or(Cell::Absent, |number| Cell::Int(decimal(number)))
        }
        (kind, Value::String(text)) if !kind.is_integer() => Cell::Text(clip(text)),
        (kind, value) if kind.is_integer() => integer(value).map_or(Cell::Absent, Cell::Int),
        _ => Cell::Absent,
    }
}

fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_u64().map(|_| i64::MAX))
}

/// Items of a list as `␟a␟b␟`; absent when there are none. Pairs become `key=value`.
fn list(pointer: &str, document: &Value) -> Cell {
    let (array, inner) = pointer.split_once("/*").unwrap_or((pointer, ""));
    let items = document.pointer(array).and_then(Value::as_array);
    let texts = items.into_iter().flatten().filter_map(|item| match item.pointer(inner)? {
        Value::String(text) => Some(clip(text).replace(SEPARATOR, "")),
        Value::Array(pair) => {
            let part = |at: usize| pair.get(at).and_then(Value::as_str);
            Some(clip(&format!("{}={}", part(0)?, part(1)?)).replace(SEPARATOR, ""))
        }
        _ => None,
    });
    let joined: String = texts.map(|text| format!("{SEPARATOR}{text}")).collect();
    if joined.is_empty() { Cell::Absent } else { Cell::Text(format!("{joined}{SEPARATOR}")) }
}

/// A text as columns hold it: bounded, NUL replaced, which PostgreSQL cannot hold.
pub(crate) fn clip(text: &str) -> String {
    text.chars().take(MAX_TEXT).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect()
}

/// A text as documents hold it, to compare with what was stored.
pub(crate) fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// 0 is unknown, 5 critical.
pub(crate) fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Unknown => 0,
        Severity::Info => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

pub(crate) fn severity(rank: i64) -> Severity {
    Severity::ALL
        .into_iter()
        .find(|&severity| self::rank(severity) == rank)
        .unwrap_or(Severity::Unknown)
}

#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, which is what is wanted")]
pub(crate) fn decimal(number: f64) -> i64 {
    (number * DECIMAL).round() as i64
}

/// The text that words search: the noun's texts, folded, one per line.
pub(crate) fn search_text(table: &Table, document: &Value) -> String {
    let texts = table.search.iter().filter_map(|pointer| document.pointer(pointer)?.as_str());
    let joined: String = texts.flat_map(|text| [text, "\n"]).collect();
    fold(&joined).chars().take(MAX_SEARCH).collect()
}

/// A cell as a filter takes it back; `None` is absent.
pub(crate) fn display(kind: Kind, cell: &Cell) -> Option<String> {
    Some(match (kind, cell) {
        (_, Cell::Absent) => return None,
        (_, Cell::Text(text)) => text.clone(),
        (Kind::Severity, Cell::Int(rank)) => severity(*rank).to_string(),
        (Kind::Bool, Cell::Int(set)) => (*set != 0).to_string(),
        (Kind::Decimal, Cell::Int(millionths)) => {
            let (whole, part) = (millionths / 1_000_000, (millionths % 1_000_000).abs());
            let sign = if *millionths < 0 && whole == 0 { "-" } else { "" };
            let text = format!("{sign}{whole}.{part:06}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        (_, Cell::Int(number)) => number.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(kind: Kind, pointer: &'static str, document: Value, expected: Cell) {
        assert_eq!(cell(&Field::new("f", kind, pointer), &document), expected);
    }

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn cells() {
        check(Kind::Text, "/a/b", json!({"a": {"b": "x"}}), text("x"));
        check(Kind::Text, "/a", json!({"a": null}), Cell::Absent);
        check(Kind::Text, "/a", json!({"a": 5}), Cell::Absent);
        check(Kind::Text, "/a", json!({"a": "é".repeat(600)}), Cell::Text("é".repeat(512)));
        check(Kind::Severity, "/s", json!({"s": "high"}), Cell::Int(4));
        check(Kind::Number, "/n", json!({"n": 7}), Cell::Int(7));
        check(Kind::Number, "/n", json!({"n": u64::MAX}), Cell::Int(i64::MAX));
        check(Kind::Decimal, "/n", json!({"n": 0.97123}), Cell::Int(971_230));
        check(Kind::Bool, "/b", json!({"b": true}), Cell::Int(1));
        check(Kind::Bool, "/b", json!({"b": []}), Cell::Int(0));
        check(Kind::List, "/l", json!({"l": ["a", "b\u{1f}c"]}), text("\u{1f}a\u{1f}bc\u{1f}"));
        check(Kind::List, "/l", json!({"l": []}), Cell::Absent);
        check(Kind::List, "/l/*/n", json!({"l": [{"n": "a"}, {}]}), text("\u{1f}a\u{1f}"));
        check(Kind::List, "/l", json!({"l": [["k", "v"]]}), text("\u{1f}k=v\u{1f}"));
        assert_eq!(display(Kind::Decimal, &Cell::Int(971_230)).as_deref(), Some("0.97123"));
        assert_eq!(display(Kind::Decimal, &Cell::Int(-500_000)).as_deref(), Some("-0.5"));
    }
}
