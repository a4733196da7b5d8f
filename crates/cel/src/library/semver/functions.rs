//! The functions on versions.
use super::Semver;
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::library::arguments::{boolean, own, text};
use crate::library::cost;
use crate::value::{Opaque, Value};
use std::any::Any;
use std::cmp::Ordering;

const TYPE: &str = "kubernetes.Semver";

pub(crate) static LIBRARY: Library = Library {
    since: 33,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::priced(
            "semver",
            &[
                Overload::global("string_to_semver", &["string"], TYPE, |arguments| {
                    parse(arguments).map(Value::opaque)
                }),
                Overload::global("string_bool_to_semver", &["string", "bool"], TYPE, |arguments| {
                    parse(arguments).map(Value::opaque)
                }),
            ],
            cost::reading,
        ),
        Function::priced(
            "isSemver",
            &[
                Overload::global("is_semver_string", &["string"], "bool", |arguments| {
                    Ok(Value::Bool(parse(arguments).is_ok()))
                }),
                Overload::global(
                    "is_semver_string_bool",
                    &["string", "bool"],
                    "bool",
                    |arguments| Ok(Value::Bool(parse(arguments).is_ok())),
                ),
            ],
            cost::reading,
        ),
        Function::new(
            "isGreaterThan",
            &[Overload::member("semver_is_greater_than", &[TYPE, TYPE], "bool", |arguments| {
                Ok(Value::Bool(order(arguments)? == Ordering::Greater))
            })],
        ),
        Function::new(
            "isLessThan",
            &[Overload::member("semver_is_less_than", &[TYPE, TYPE], "bool", |arguments| {
                Ok(Value::Bool(order(arguments)? == Ordering::Less))
            })],
        ),
        Function::new(
            "compareTo",
            &[Overload::member("semver_compare_to", &[TYPE, TYPE], "int", |arguments| {
                Ok(Value::Int(order(arguments)? as i64))
            })],
        ),
        // Numbers above 2^63 turn negative, as in Go.
        Function::new(
            "major",
            &[Overload::member("semver_major", &[TYPE], "int", |arguments| {
                Ok(Value::Int(semver(arguments, 0)?.major as i64))
            })],
        ),
        Function::new(
            "minor",
            &[Overload::member("semver_minor", &[TYPE], "int", |arguments| {
                Ok(Value::Int(semver(arguments, 0)?.minor as i64))
            })],
        ),
        Function::new(
            "patch",
            &[Overload::member("semver_patch", &[TYPE], "int", |arguments| {
                Ok(Value::Int(semver(arguments, 0)?.patch as i64))
            })],
        ),
    ],
};

/// `(text)` or `(text, normalize)`.
fn parse(arguments: &[Value<'_>]) -> Result<Semver, EvalError> {
    let text = text(arguments, 0)?;
    let parsed = match arguments.len() > 1 && boolean(arguments, 1)? {
        true => Semver::parse_tolerant(text),
        false => Semver::parse(text),
    };
    parsed.map_err(EvalError::Error)
}

fn semver<'v>(arguments: &'v [Value<'_>], at: usize) -> Result<&'v Semver, EvalError> {
    own(arguments, at)
}

fn order(arguments: &[Value<'_>]) -> Result<Ordering, EvalError> {
    Ok(semver(arguments, 0)?.cmp(semver(arguments, 1)?))
}

impl Opaque for Semver {
    fn type_name(&self) -> &'static str {
        TYPE
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
