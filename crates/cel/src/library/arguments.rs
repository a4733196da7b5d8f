//! Reading the arguments of a call. A value of another type than declared has no overload, as in cel-go.
use crate::error::EvalError;
use crate::value::{List, Value};

pub(super) type Outcome<'a> = Result<Value<'a>, EvalError>;

pub(super) fn text<'v>(arguments: &'v [Value<'_>], at: usize) -> Result<&'v str, EvalError> {
    arguments.get(at).and_then(Value::as_str).ok_or_else(EvalError::no_overload)
}

pub(super) fn int(arguments: &[Value<'_>], at: usize) -> Result<i64, EvalError> {
    arguments.get(at).and_then(Value::as_int).ok_or_else(EvalError::no_overload)
}

pub(super) fn boolean(arguments: &[Value<'_>], at: usize) -> Result<bool, EvalError> {
    arguments.get(at).and_then(Value::as_bool).ok_or_else(EvalError::no_overload)
}

pub(super) fn list<'v, 'a>(
    arguments: &'v [Value<'a>],
    at: usize,
) -> Result<&'v List<'a>, EvalError> {
    arguments.get(at).and_then(Value::as_list).ok_or_else(EvalError::no_overload)
}

/// Pairs of elements that one call compares. They cost a unit each, which is charged once the call is over; no budget
/// pays for more.
const MAX_PAIRS: usize = 10_000_000;

/// Stops a call that would compare each element of `a` with each of `b`, where its price is out of reach anyway.
pub(super) fn compare_pairs(a: &List<'_>, b: &List<'_>) -> Result<(), EvalError> {
    if a.len().saturating_mul(b.len()) > MAX_PAIRS { Err(EvalError::Limit) } else { Ok(()) }
}

/// A library's own value.
pub(super) fn own<'v, T: 'static>(
    arguments: &'v [Value<'_>],
    at: usize,
) -> Result<&'v T, EvalError> {
    arguments.get(at).and_then(Value::as_opaque).ok_or_else(EvalError::no_overload)
}

pub(super) fn strings<'a>(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Value<'a> {
    Value::list(texts.into_iter().map(|text| Value::string(text.as_ref())).collect())
}
