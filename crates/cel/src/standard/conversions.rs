//! `int(x)`, `string(x)`, `type(x)`, `dyn(x)`, `size(x)`.
use crate::error::EvalError;
use crate::eval::{size as cost_size, traversal};
use crate::functions::{Function, Library, Overload, Refusal};
use crate::value::Value;
use crate::value::convert;

type Outcome<'a> = Result<Value<'a>, EvalError>;

pub(super) static LIBRARY: Library = Library {
    since: 0,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::new(
            "size",
            &[
                Overload::global("size_bytes", &["bytes"], "int", size),
                Overload::member("bytes_size", &["bytes"], "int", size),
                Overload::global("size_list", &["list(A)"], "int", size),
                Overload::member("list_size", &["list(A)"], "int", size),
                Overload::global("size_map", &["map(A, B)"], "int", size),
                Overload::member("map_size", &["map(A, B)"], "int", size),
                Overload::global("size_string", &["string"], "int", size),
                Overload::member("string_size", &["string"], "int", size),
            ],
        )
        .refusing(Refusal::Named),
        Function::new("type", &[Overload::global("type", &["A"], "type", type_of)]),
        Function::new("dyn", &[Overload::global("to_dyn", &["A"], "dyn", same)]),
        Function::new(
            "bool",
            &[
                Overload::global("bool_to_bool", &["bool"], "bool", to_bool),
                Overload::global("string_to_bool", &["string"], "bool", to_bool),
            ],
        ),
        Function::priced(
            "bytes",
            &[
                Overload::global("bytes_to_bytes", &["bytes"], "bytes", to_bytes),
                Overload::global("string_to_bytes", &["string"], "bytes", to_bytes),
            ],
            price,
        ),
        Function::new(
            "double",
            &[
                Overload::global("double_to_double", &["double"], "double", to_double),
                Overload::global("int64_to_double", &["int"], "double", to_double),
                Overload::global("string_to_double", &["string"], "double", to_double),
                Overload::global("uint64_to_double", &["uint"], "double", to_double),
            ],
        ),
        Function::new(
            "duration",
            &[
                Overload::global("duration_to_duration", &["duration"], "duration", to_duration),
                Overload::global("int64_to_duration", &["int"], "duration", to_duration),
                Overload::global("string_to_duration", &["string"], "duration", to_duration),
            ],
        ),
        Function::new(
            "int",
            &[
                Overload::global("int64_to_int64", &["int"], "int", to_int),
                Overload::global("double_to_int64", &["double"], "int", to_int),
                Overload::global("duration_to_int64", &["duration"], "int", to_int),
                Overload::global("string_to_int64", &["string"], "int", to_int),
                Overload::global("timestamp_to_int64", &["timestamp"], "int", to_int),
                Overload::global("uint64_to_int64", &["uint"], "int", to_int),
            ],
        ),
        Function::priced(
            "string",
            &[
                Overload::global("string_to_string", &["string"], "string", to_string),
                Overload::global("bool_to_string", &["bool"], "string", to_string),
                Overload::global("bytes_to_string", &["bytes"], "string", to_string),
                Overload::global("double_to_string", &["double"], "string", to_string),
                Overload::global("duration_to_string", &["duration"], "string", to_string),
                Overload::global("int64_to_string", &["int"], "string", to_string),
                Overload::global("timestamp_to_string", &["timestamp"], "string", to_string),
                Overload::global("uint64_to_string", &["uint"], "string", to_string),
            ],
            price,
        ),
        Function::new(
            "timestamp",
            &[
                Overload::global(
                    "timestamp_to_timestamp",
                    &["timestamp"],
                    "timestamp",
                    to_timestamp,
                ),
                Overload::global("int64_to_timestamp", &["int"], "timestamp", to_timestamp),
                Overload::global("string_to_timestamp", &["string"], "timestamp", to_timestamp),
            ],
        ),
        Function::new(
            "uint",
            &[
                Overload::global("uint64_to_uint64", &["uint"], "uint", to_uint),
                Overload::global("double_to_uint64", &["double"], "uint", to_uint),
                Overload::global("int64_to_uint64", &["int"], "uint", to_uint),
                Overload::global("string_to_uint64", &["string"], "uint", to_uint),
            ],
        ),
    ],
};

/// Text and bytes are read through where the checker knew them.
fn price(overload: &str, arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    match (overload, arguments) {
        ("string_to_bytes" | "bytes_to_string", [value]) => traversal(cost_size(value)),
        _ => 1,
    }
}

/// The one argument, whose number the table fixes.
fn one<'v, 'a>(arguments: &'v [Value<'a>]) -> Result<&'v Value<'a>, EvalError> {
    arguments.first().ok_or_else(EvalError::no_overload)
}

fn size<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    let size = one(arguments)?.size().ok_or_else(|| EvalError::new("no such overload: size"))?;
    Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

fn type_of<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    one(arguments).map(convert::type_of)
}

fn same<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    one(arguments).cloned()
}

fn to_bool<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    convert::to_bool(one(arguments)?)
}

fn to_bytes<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    convert::to_bytes(one(arguments)?)
}

fn to_double<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    convert::to_double(one(arguments)?)
}

fn to_duration<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    convert::to_duration(one(arguments)?)
}

fn to_int<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    convert::to_int(one(arguments)?)
}

fn to_string<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    convert::to_string(one(arguments)?)
}

fn to_timestamp<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    convert::to_timestamp(one(arguments)?)
}

fn to_uint<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    convert::to_uint(one(arguments)?)
}
