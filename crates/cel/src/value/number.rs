//! Arithmetic, with cel-go's overflow errors and its words for operands that do not fit.
use super::{List, Text, Value};
use crate::error::EvalError;
use crate::time;
use std::sync::Arc;

type Outcome<'a> = Result<Value<'a>, EvalError>;

/// `+ - * / %` by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

impl Operator {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operator::Add => "_+_",
            Operator::Subtract => "_-_",
            Operator::Multiply => "_*_",
            Operator::Divide => "_/_",
            Operator::Modulo => "_%_",
        }
    }
}

fn overflow(what: &str) -> EvalError {
    EvalError::Error(format!("{what} overflow"))
}

pub(crate) fn arithmetic<'a>(operator: Operator, a: &Value<'a>, b: &Value<'a>) -> Outcome<'a> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => int(operator, *a, *b),
        (Value::Uint(a), Value::Uint(b)) => uint(operator, *a, *b),
        (Value::Double(a), Value::Double(b)) => match operator {
            Operator::Add => Ok(Value::Double(a + b)),
            Operator::Subtract => Ok(Value::Double(a - b)),
            Operator::Multiply => Ok(Value::Double(a * b)),
            Operator::Divide => Ok(Value::Double(a / b)),
            Operator::Modulo => Err(unknown(operator)),
        },
        _ if operator == Operator::Add => add(a, b),
        _ if operator == Operator::Subtract => subtract(a, b),
        // Text and times take any operator as a method they do not have.
        (Value::Int(_) | Value::Uint(_), _) => Err(EvalError::no_overload()),
        (Value::Double(_), _) if operator != Operator::Modulo => Err(EvalError::no_overload()),
        (Value::String(_) | Value::Duration(_) | Value::Timestamp(_), _) => {
            Err(EvalError::no_overload())
        }
        _ => Err(unknown(operator)),
    }
}

fn unknown(operator: Operator) -> EvalError {
    EvalError::Error(format!("no such overload: {}", operator.name()))
}

fn int<'a>(operator: Operator, a: i64, b: i64) -> Outcome<'a> {
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide if b == 0 => return Err(EvalError::new("division by zero")),
        Operator::Divide => a.checked_div(b),
        Operator::Modulo if b == 0 => return Err(EvalError::new("modulus by zero")),
        Operator::Modulo => a.checked_rem(b),
    };
    result.map(Value::Int).ok_or_else(|| overflow("integer"))
}

fn uint<'a>(operator: Operator, a: u64, b: u64) -> Outcome<'a> {
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide if b == 0 => return Err(EvalError::new("division by zero")),
        Operator::Divide => a.checked_div(b),
        Operator::Modulo if b == 0 => return Err(EvalError::new("modulus by zero")),
        Operator::Modulo => a.checked_rem(b),
    };
    result.map(Value::Uint).ok_or_else(|| overflow("unsigned integer"))
}

fn add<'a>(a: &Value<'a>, b: &Value<'a>) -> Outcome<'a> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => {
            let mut text = String::with_capacity(a.len() + b.len());
            text.push_str(a);
            text.push_str(b);
            Ok(Value::String(Text::Shared(text.into())))
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            Ok(Value::Bytes(Arc::from([a.as_ref(), b.as_ref()].concat())))
        }
        (Value::List(a), Value::List(b)) => Ok(Value::List(List::concat(a, b))),
        (Value::Duration(a), Value::Duration(b)) => {
            a.checked_add(*b).map(Value::Duration).ok_or_else(|| overflow("integer"))
        }
        (Value::Timestamp(a), Value::Duration(b)) | (Value::Duration(b), Value::Timestamp(a)) => {
            a.checked_add(*b).map(Value::Timestamp).ok_or_else(|| overflow("timestamp"))
        }
        (
            Value::Int(_)
            | Value::Uint(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::Bytes(_)
            | Value::List(_)
            | Value::Duration(_)
            | Value::Timestamp(_),
            _,
        ) => Err(EvalError::no_overload()),
        _ => Err(unknown(Operator::Add)),
    }
}

fn subtract<'a>(a: &Value<'a>, b: &Value<'a>) -> Outcome<'a> {
    match (a, b) {
        (Value::Duration(a), Value::Duration(b)) => {
            a.checked_sub(*b).map(Value::Duration).ok_or_else(|| overflow("integer"))
        }
        (Value::Timestamp(a), Value::Duration(b)) => {
            let b = b.checked_neg().ok_or_else(|| overflow("integer"))?;
            a.checked_add(b).map(Value::Timestamp).ok_or_else(|| overflow("timestamp"))
        }
        (Value::Timestamp(a), Value::Timestamp(b)) => {
            time::between(*b, *a).map(Value::Duration).ok_or_else(|| overflow("integer"))
        }
        (
            Value::Int(_)
            | Value::Uint(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::Duration(_)
            | Value::Timestamp(_),
            _,
        ) => Err(EvalError::no_overload()),
        _ => Err(unknown(Operator::Subtract)),
    }
}

/// `-x`
pub(crate) fn negate<'a>(value: &Value<'a>) -> Outcome<'a> {
    match value {
        Value::Int(value) => value.checked_neg().map(Value::Int).ok_or_else(|| overflow("integer")),
        Value::Double(value) => Ok(Value::Double(-value)),
        Value::Duration(value) => {
            value.checked_neg().map(Value::Duration).ok_or_else(|| overflow("integer"))
        }
        Value::Bool(_) | Value::String(_) | Value::Timestamp(_) => Err(EvalError::no_overload()),
        _ => Err(EvalError::new("no such overload: -_")),
    }
}
