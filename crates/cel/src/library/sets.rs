//! Lists as sets. Source: github.com/google/cel-go/ext/sets.go.
use super::arguments::{compare_pairs, list};
use super::cost;
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::value::{List, Value};

pub(crate) static LIBRARY: Library = Library {
    since: 29,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::priced(
            "sets.contains",
            &[Overload::global(
                "list_sets_contains_list",
                &["list(T)", "list(T)"],
                "bool",
                |arguments| {
                    let (a, b) = both(arguments)?;
                    Ok(Value::Bool(contains(a, b)))
                },
            )],
            cost::pairs,
        ),
        Function::priced(
            "sets.equivalent",
            &[Overload::global(
                "list_sets_equivalent_list",
                &["list(T)", "list(T)"],
                "bool",
                |arguments| {
                    let (a, b) = both(arguments)?;
                    Ok(Value::Bool(contains(a, b) && contains(b, a)))
                },
            )],
            cost::pairs_twice,
        ),
        Function::priced(
            "sets.intersects",
            &[Overload::global(
                "list_sets_intersects_list",
                &["list(T)", "list(T)"],
                "bool",
                |arguments| {
                    let (a, b) = both(arguments)?;
                    Ok(Value::Bool(a.iter().any(|item| b.contains(&item))))
                },
            )],
            cost::pairs,
        ),
    ],
};

fn both<'v, 'a>(arguments: &'v [Value<'a>]) -> Result<(&'v List<'a>, &'v List<'a>), EvalError> {
    let (a, b) = (list(arguments, 0)?, list(arguments, 1)?);
    compare_pairs(a, b)?;
    Ok((a, b))
}

fn contains(whole: &List<'_>, part: &List<'_>) -> bool {
    part.iter().all(|item| whole.contains(&item))
}
