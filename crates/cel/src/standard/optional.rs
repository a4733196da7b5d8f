//! Optional values: `optional.of(x)`, `x.hasValue()`, `x.orValue(y)`; the interpreter has a step for `or`.
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::value::{Go, List, Value};

type Outcome<'a> = Result<Value<'a>, EvalError>;

pub(super) static LIBRARY: Library = Library {
    since: 28,
    until: u32::MAX,
    types: &["optional_type"],
    functions: &[
        Function::new(
            "optional.of",
            &[Overload::global("optional_of", &["V"], "optional_type(V)", of)],
        ),
        Function::new(
            "optional.ofNonZeroValue",
            &[Overload::global("optional_ofNonZeroValue", &["V"], "optional_type(V)", of_non_zero)],
        ),
        Function::new(
            "optional.none",
            &[Overload::global("optional_none", &[], "optional_type(V)", none)],
        ),
        Function::new(
            "value",
            &[Overload::member("optional_value", &["optional_type(V)"], "V", value)],
        ),
        Function::new(
            "hasValue",
            &[Overload::member("optional_hasValue", &["optional_type(V)"], "bool", has_value)],
        ),
        Function::new(
            "or",
            &[Overload::member(
                "optional_or_optional",
                &["optional_type(V)", "optional_type(V)"],
                "optional_type(V)",
                step,
            )],
        ),
        Function::new(
            "orValue",
            &[Overload::member("optional_orValue_value", &["optional_type(V)", "V"], "V", step)],
        ),
    ],
};

/// With the cel-go of Kubernetes 1.34.
pub(super) static FIRST_LAST: Library = Library {
    since: 34,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::new(
            "last",
            &[Overload::member("list_last", &["list(V)"], "optional_type(V)", last)],
        ),
        Function::new(
            "first",
            &[Overload::member("list_first", &["list(V)"], "optional_type(V)", first)],
        ),
        Function::new(
            "optional.unwrap",
            &[Overload::global("optional_unwrap", &["list(optional_type(V))"], "list(V)", unwrap)],
        ),
        Function::new(
            "unwrapOpt",
            &[Overload::member(
                "optional_unwrapOpt",
                &["list(optional_type(V))"],
                "list(V)",
                unwrap,
            )],
        ),
    ],
};

fn one<'v, 'a>(arguments: &'v [Value<'a>]) -> Result<&'v Value<'a>, EvalError> {
    arguments.first().ok_or_else(EvalError::no_overload)
}

fn list<'v, 'a>(arguments: &'v [Value<'a>]) -> Result<&'v List<'a>, EvalError> {
    one(arguments)?.as_list().ok_or_else(EvalError::no_overload)
}

fn step<'a>(_: &[Value<'a>]) -> Outcome<'a> {
    Err(EvalError::no_overload())
}

fn of<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::some(one(arguments)?.clone()))
}

fn none<'a>(_: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::none())
}

fn of_non_zero<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    let value = one(arguments)?;
    Ok(if value.is_zero() { Value::none() } else { Value::some(value.clone()) })
}

fn has_value<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Bool(matches!(one(arguments)?, Value::Optional(Some(_)))))
}

fn value<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    match one(arguments)? {
        Value::Optional(Some(value)) => Ok(value.as_ref().clone()),
        _ => Err(EvalError::new("optional.none() dereference")),
    }
}

fn first<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(list(arguments)?.get(0).map_or(Value::none(), Value::some))
}

fn last<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    let list = list(arguments)?;
    Ok(list.len().checked_sub(1).and_then(|at| list.get(at)).map_or(Value::none(), Value::some))
}

fn unwrap<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    let mut values = Vec::new();
    for item in list(arguments)?.iter() {
        match item {
            Value::Optional(None) => {}
            Value::Optional(Some(value)) => values.push(value.as_ref().clone()),
            other => {
                return Err(EvalError::Error(format!("value {} is not optional", Go(&other))));
            }
        }
    }
    Ok(Value::list(values))
}
