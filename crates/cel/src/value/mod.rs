//! The values expressions work on. JSON is borrowed as it lies, never converted.
//!
//! `compare` equal and ordered values, `number` arithmetic, `convert` `int(x)` and its like, `text` how values print.
mod compare;
pub(crate) mod convert;
mod index;
mod list;
mod map;
pub(crate) mod number;
mod text;

pub use index::key_text;
pub use list::List;
pub use map::{Key, Made, Map};
pub use text::Go;

use crate::time::{Duration, Timestamp};
use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A value; cheap to clone. `'a` is the JSON it borrows from.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(Text<'a>),
    Bytes(Arc<[u8]>),
    Duration(Duration),
    Timestamp(Timestamp),
    List(List<'a>),
    Map(Map<'a>),
    Optional(Option<Arc<Value<'a>>>),
    /// What `type(x)` gives: the type's name at run time.
    Type(Text<'a>),
    /// A library's value.
    Opaque(Arc<dyn Opaque>),
}

/// Text that is borrowed from JSON or shared.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    Borrowed(&'a str),
    Shared(Arc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Shared(text) => text,
        }
    }
}

/// A value only its library can look into.
pub trait Opaque: fmt::Debug + Send + Sync {
    /// `net.IP`, `kubernetes.Quantity`.
    fn type_name(&self) -> &'static str;
    fn equals(&self, other: &dyn Opaque) -> bool;
    /// Whether `==` has an answer for both, which is an error otherwise.
    fn compares_with(&self, other: &dyn Opaque) -> bool {
        self.type_name() == other.type_name()
    }
    fn as_any(&self) -> &dyn Any;
    /// Its size, for values that have one (a CIDR's bytes).
    fn size(&self) -> Option<u64> {
        None
    }
}

impl<'a> Value<'a> {
    /// Borrows `json`. Whole numbers are `int`, as the API server reads them; above `i64` they are `double`.
    #[must_use]
    pub fn json(json: &'a serde_json::Value) -> Value<'a> {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(value) => Value::Int(value),
                None => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Value::String(Text::Borrowed(text)),
            serde_json::Value::Array(items) => Value::List(List::Json(items)),
            serde_json::Value::Object(fields) => Value::Map(Map::Json(fields)),
        }
    }

    /// Text of its own.
    #[must_use]
    pub fn string(text: impl Into<Arc<str>>) -> Value<'a> {
        Value::String(Text::Shared(text.into()))
    }

    #[must_use]
    pub fn list(items: Vec<Value<'a>>) -> Value<'a> {
        Value::List(List::Made(Arc::new(items)))
    }

    #[must_use]
    pub fn some(value: Value<'a>) -> Value<'a> {
        Value::Optional(Some(Arc::new(value)))
    }

    #[must_use]
    pub fn none() -> Value<'a> {
        Value::Optional(None)
    }

    #[must_use]
    pub fn opaque(value: impl Opaque + 'static) -> Value<'a> {
        Value::Opaque(Arc::new(value))
    }

    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(value) => Some(*value),
            _ => None,
        }
    }

    #[must_use]
    pub fn as_list(&self) -> Option<&List<'a>> {
        match self {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    #[must_use]
    pub fn as_map(&self) -> Option<&Map<'a>> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The library's value of type `T`.
    #[must_use]
    pub fn as_opaque<T: 'static>(&self) -> Option<&T> {
        match self {
            Value::Opaque(value) => value.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// Its type's name at run time, as cel-go prints it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null_type",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Uint(_) => "uint",
            Value::Double(_) => "double",
            Value::String(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::Duration(_) => "google.protobuf.Duration",
            Value::Timestamp(_) => "google.protobuf.Timestamp",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Optional(_) => "optional_type",
            Value::Type(_) => "type",
            Value::Opaque(value) => value.type_name(),
        }
    }

    /// `size(x)`: code points, bytes or elements; `None` for what has no size.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        let count = match self {
            Value::String(text) => code_points(text),
            Value::Bytes(bytes) => bytes.len(),
            Value::List(list) => list.len(),
            Value::Map(map) => map.len(),
            Value::Opaque(value) => return value.size(),
            _ => return None,
        };
        Some(count as u64)
    }

    /// Whether `optional.ofNonZeroValue` leaves it out.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Bool(value) => !value,
            Value::Int(value) => *value == 0,
            Value::Uint(value) => *value == 0,
            Value::Double(value) => *value == 0.0,
            Value::Duration(value) => value.nanoseconds() == 0,
            Value::Timestamp(value) => value.is_zero(),
            Value::String(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_) => {
                self.size() == Some(0)
            }
            Value::Optional(_) | Value::Type(_) | Value::Opaque(_) => false,
        }
    }
}

impl Value<'_> {
    /// Lists, maps and elements that walking through it meets, up to `limit`; `None`: more. What is shared counts each
    /// time, as `{'a': x, 'b': x}` doubles with every step. JSON counts as one: it shares nothing.
    pub(crate) fn made_nodes(&self, limit: u64) -> Option<u64> {
        let left = limit.checked_sub(1)?;
        let all = |values: &mut dyn Iterator<Item = &Value<'_>>| {
            let mut seen = 1;
            for value in values {
                seen += value.made_nodes(left.checked_sub(seen)?)?;
            }
            Some(seen)
        };
        match self {
            Value::List(List::Made(items)) => all(&mut items.iter()),
            Value::Map(Map::Made(entries)) => {
                all(&mut entries.values().flat_map(|(key, value)| [key, value]))
            }
            Value::Optional(Some(value)) => value.made_nodes(left).map(|seen| seen + 1),
            _ => Some(1),
        }
    }
}

/// Code points of `text`; what `size` counts and costs are made of.
#[must_use]
pub fn code_points(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}
