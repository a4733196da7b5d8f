//! CEL's own functions and optional types, as libraries in the order cel-go declares them.
mod conversions;
mod operators;
mod optional;
mod strings;
mod times;

use crate::functions::Library;

pub(crate) static LIBRARIES: &[&Library] = &[
    &operators::OPERATORS,
    &operators::CROSS_TYPE,
    &conversions::LIBRARY,
    &strings::LIBRARY,
    &times::LIBRARY,
    &operators::OPTIONAL,
    &optional::LIBRARY,
    &optional::FIRST_LAST,
];
