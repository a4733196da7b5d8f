//! How values print: Go's `%v` of them, `string(x)` of numbers, and cel-go's own notation.
use super::{Opaque, Value};
use std::fmt::{self, Write};

/// A value as Go's `%v` prints it: what error messages quote.
pub struct Go<'v, 'a>(pub &'v Value<'a>);

/// Elements a text may tell of; nobody reads more, and what is shared would be told over and over.
const MAX_TOLD: u64 = 100_000;

impl fmt::Display for Go<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.made_nodes(MAX_TOLD) {
            Some(_) => self.tell(f),
            None => f.write_str("…"),
        }
    }
}

impl Go<'_, '_> {
    fn tell(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("0"), // cel-go's Null is a protobuf enumeration.
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Uint(value) => write!(f, "{value}"),
            Value::Double(value) => f.write_str(&double(*value)),
            Value::String(text) => f.write_str(text),
            Value::Bytes(bytes) => {
                let inner: Vec<String> = bytes.iter().map(u8::to_string).collect();
                write!(f, "[{}]", inner.join(" "))
            }
            Value::Duration(value) => f.write_str(&value.go()),
            Value::Timestamp(value) => f.write_str(&value.go()),
            Value::List(list) => {
                f.write_char('[')?;
                for (at, item) in list.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { ", " })?;
                    Go(&item).tell(f)?;
                }
                f.write_char(']')
            }
            Value::Map(map) => {
                f.write_char('{')?;
                for (at, (key, value)) in map.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { ", " })?;
                    Go(&key).tell(f)?;
                    f.write_str(": ")?;
                    Go(&value).tell(f)?;
                }
                f.write_char('}')
            }
            Value::Optional(None) => f.write_str("optional.none()"),
            Value::Optional(Some(value)) => {
                f.write_str("optional(")?;
                Go(value).tell(f)?;
                f.write_char(')')
            }
            Value::Type(name) => f.write_str(name),
            Value::Opaque(value) => write!(f, "{value:?}"),
        }
    }
}

/// Go's `%g`: the shortest digits that read back, with an exponent below 1e-4 and from 1e6.
#[must_use]
pub(super) fn double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let exponential = format!("{value:e}");
    let (digits, exponent) = exponential.split_once('e').unwrap_or((&exponential, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

impl fmt::Display for dyn Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
