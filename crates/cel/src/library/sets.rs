//! Lists as sets. Source: github.com/google/cel-go/ext/sets.go.
use super::arguments::list;
use super::cost;
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
                |arguments| Ok(Value::Bool(contains(list(arguments, 0)?, list(arguments, 1)?))),
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
                    let (a, b) = (list(arguments, 0)?, list(arguments, 1)?);
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
                    let (a, b) = (list(arguments, 0)?, list(arguments, 1)?);
                    Ok(Value::Bool(a.iter().any(|item| b.contains(&item))))
                },
            )],
            cost::pairs,
        ),
    ],
};

fn contains(whole: &List<'_>, part: &List<'_>) -> bool {
    part.iter().all(|item| whole.contains(&item))
}
