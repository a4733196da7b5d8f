//! Equality across types and order within them.
use super::{List, Map, Value};
use crate::error::EvalError;
use std::cmp::Ordering;

impl Value<'_> {
    /// `==`. Numbers of all types compare by value; other types never equal one another; NaN equals nothing.
    #[must_use]
    pub fn equals(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::String(a), Value::String(b)) | (Value::Type(a), Value::Type(b)) => **a == **b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::Duration(a), Value::Duration(b)) => a == b,
            (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
            (Value::List(a), Value::List(b)) => lists_equal(a, b),
            (Value::Map(a), Value::Map(b)) => maps_equal(a, b),
            (Value::Optional(a), Value::Optional(b)) => match (a, b) {
                (Some(a), Some(b)) => a.equals(b),
                (a, b) => a.is_none() && b.is_none(),
            },
            (Value::Opaque(a), Value::Opaque(b)) => a.equals(b.as_ref()),
            (a, b) => numbers(a, b) == Some(Ok(Ordering::Equal)),
        }
    }

    /// Whether `self == other` is an error: only a library's value refuses.
    pub(crate) fn refuses(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::Opaque(a), Value::Opaque(b)) => !a.compares_with(b.as_ref()),
            (Value::Opaque(_), _) => true,
            _ => false,
        }
    }

    /// The order of two values. Errors: types without a common order, NaN.
    pub fn order(&self, other: &Value<'_>) -> Result<Ordering, EvalError> {
        Ok(match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::String(a), Value::String(b)) => (**a).cmp(&**b),
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
            (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
            (a, b) => match numbers(a, b) {
                Some(Ok(order)) => order,
                Some(Err(())) => return Err(EvalError::new("NaN values cannot be ordered")),
                None => return Err(EvalError::no_overload()),
            },
        })
    }

    /// Whether `<` and its like exist for its type at all.
    pub(crate) fn is_ordered(&self) -> bool {
        matches!(
            self,
            Value::Bool(_)
                | Value::Int(_)
                | Value::Uint(_)
                | Value::Double(_)
                | Value::String(_)
                | Value::Bytes(_)
                | Value::Duration(_)
                | Value::Timestamp(_)
        )
    }
}

fn lists_equal(a: &List<'_>, b: &List<'_>) -> bool {
    a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| within(&a, &b))
}

/// Equality of what lists and maps hold: cel-go looks for what is unequal, and an error is not.
fn within(a: &Value<'_>, b: &Value<'_>) -> bool {
    a.equals(b) || a.refuses(b)
}

fn maps_equal(a: &Map<'_>, b: &Map<'_>) -> bool {
    a.len() == b.len()
        && a.iter().all(|(key, value)| b.get(&key).is_some_and(|other| within(&value, &other)))
}

/// `None`: not both are numbers. `Err`: one is NaN.
fn numbers(a: &Value<'_>, b: &Value<'_>) -> Option<Result<Ordering, ()>> {
    let whole = |value: &Value<'_>| match value {
        Value::Int(value) => Some(i128::from(*value)),
        Value::Uint(value) => Some(i128::from(*value)),
        _ => None,
    };
    Some(match (a, b) {
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b).ok_or(()),
        (Value::Double(a), b) => whole_against(whole(b)?, *a).map(Ordering::reverse),
        (a, Value::Double(b)) => whole_against(whole(a)?, *b),
        (a, b) => Ok(whole(a)?.cmp(&whole(b)?)),
    })
}

/// cel-go compares within the range as doubles, so `int` beyond 2^53 loses its last bits here too.
fn whole_against(a: i128, b: f64) -> Result<Ordering, ()> {
    (a as f64).partial_cmp(&b).ok_or(())
}
