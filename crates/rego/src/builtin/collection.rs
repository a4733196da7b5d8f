//! Arrays, sets, ranges, casts.
use super::{Answer, MAX_ELEMENTS, Stop, array, elements, whole};
use regorus::Value;
use std::collections::BTreeSet;

pub(super) fn all(args: &[Value]) -> Answer {
    Ok(Value::Bool(elements(&args[0])?.iter().all(|item| *item == Value::Bool(true))))
}

pub(super) fn any(args: &[Value]) -> Answer {
    Ok(Value::Bool(elements(&args[0])?.contains(&Value::Bool(true))))
}

pub(super) fn concat(args: &[Value]) -> Answer {
    let (Value::Array(left), Value::Array(right)) = (&args[0], &args[1]) else {
        return Err(Stop::Undefined);
    };
    array(left.iter().chain(right.iter()).cloned().collect())
}

/// One level of nesting less.
pub(super) fn flatten(args: &[Value]) -> Answer {
    let Value::Array(items) = &args[0] else { return Err(Stop::Undefined) };
    let mut flat = Vec::new();
    for item in items.iter() {
        match item {
            Value::Array(inner) => flat.extend(inner.iter().cloned()),
            other => flat.push(other.clone()),
        }
    }
    array(flat)
}

pub(super) fn cast_array(args: &[Value]) -> Answer {
    array(elements(&args[0])?)
}

pub(super) fn cast_set(args: &[Value]) -> Answer {
    Ok(Value::from(elements(&args[0])?.into_iter().collect::<BTreeSet<_>>()))
}

pub(super) fn cast_boolean(args: &[Value]) -> Answer {
    same(args, matches!(args[0], Value::Bool(_)))
}

pub(super) fn cast_null(args: &[Value]) -> Answer {
    same(args, matches!(args[0], Value::Null))
}

pub(super) fn cast_object(args: &[Value]) -> Answer {
    same(args, matches!(args[0], Value::Object(_)))
}

pub(super) fn cast_string(args: &[Value]) -> Answer {
    same(args, matches!(args[0], Value::String(_)))
}

fn same(args: &[Value], is: bool) -> Answer {
    if is { Ok(args[0].clone()) } else { Err(Stop::Undefined) }
}

pub(super) fn difference(args: &[Value]) -> Answer {
    let (Value::Set(left), Value::Set(right)) = (&args[0], &args[1]) else {
        return Err(Stop::Undefined);
    };
    let right: BTreeSet<&Value> = right.iter().collect();
    let rest = left.iter().filter(|item| !right.contains(item)).cloned();
    Ok(Value::from(rest.collect::<BTreeSet<_>>()))
}

pub(super) fn range(args: &[Value]) -> Answer {
    steps(whole(&args[0])?, whole(&args[1])?, 1)
}

pub(super) fn range_step(args: &[Value]) -> Answer {
    let step = whole(&args[2])?;
    if step <= 0 {
        return Err(Stop::Undefined);
    }
    steps(whole(&args[0])?, whole(&args[1])?, step)
}

/// From the first to the last, both included, up or down.
fn steps(first: i64, last: i64, step: i64) -> Answer {
    let count = first.abs_diff(last) / step.unsigned_abs();
    if count >= MAX_ELEMENTS as u64 {
        return Err(Stop::Limit("a collection over 1,048,576 elements"));
    }
    let step = if first <= last { step } else { -step };
    let items = std::iter::successors(Some(first), |item| item.checked_add(step));
    let count = usize::try_from(count).unwrap_or(MAX_ELEMENTS) + 1;
    array(items.take(count).map(Value::from).collect())
}

/// Gatekeeper starts OPA without configuration and hides the environment.
pub(super) fn runtime(_: &[Value]) -> Answer {
    Ok(Value::new_object())
}
