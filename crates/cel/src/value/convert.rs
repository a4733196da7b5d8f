//! `int(x)`, `string(x)`, `timestamp(x)` and their like, with Go's readers.
use super::text::double as double_text;
use super::{Text, Value};
use crate::error::EvalError;
use crate::time::{Duration, Timestamp};
use std::sync::Arc;

type Outcome<'a> = Result<Value<'a>, EvalError>;

/// The words of text that does not read as `kind`.
fn unreadable(kind: &str) -> EvalError {
    EvalError::Error(format!("type conversion error from 'string' to '{kind}'"))
}

fn guard(function: &str, value: &Value<'_>) -> EvalError {
    EvalError::Error(format!("no such overload: {function}({})", value.type_name()))
}

pub(crate) fn to_int<'a>(value: &Value<'a>) -> Outcome<'a> {
    let overflow = || EvalError::new("integer overflow");
    Ok(Value::Int(match value {
        Value::Int(value) => *value,
        Value::Uint(value) => i64::try_from(*value).map_err(|_| overflow())?,
        Value::Double(value) => {
            let (low, high) = (i64::MIN as f64, i64::MAX as f64);
            if value.is_nan() || *value <= low || *value >= high {
                return Err(overflow());
            }
            *value as i64
        }
        Value::String(text) => text.parse().map_err(|_| unreadable("int"))?,
        Value::Duration(value) => value.nanoseconds(),
        Value::Timestamp(value) => value.seconds(),
        other => return Err(guard("int", other)),
    }))
}

pub(crate) fn to_uint<'a>(value: &Value<'a>) -> Outcome<'a> {
    let overflow = || EvalError::new("unsigned integer overflow");
    Ok(Value::Uint(match value {
        Value::Uint(value) => *value,
        Value::Int(value) => u64::try_from(*value).map_err(|_| overflow())?,
        Value::Double(value) => {
            if value.is_nan() || *value < 0.0 || *value >= u64::MAX as f64 {
                return Err(overflow());
            }
            *value as u64
        }
        // Go's reader knows no sign here.
        Value::String(text) if !text.starts_with('+') => {
            text.parse().map_err(|_| unreadable("uint"))?
        }
        Value::String(_) => return Err(unreadable("uint")),
        other => return Err(guard("uint", other)),
    }))
}

pub(crate) fn to_double<'a>(value: &Value<'a>) -> Outcome<'a> {
    Ok(Value::Double(match value {
        Value::Double(value) => *value,
        Value::Int(value) => *value as f64,
        Value::Uint(value) => *value as f64,
        Value::String(text) => read_double(text).ok_or_else(|| unreadable("double"))?,
        other => return Err(guard("double", other)),
    }))
}

/// Go's `ParseFloat`, whose special words differ from Rust's only in what overflows. Hexadecimal floats are unknown.
fn read_double(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let word = text.trim_start_matches(['+', '-']);
    (value.is_finite() || word.starts_with(|c: char| c.is_ascii_alphabetic())).then_some(value)
}

pub(crate) fn to_bool<'a>(value: &Value<'a>) -> Outcome<'a> {
    match value {
        Value::Bool(value) => Ok(Value::Bool(*value)),
        Value::String(text) => match &**text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(Value::Bool(false)),
            _ => Err(unreadable("bool")),
        },
        other => Err(guard("bool", other)),
    }
}

pub(crate) fn to_bytes<'a>(value: &Value<'a>) -> Outcome<'a> {
    match value {
        Value::Bytes(_) => Ok(value.clone()),
        Value::String(text) => Ok(Value::Bytes(Arc::from(text.as_bytes()))),
        other => Err(guard("bytes", other)),
    }
}

pub(crate) fn to_string<'a>(value: &Value<'a>) -> Outcome<'a> {
    Ok(Value::string(match value {
        Value::String(_) => return Ok(value.clone()),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => double_text(*value),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                return Err(EvalError::new("invalid UTF-8 in bytes, cannot convert to string"));
            }
        },
        Value::Duration(value) => value.to_string(),
        Value::Timestamp(value) => value.rfc3339(),
        other => return Err(guard("string", other)),
    }))
}

pub(crate) fn to_duration<'a>(value: &Value<'a>) -> Outcome<'a> {
    match value {
        Value::Duration(_) => Ok(value.clone()),
        Value::String(text) => Duration::parse(text)
            .map(Value::Duration)
            .ok_or_else(|| unreadable("google.protobuf.Duration")),
        Value::Int(_) => {
            Err(EvalError::new("type conversion error from 'int' to 'google.protobuf.Duration'"))
        }
        other => Err(guard("duration", other)),
    }
}

pub(crate) fn to_timestamp<'a>(value: &Value<'a>) -> Outcome<'a> {
    let overflow = || EvalError::new("timestamp overflow");
    match value {
        Value::Timestamp(_) => Ok(value.clone()),
        Value::Int(seconds) => {
            Timestamp::at(*seconds, 0, 0).map(Value::Timestamp).ok_or_else(overflow)
        }
        Value::String(text) => match Timestamp::parse(text) {
            Some(stamp) => stamp.map(Value::Timestamp).ok_or_else(overflow),
            None => Err(unreadable("google.protobuf.Timestamp")),
        },
        other => Err(guard("timestamp", other)),
    }
}

/// `type(x)`
pub(crate) fn type_of<'a>(value: &Value<'a>) -> Value<'a> {
    Value::Type(Text::Borrowed(value.type_name()))
}
