//! cel-go's functions on lists, version 3. Source: github.com/google/cel-go/ext/lists.go at 0.26. The macro `sortBy`
//! calls `@sortByAssociatedKeys`.
use super::arguments::{Outcome, compare_pairs, int, list};
use super::cost;
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload, Refusal};
use crate::value::{List, Value};
use std::cmp::Ordering;

pub(crate) static LIBRARY: Library = Library {
    since: 34,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::priced(
            "slice",
            &[Overload::member("list_slice", &["list(T)", "int", "int"], "list(T)", |arguments| {
                slice(list(arguments, 0)?, int(arguments, 1)?, int(arguments, 2)?)
            })],
            cost::making,
        ),
        // Declared without guards on types at run time: a flat list comes back as it is.
        Function::priced(
            "flatten",
            &[
                Overload::member("list_flatten", &["list(list(T))"], "list(T)", |arguments| {
                    flatten(arguments, 1)
                }),
                Overload::member(
                    "list_flatten_int",
                    &["list(dyn)", "int"],
                    "list(dyn)",
                    |arguments| flatten(arguments, int(arguments, 1)?),
                ),
            ],
            cost::flattening,
        )
        .refusing(Refusal::Bare),
        SORT,
        SORT_BY,
        Function::priced(
            "lists.range",
            &[Overload::global("lists_range", &["int"], "list(int)", |arguments| {
                let end = int(arguments, 0)?;
                if end > MAX_RANGE {
                    return Err(EvalError::Limit);
                }
                Ok(Value::list((0..end).map(Value::Int).collect()))
            })],
            cost::making,
        ),
        Function::priced(
            "reverse",
            &[Overload::member("list_reverse", &["list(T)"], "list(T)", |arguments| {
                let mut items: Vec<_> = list(arguments, 0)?.iter().collect();
                items.reverse();
                Ok(Value::list(items))
            })],
            cost::making,
        ),
        Function::priced(
            "distinct",
            &[Overload::member("list_distinct", &["list(T)"], "list(T)", |arguments| {
                distinct(list(arguments, 0)?)
            })],
            cost::comparing,
        ),
    ],
};

/// Numbers in one range: what the largest budget of an expression pays for.
const MAX_RANGE: i64 = 1_000_000;
const SORT: Function = Function::priced(
    "sort",
    &[
        Overload::member("list_int_sort", &["list(int)"], "list(int)", sort),
        Overload::member("list_uint_sort", &["list(uint)"], "list(uint)", sort),
        Overload::member("list_double_sort", &["list(double)"], "list(double)", sort),
        Overload::member("list_bool_sort", &["list(bool)"], "list(bool)", sort),
        Overload::member("list_duration_sort", &["list(duration)"], "list(duration)", sort),
        Overload::member("list_timestamp_sort", &["list(timestamp)"], "list(timestamp)", sort),
        Overload::member("list_string_sort", &["list(string)"], "list(string)", sort),
        Overload::member("list_bytes_sort", &["list(bytes)"], "list(bytes)", sort),
    ],
    cost::comparing,
);

const SORT_BY: Function = Function::priced(
    "@sortByAssociatedKeys",
    &[
        by_keys("list_int_sortByAssociatedKeys", &["list(T)", "list(int)"]),
        by_keys("list_uint_sortByAssociatedKeys", &["list(T)", "list(uint)"]),
        by_keys("list_double_sortByAssociatedKeys", &["list(T)", "list(double)"]),
        by_keys("list_bool_sortByAssociatedKeys", &["list(T)", "list(bool)"]),
        by_keys("list_duration_sortByAssociatedKeys", &["list(T)", "list(duration)"]),
        by_keys("list_timestamp_sortByAssociatedKeys", &["list(T)", "list(timestamp)"]),
        by_keys("list_string_sortByAssociatedKeys", &["list(T)", "list(string)"]),
        by_keys("list_bytes_sortByAssociatedKeys", &["list(T)", "list(bytes)"]),
    ],
    cost::comparing_keys,
);

const fn by_keys(id: &'static str, arguments: &'static [&'static str]) -> Overload {
    Overload::member(id, arguments, "list(T)", |arguments| {
        sorted(list(arguments, 0)?, list(arguments, 1)?)
    })
}

fn slice<'a>(list: &List<'a>, start: i64, end: i64) -> Outcome<'a> {
    let refused = |why: &str| EvalError::Error(format!("cannot slice({start}, {end}), {why}"));
    let (Ok(from), Ok(to)) = (usize::try_from(start), usize::try_from(end)) else {
        return Err(refused("negative indexes not supported"));
    };
    if from > to {
        return Err(refused("start index must be less than or equal to end index"));
    }
    if to > list.len() {
        return Err(refused(&format!("list is length {}", list.len())));
    }
    Ok(Value::list((from..to).filter_map(|index| list.get(index)).collect()))
}

fn flatten<'a>(arguments: &[Value<'a>], levels: i64) -> Outcome<'a> {
    let Value::List(list) = &arguments[0] else {
        let kind = arguments[0].type_name();
        return Err(EvalError::Error(format!("no such overload: {kind}.flatten()")));
    };
    if levels < 0 {
        return Err(EvalError::new("level must be non-negative"));
    }
    let mut items = Vec::with_capacity(list.len());
    append(list, levels, &mut items);
    Ok(Value::list(items))
}

fn append<'a>(list: &List<'a>, levels: i64, items: &mut Vec<Value<'a>>) {
    for item in list.iter() {
        match item {
            Value::List(inner) if levels > 0 => append(&inner, levels - 1, items),
            item => items.push(item),
        }
    }
}

fn distinct<'a>(list: &List<'a>) -> Outcome<'a> {
    compare_pairs(list, list)?;
    let mut seen: Vec<Value<'a>> = Vec::with_capacity(list.len());
    for item in list.iter() {
        if !seen.iter().any(|other| item.equals(other)) {
            seen.push(item);
        }
    }
    Ok(Value::list(seen))
}

fn sort<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    let list = list(arguments, 0)?;
    sorted(list, list)
}

/// Equal keys keep their order; Go promises that only up to twelve elements.
fn sorted<'a>(list: &List<'a>, keys: &List<'a>) -> Outcome<'a> {
    if list.len() != keys.len() {
        return Err(EvalError::Error(format!(
            "@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got {} and {} \
             elements respectively",
            list.len(),
            keys.len()
        )));
    }
    let Some(first) = keys.get(0) else { return Ok(Value::List(list.clone())) };
    if !first.is_ordered() {
        return Err(EvalError::new("list elements must be comparable"));
    }
    let kind = std::mem::discriminant(&first);
    let items: Vec<_> = keys.iter().zip(list.iter()).collect();
    if items.len() > 1 && items.iter().any(|(key, _)| std::mem::discriminant(key) != kind) {
        return Err(EvalError::new("list elements must have the same type"));
    }
    let items = merge_sort(items);
    Ok(Value::list(items.into_iter().map(|(_, item)| item).collect()))
}

type Keyed<'a> = (Value<'a>, Value<'a>);

/// The standard library's sort may panic where NaN leaves no order; this one only leaves it where it stands.
fn merge_sort<'a>(mut items: Vec<Keyed<'a>>) -> Vec<Keyed<'a>> {
    let less = |a: &Keyed<'a>, b: &Keyed<'a>| a.0.order(&b.0) == Ok(Ordering::Less);
    if items.len() <= INSERTION {
        for index in 1..items.len() {
            let mut at = index;
            while at > 0 && less(&items[at], &items[at - 1]) {
                items.swap(at, at - 1);
                at -= 1;
            }
        }
        return items;
    }
    let right = merge_sort(items.split_off(items.len() / 2));
    let (mut left, mut right) =
        (merge_sort(items).into_iter().peekable(), right.into_iter().peekable());
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if less(b, a) { right.next() } else { left.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

/// Up to here Go sorts by insertion too, so that even NaN ends where it ends there.
const INSERTION: usize = 12;
