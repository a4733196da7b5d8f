//! Kubernetes' functions on lists. Source: k8s.io/apiserver/pkg/cel/library/lists.go; `includes` from 1.37.
use super::arguments::{Outcome, list};
use super::cost;
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::time::Duration;
use crate::value::Value;
use crate::value::number::{Operator, arithmetic};
use std::cmp::Ordering;

pub(crate) static LIBRARY: Library = Library {
    since: 0,
    until: u32::MAX,
    types: &[],
    functions: &[
        IS_SORTED,
        SUM,
        MAX,
        MIN,
        Function::priced(
            "indexOf",
            &[Overload::member("list_a_index_of_int", &["list(A)", "A"], "int", |arguments| {
                let list = list(arguments, 0)?;
                position(list.iter().position(|item| item.equals(&arguments[1])))
            })],
            cost::whole,
        ),
        Function::priced(
            "lastIndexOf",
            &[Overload::member(
                "list_a_last_index_of_int",
                &["list(A)", "A"],
                "int",
                |arguments| {
                    let list = list(arguments, 0)?;
                    let same = |index: &usize| {
                        list.get(*index).is_some_and(|item| item.equals(&arguments[1]))
                    };
                    position((0..list.len()).rev().find(same))
                },
            )],
            cost::whole,
        ),
    ],
};

/// A list that holds the value, or the value itself.
pub(crate) static INCLUDES: Library = Library {
    since: 37,
    until: u32::MAX,
    types: &[],
    functions: &[Function::priced(
        "includes",
        &[Overload::member("list_includes_dyn_dyn", &["dyn", "dyn"], "bool", |arguments| {
            Ok(Value::Bool(match &arguments[0] {
                Value::List(list) => list.contains(&arguments[1]),
                value => value.equals(&arguments[1]),
            }))
        })],
        cost::whole,
    )],
};

const IS_SORTED: Function = Function::priced(
    "isSorted",
    &[
        Overload::member("list_int_is_sorted_bool", &["list(int)"], "bool", is_sorted),
        Overload::member("list_uint_is_sorted_bool", &["list(uint)"], "bool", is_sorted),
        Overload::member("list_double_is_sorted_bool", &["list(double)"], "bool", is_sorted),
        Overload::member("list_bool_is_sorted_bool", &["list(bool)"], "bool", is_sorted),
        Overload::member("list_duration_is_sorted_bool", &["list(duration)"], "bool", is_sorted),
        Overload::member("list_timestamp_is_sorted_bool", &["list(timestamp)"], "bool", is_sorted),
        Overload::member("list_string_is_sorted_bool", &["list(string)"], "bool", is_sorted),
        Overload::member("list_bytes_is_sorted_bool", &["list(bytes)"], "bool", is_sorted),
    ],
    cost::whole,
);

const SUM: Function = Function::priced(
    "sum",
    &[
        Overload::member("list_int_sum_int", &["list(int)"], "int", |arguments| {
            sum(arguments, Value::Int(0))
        }),
        Overload::member("list_uint_sum_uint", &["list(uint)"], "uint", |arguments| {
            sum(arguments, Value::Uint(0))
        }),
        Overload::member("list_double_sum_double", &["list(double)"], "double", |arguments| {
            sum(arguments, Value::Double(0.0))
        }),
        Overload::member(
            "list_duration_sum_duration",
            &["list(duration)"],
            "duration",
            |arguments| sum(arguments, Value::Duration(Duration::from_nanoseconds(0))),
        ),
    ],
    cost::whole,
);

const MAX: Function = Function::priced(
    "max",
    &[
        Overload::member("list_int_max_int", &["list(int)"], "int", max),
        Overload::member("list_uint_max_uint", &["list(uint)"], "uint", max),
        Overload::member("list_double_max_double", &["list(double)"], "double", max),
        Overload::member("list_bool_max_bool", &["list(bool)"], "bool", max),
        Overload::member("list_duration_max_duration", &["list(duration)"], "duration", max),
        Overload::member("list_timestamp_max_timestamp", &["list(timestamp)"], "timestamp", max),
        Overload::member("list_string_max_string", &["list(string)"], "string", max),
        Overload::member("list_bytes_max_bytes", &["list(bytes)"], "bytes", max),
    ],
    cost::whole,
);

const MIN: Function = Function::priced(
    "min",
    &[
        Overload::member("list_int_min_int", &["list(int)"], "int", min),
        Overload::member("list_uint_min_uint", &["list(uint)"], "uint", min),
        Overload::member("list_double_min_double", &["list(double)"], "double", min),
        Overload::member("list_bool_min_bool", &["list(bool)"], "bool", min),
        Overload::member("list_duration_min_duration", &["list(duration)"], "duration", min),
        Overload::member("list_timestamp_min_timestamp", &["list(timestamp)"], "timestamp", min),
        Overload::member("list_string_min_string", &["list(string)"], "string", min),
        Overload::member("list_bytes_min_bytes", &["list(bytes)"], "bytes", min),
    ],
    cost::whole,
);

fn position<'a>(index: Option<usize>) -> Outcome<'a> {
    Ok(Value::Int(index.map_or(-1, |index| index as i64)))
}

/// Elements without a common order are neither greater nor less.
fn is_sorted<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    let mut previous: Option<Value<'a>> = None;
    for item in list(arguments, 0)?.iter() {
        let item = comparable(item)?;
        if previous.is_some_and(|previous| previous.order(&item) == Ok(Ordering::Greater)) {
            return Ok(Value::Bool(false));
        }
        previous = Some(item);
    }
    Ok(Value::Bool(true))
}

fn sum<'a>(arguments: &[Value<'a>], zero: Value<'a>) -> Outcome<'a> {
    list(arguments, 0)?.iter().try_fold(zero, |sum, item| arithmetic(Operator::Add, &sum, &item))
}

fn max<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    extreme(arguments, Ordering::Less, "max called on empty list")
}

fn min<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    extreme(arguments, Ordering::Greater, "min called on empty list")
}

/// The first element that none after it beats; `worse` is how a beaten one compares.
fn extreme<'a>(arguments: &[Value<'a>], worse: Ordering, empty: &str) -> Outcome<'a> {
    let mut best: Option<Value<'a>> = None;
    for item in list(arguments, 0)?.iter() {
        let item = comparable(item)?;
        if best.as_ref().is_none_or(|best| best.order(&item) == Ok(worse)) {
            best = Some(item);
        }
    }
    best.ok_or_else(|| EvalError::new(empty))
}

fn comparable(value: Value<'_>) -> Result<Value<'_>, EvalError> {
    if value.is_ordered() { Ok(value) } else { Err(EvalError::no_overload()) }
}
