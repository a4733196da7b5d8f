//! `string.format`: a text whose clauses are filled with values. Source: cel-go/ext/formatting.go at 0.26, version 1.
use super::printf::{self, Verb};
use crate::error::EvalError;
use crate::library::go_text::quote;
use crate::value::convert::to_string;
use crate::value::{List, Map, Value};

/// Bytes of one result; a clause of ten bytes may ask for 65535 of padding.
const MAX_BYTES: usize = 16 << 20;

/// Errors: cel-go's texts; the limit, where the result would be longer than ours.
pub(super) fn render(format: &str, arguments: &List<'_>) -> Result<String, EvalError> {
    let mut rendered = String::with_capacity(format.len());
    let (mut rest, mut index) = (format, 0);
    while let Some((before, clause)) = rest.split_once('%') {
        rendered.push_str(before);
        if let Some(after) = clause.strip_prefix('%') {
            rendered.push('%');
            rest = after;
            continue;
        }
        let argument = arguments.get(index);
        let argument =
            argument.ok_or_else(|| EvalError::Error(format!("index {index} out of range")))?;
        if clause.is_empty() {
            return Err(EvalError::new("unexpected end of string"));
        }
        let (verb, taken) = printf::clause(clause).map_err(EvalError::Error)?;
        let text = one(verb, &argument)
            .map_err(|error| EvalError::Error(format!("error during formatting: {error}")))?;
        if rendered.len() + text.len() > MAX_BYTES {
            return Err(EvalError::Limit);
        }
        rendered.push_str(&text);
        rest = &clause[taken..];
        index += 1;
    }
    rendered.push_str(rest);
    Ok(rendered)
}

fn one(verb: Verb, value: &Value<'_>) -> Result<String, String> {
    let text = match verb {
        Verb::String => return string(value),
        Verb::Decimal => radix(value, |number| number.to_string()),
        Verb::Fixed(precision) => number(value).map(|value| printf::fixed(value, precision)),
        Verb::Scientific(precision) => {
            number(value).map(|value| printf::scientific(value, precision))
        }
        Verb::Binary => match value {
            Value::Bool(value) => Some(u8::from(*value).to_string()),
            _ => radix(value, |number| format!("{number:b}")),
        },
        Verb::Octal => radix(value, |number| format!("{number:o}")),
        Verb::Hex { upper: false } => hex(value),
        Verb::Hex { upper: true } => hex(value).map(|text| text.to_uppercase()),
    };
    text.ok_or_else(|| verb.refusal(value.type_name()))
}

/// A double, or the text that stands for a special one.
fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Double(value) => Some(*value),
        Value::String(text) => match &**text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// Sign and magnitude, as Go writes negative numbers in every base.
fn radix(value: &Value<'_>, write: fn(u64) -> String) -> Option<String> {
    match value {
        Value::Int(value) => {
            let sign = if *value < 0 { "-" } else { "" };
            Some(format!("{sign}{}", write(value.unsigned_abs())))
        }
        Value::Uint(value) => Some(write(*value)),
        _ => None,
    }
}

fn hex(value: &Value<'_>) -> Option<String> {
    let bytes = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match value {
        Value::String(text) => Some(bytes(text.as_bytes())),
        Value::Bytes(value) => Some(bytes(value)),
        _ => radix(value, |number| format!("{number:x}")),
    }
}

/// `%s`
fn string(value: &Value<'_>) -> Result<String, String> {
    match value {
        Value::Null => Ok("null".into()),
        Value::List(list) => list_text(list),
        Value::Map(map) => map_text(map),
        Value::Type(name) => Ok(name.to_string()),
        Value::Optional(_) | Value::Opaque(_) => Err(Verb::String.refusal(value.type_name())),
        value => match to_string(value) {
            Ok(text) => Ok(text.as_str().unwrap_or_default().to_owned()),
            Err(error) => {
                let error = quote(&error.to_string());
                Err(format!("could not convert argument {error} to string"))
            }
        },
    }
}

fn list_text(list: &List<'_>) -> Result<String, String> {
    let items = list.iter().map(|item| nested(&item)).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("[{}]", items.join(", ")))
}

/// Sorted by the text of the keys.
fn map_text(map: &Map<'_>) -> Result<String, String> {
    let mut entries = Vec::with_capacity(map.len());
    for (key, value) in map.iter() {
        let key = match key {
            Value::String(_) | Value::Bool(_) | Value::Int(_) | Value::Uint(_) => nested(&key)?,
            _ => {
                let kind = key.type_name();
                return Err(format!("no formatting function for map key of type {kind}"));
            }
        };
        entries.push((key, nested(&value)?));
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    let entries: Vec<String> =
        entries.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
    Ok(format!("{{{}}}", entries.join(", ")))
}

/// Inside lists and maps values look as they are written in CEL.
fn nested(value: &Value<'_>) -> Result<String, String> {
    Ok(match value {
        Value::String(text) => quote(text),
        Value::Bytes(_) => format!("b{}", quote(&string(value)?)),
        Value::Double(value) if value.is_nan() => "\"NaN\"".into(),
        Value::Double(f64::INFINITY) => "\"+Inf\"".into(),
        Value::Double(f64::NEG_INFINITY) => "\"-Inf\"".into(),
        Value::Double(value) => format!("{value:.6}"),
        Value::Duration(_) => format!("duration({})", quote(&string(value)?)),
        Value::Timestamp(_) => format!("timestamp({})", quote(&string(value)?)),
        Value::Optional(_) | Value::Opaque(_) => {
            return Err(format!("no formatting function for {}", value.type_name()));
        }
        value => string(value)?,
    })
}
