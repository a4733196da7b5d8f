//! The functions on quantities.
use super::Quantity;
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::library::arguments::{Outcome, int, own, text};
use crate::library::cost;
use crate::value::{Opaque, Value};
use std::any::Any;
use std::cmp::Ordering;

const TYPE: &str = "kubernetes.Quantity";

pub(crate) static LIBRARY: Library = Library {
    since: 28,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::priced(
            "quantity",
            &[Overload::global("string_to_quantity", &["string"], TYPE, |arguments| {
                made(Quantity::parse(text(arguments, 0)?))
            })],
            cost::reading,
        ),
        Function::priced(
            "isQuantity",
            &[Overload::global("is_quantity_string", &["string"], "bool", |arguments| {
                Ok(Value::Bool(Quantity::parse(text(arguments, 0)?).is_ok()))
            })],
            cost::reading,
        ),
        // Documented as a member, declared without a target.
        Function::new(
            "sign",
            &[Overload::global("quantity_sign", &[TYPE], "int", |arguments| {
                Ok(Value::Int(quantity(arguments, 0)?.sign()))
            })],
        ),
        Function::new(
            "isGreaterThan",
            &[Overload::member("quantity_is_greater_than", &[TYPE, TYPE], "bool", |arguments| {
                Ok(Value::Bool(order(arguments)? == Ordering::Greater))
            })],
        ),
        Function::new(
            "isLessThan",
            &[Overload::member("quantity_is_less_than", &[TYPE, TYPE], "bool", |arguments| {
                Ok(Value::Bool(order(arguments)? == Ordering::Less))
            })],
        ),
        Function::new(
            "compareTo",
            &[Overload::member("quantity_compare_to", &[TYPE, TYPE], "int", |arguments| {
                Ok(Value::Int(order(arguments)? as i64))
            })],
        ),
        Function::new(
            "asApproximateFloat",
            &[Overload::member("quantity_get_float", &[TYPE], "double", |arguments| {
                Ok(Value::Double(quantity(arguments, 0)?.as_approximate_float()))
            })],
        ),
        Function::new(
            "asInteger",
            &[Overload::member("quantity_get_int", &[TYPE], "int", |arguments| {
                let integer = quantity(arguments, 0)?.as_integer();
                integer.map(Value::Int).ok_or_else(|| EvalError::new(Quantity::NOT_AN_INTEGER))
            })],
        ),
        Function::new(
            "isInteger",
            &[Overload::member("quantity_is_integer", &[TYPE], "bool", |arguments| {
                Ok(Value::Bool(quantity(arguments, 0)?.is_integer()))
            })],
        ),
        Function::new(
            "add",
            &[
                Overload::member("quantity_add", &[TYPE, TYPE], TYPE, |arguments| {
                    computed(quantity(arguments, 0)?.add(quantity(arguments, 1)?))
                }),
                Overload::member("quantity_add_int", &[TYPE, "int"], TYPE, |arguments| {
                    let addend = Quantity::from_integer(int(arguments, 1)?);
                    computed(quantity(arguments, 0)?.add(&addend))
                }),
            ],
        ),
        Function::new(
            "sub",
            &[
                Overload::member("quantity_sub", &[TYPE, TYPE], TYPE, |arguments| {
                    computed(quantity(arguments, 0)?.sub(quantity(arguments, 1)?))
                }),
                Overload::member("quantity_sub_int", &[TYPE, "int"], TYPE, |arguments| {
                    let subtrahend = Quantity::from_integer(int(arguments, 1)?);
                    computed(quantity(arguments, 0)?.sub(&subtrahend))
                }),
            ],
        ),
    ],
};

fn quantity<'v>(arguments: &'v [Value<'_>], at: usize) -> Result<&'v Quantity, EvalError> {
    own(arguments, at)
}

fn order(arguments: &[Value<'_>]) -> Result<Ordering, EvalError> {
    Ok(quantity(arguments, 0)?.compare(quantity(arguments, 1)?))
}

/// A sum or difference. The API server hands out a pointer, and its `==` knows no pointer on the right: `q == q.add(0)`
/// is an error, `q.add(0) == q` is not. Everything else takes both.
fn computed<'a>(quantity: Result<Quantity, String>) -> Outcome<'a> {
    made(quantity.map(|quantity| Quantity { computed: true, ..quantity }))
}

fn made<'a>(quantity: Result<Quantity, String>) -> Outcome<'a> {
    quantity.map(Value::opaque).map_err(EvalError::Error)
}

impl Opaque for Quantity {
    fn type_name(&self) -> &'static str {
        TYPE
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        let other = other.as_any().downcast_ref::<Quantity>();
        other.is_some_and(|other| !other.computed && self.compare(other) == Ordering::Equal)
    }

    fn compares_with(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref::<Quantity>().is_some_and(|other| !other.computed)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
