//! Operators as the checker sees them. The interpreter has steps of its own for all of them.
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::value::Value;

/// Never reached: every operator has a step.
fn step<'a>(_: &[Value<'a>]) -> Result<Value<'a>, EvalError> {
    Err(EvalError::no_overload())
}

const fn op(
    id: &'static str,
    arguments: &'static [&'static str],
    result: &'static str,
) -> Overload {
    Overload::global(id, arguments, result, step)
}

/// Always there.
pub(super) static OPERATORS: Library = Library {
    since: 0,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::new("_?_:_", &[op("conditional", &["bool", "A", "A"], "A")]),
        Function::new("!_", &[op("logical_not", &["bool"], "bool")]),
        Function::new("_==_", &[op("equals", &["A", "A"], "bool")]),
        Function::new("_!=_", &[op("not_equals", &["A", "A"], "bool")]),
        Function::new(
            "_+_",
            &[
                op("add_bytes", &["bytes", "bytes"], "bytes"),
                op("add_double", &["double", "double"], "double"),
                op("add_duration_duration", &["duration", "duration"], "duration"),
                op("add_duration_timestamp", &["duration", "timestamp"], "timestamp"),
                op("add_timestamp_duration", &["timestamp", "duration"], "timestamp"),
                op("add_int64", &["int", "int"], "int"),
                op("add_list", &["list(A)", "list(A)"], "list(A)"),
                op("add_string", &["string", "string"], "string"),
                op("add_uint64", &["uint", "uint"], "uint"),
            ],
        ),
        Function::new(
            "_/_",
            &[
                op("divide_double", &["double", "double"], "double"),
                op("divide_int64", &["int", "int"], "int"),
                op("divide_uint64", &["uint", "uint"], "uint"),
            ],
        ),
        Function::new(
            "_%_",
            &[
                op("modulo_int64", &["int", "int"], "int"),
                op("modulo_uint64", &["uint", "uint"], "uint"),
            ],
        ),
        Function::new(
            "_*_",
            &[
                op("multiply_double", &["double", "double"], "double"),
                op("multiply_int64", &["int", "int"], "int"),
                op("multiply_uint64", &["uint", "uint"], "uint"),
            ],
        ),
        Function::new(
            "-_",
            &[op("negate_double", &["double"], "double"), op("negate_int64", &["int"], "int")],
        ),
        Function::new(
            "_-_",
            &[
                op("subtract_double", &["double", "double"], "double"),
                op("subtract_duration_duration", &["duration", "duration"], "duration"),
                op("subtract_int64", &["int", "int"], "int"),
                op("subtract_timestamp_duration", &["timestamp", "duration"], "timestamp"),
                op("subtract_timestamp_timestamp", &["timestamp", "timestamp"], "duration"),
                op("subtract_uint64", &["uint", "uint"], "uint"),
            ],
        ),
        Function::new(
            "_<_",
            &[
                op("less_bool", &["bool", "bool"], "bool"),
                op("less_int64", &["int", "int"], "bool"),
                op("less_uint64", &["uint", "uint"], "bool"),
                op("less_double", &["double", "double"], "bool"),
                op("less_string", &["string", "string"], "bool"),
                op("less_bytes", &["bytes", "bytes"], "bool"),
                op("less_timestamp", &["timestamp", "timestamp"], "bool"),
                op("less_duration", &["duration", "duration"], "bool"),
            ],
        ),
        Function::new(
            "_<=_",
            &[
                op("less_equals_bool", &["bool", "bool"], "bool"),
                op("less_equals_int64", &["int", "int"], "bool"),
                op("less_equals_uint64", &["uint", "uint"], "bool"),
                op("less_equals_double", &["double", "double"], "bool"),
                op("less_equals_string", &["string", "string"], "bool"),
                op("less_equals_bytes", &["bytes", "bytes"], "bool"),
                op("less_equals_timestamp", &["timestamp", "timestamp"], "bool"),
                op("less_equals_duration", &["duration", "duration"], "bool"),
            ],
        ),
        Function::new(
            "_>_",
            &[
                op("greater_bool", &["bool", "bool"], "bool"),
                op("greater_int64", &["int", "int"], "bool"),
                op("greater_uint64", &["uint", "uint"], "bool"),
                op("greater_double", &["double", "double"], "bool"),
                op("greater_string", &["string", "string"], "bool"),
                op("greater_bytes", &["bytes", "bytes"], "bool"),
                op("greater_timestamp", &["timestamp", "timestamp"], "bool"),
                op("greater_duration", &["duration", "duration"], "bool"),
            ],
        ),
        Function::new(
            "_>=_",
            &[
                op("greater_equals_bool", &["bool", "bool"], "bool"),
                op("greater_equals_int64", &["int", "int"], "bool"),
                op("greater_equals_uint64", &["uint", "uint"], "bool"),
                op("greater_equals_double", &["double", "double"], "bool"),
                op("greater_equals_string", &["string", "string"], "bool"),
                op("greater_equals_bytes", &["bytes", "bytes"], "bool"),
                op("greater_equals_timestamp", &["timestamp", "timestamp"], "bool"),
                op("greater_equals_duration", &["duration", "duration"], "bool"),
            ],
        ),
        Function::new(
            "_[_]",
            &[
                op("index_list", &["list(A)", "int"], "A"),
                op("index_map", &["map(A, B)", "A"], "B"),
            ],
        ),
        Function::new(
            "@in",
            &[op("in_list", &["A", "list(A)"], "bool"), op("in_map", &["A", "map(A, B)"], "bool")],
        ),
    ],
};

/// Numbers of two types in one comparison.
pub(super) static CROSS_TYPE: Library = Library {
    since: 28,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::new(
            "_<_",
            &[
                op("less_int64_double", &["int", "double"], "bool"),
                op("less_int64_uint64", &["int", "uint"], "bool"),
                op("less_uint64_double", &["uint", "double"], "bool"),
                op("less_uint64_int64", &["uint", "int"], "bool"),
                op("less_double_int64", &["double", "int"], "bool"),
                op("less_double_uint64", &["double", "uint"], "bool"),
            ],
        ),
        Function::new(
            "_<=_",
            &[
                op("less_equals_int64_double", &["int", "double"], "bool"),
                op("less_equals_int64_uint64", &["int", "uint"], "bool"),
                op("less_equals_uint64_double", &["uint", "double"], "bool"),
                op("less_equals_uint64_int64", &["uint", "int"], "bool"),
                op("less_equals_double_int64", &["double", "int"], "bool"),
                op("less_equals_double_uint64", &["double", "uint"], "bool"),
            ],
        ),
        Function::new(
            "_>_",
            &[
                op("greater_int64_double", &["int", "double"], "bool"),
                op("greater_int64_uint64", &["int", "uint"], "bool"),
                op("greater_uint64_double", &["uint", "double"], "bool"),
                op("greater_uint64_int64", &["uint", "int"], "bool"),
                op("greater_double_int64", &["double", "int"], "bool"),
                op("greater_double_uint64", &["double", "uint"], "bool"),
            ],
        ),
        Function::new(
            "_>=_",
            &[
                op("greater_equals_int64_double", &["int", "double"], "bool"),
                op("greater_equals_int64_uint64", &["int", "uint"], "bool"),
                op("greater_equals_uint64_double", &["uint", "double"], "bool"),
                op("greater_equals_uint64_int64", &["uint", "int"], "bool"),
                op("greater_equals_double_int64", &["double", "int"], "bool"),
                op("greater_equals_double_uint64", &["double", "uint"], "bool"),
            ],
        ),
    ],
};

/// Indexing with and of optional values.
pub(super) static OPTIONAL: Library = Library {
    since: 28,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::new(
            "_[?_]",
            &[
                op("list_optindex_optional_int", &["list(V)", "int"], "optional_type(V)"),
                op(
                    "optional_list_optindex_optional_int",
                    &["optional_type(list(V))", "int"],
                    "optional_type(V)",
                ),
                op("map_optindex_optional_value", &["map(K, V)", "K"], "optional_type(V)"),
                op(
                    "optional_map_optindex_optional_value",
                    &["optional_type(map(K, V))", "K"],
                    "optional_type(V)",
                ),
            ],
        ),
        Function::new(
            "_[_]",
            &[
                op(
                    "optional_list_index_int",
                    &["optional_type(list(V))", "int"],
                    "optional_type(V)",
                ),
                op(
                    "optional_map_index_value",
                    &["optional_type(map(K, V))", "K"],
                    "optional_type(V)",
                ),
            ],
        ),
    ],
};
