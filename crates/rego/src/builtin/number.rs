//! `/` and `%`, undefined where OPA has no answer: by zero, and `%` of what is no integer.
use super::{Answer, Stop};
use regorus::Value;

pub(super) fn divide(args: &[Value]) -> Answer {
    let (Value::Number(left), Value::Number(right)) = (&args[0], &args[1]) else {
        return Err(Stop::Undefined);
    };
    if args[1] == Value::from(0) {
        return Err(Stop::Undefined);
    }
    left.clone().divide(right).map(Value::from).map_err(|_| Stop::Undefined)
}

pub(super) fn remainder(args: &[Value]) -> Answer {
    match (&args[0], &args[1]) {
        (Value::Number(left), Value::Number(right))
            if left.is_integer() && right.is_integer() && args[1] != Value::from(0) =>
        {
            left.clone().modulo(right).map(Value::from).map_err(|_| Stop::Undefined)
        }
        _ => Err(Stop::Undefined),
    }
}
