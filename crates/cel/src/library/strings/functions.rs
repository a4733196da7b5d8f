//! The functions on strings, and `join`.
use super::render;
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::library::arguments::{Outcome, int, list, text};
use crate::library::quantity::Quantity;
use crate::library::{cost, strings};
use crate::value::{Go, Value};

/// In every version.
pub(crate) static LIBRARY: Library = Library {
    since: 0,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::new(
            "charAt",
            &[Overload::member("string_char_at_int", &["string", "int"], "string", |arguments| {
                given(strings::char_at(text(arguments, 0)?, int(arguments, 1)?))
            })],
        ),
        INDEX_OF,
        LAST_INDEX_OF,
        Function::priced(
            "lowerAscii",
            &[Overload::member("string_lower_ascii", &["string"], "string", |arguments| {
                Ok(Value::string(text(arguments, 0)?.to_ascii_lowercase()))
            })],
            cost::reading,
        ),
        Function::priced(
            "upperAscii",
            &[Overload::member("string_upper_ascii", &["string"], "string", |arguments| {
                Ok(Value::string(text(arguments, 0)?.to_ascii_uppercase()))
            })],
            cost::reading,
        ),
        Function::priced(
            "trim",
            &[Overload::member("string_trim", &["string"], "string", |arguments| {
                Ok(Value::string(text(arguments, 0)?.trim()))
            })],
            cost::reading,
        ),
        REPLACE,
        SPLIT,
        SUBSTRING,
    ],
};

/// Version 0, before 1.29.
pub(crate) static JOIN: Library = Library {
    since: 0,
    until: 29,
    types: &[],
    functions: &[Function::priced(
        "join",
        &[
            Overload::member("list_join", &["list(string)"], "string", |arguments| {
                join(arguments, "", native)
            }),
            Overload::member(
                "list_join_string",
                &["list(string)", "string"],
                "string",
                |arguments| join(arguments, text(arguments, 1)?, native),
            ),
        ],
        cost::joining,
    )],
};

/// What versions 1 and 2 brought, both with 1.29.
pub(crate) static LIBRARY_2: Library = Library {
    since: 29,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::priced(
            "format",
            &[Overload::member("string_format", &["string", "list(dyn)"], "string", |arguments| {
                render::render(text(arguments, 0)?, list(arguments, 1)?).map(Value::string)
            })],
            cost::reading,
        ),
        Function::priced(
            "strings.quote",
            &[Overload::global("strings_quote", &["string"], "string", |arguments| {
                Ok(Value::string(strings::quote(text(arguments, 0)?)))
            })],
            cost::reading,
        ),
        Function::priced(
            "join",
            &[
                Overload::member("list_join", &["list(string)"], "string", |arguments| {
                    join(arguments, "", plain)
                }),
                Overload::member(
                    "list_join_string",
                    &["list(string)", "string"],
                    "string",
                    |arguments| join(arguments, text(arguments, 1)?, plain),
                ),
            ],
            cost::joining,
        ),
    ],
};

const INDEX_OF: Function = Function::priced(
    "indexOf",
    &[
        Overload::member("string_index_of_string", &["string", "string"], "int", |arguments| {
            found(strings::index_of(text(arguments, 0)?, text(arguments, 1)?, 0))
        }),
        Overload::member(
            "string_index_of_string_int",
            &["string", "string", "int"],
            "int",
            |arguments| {
                let offset = int(arguments, 2)?;
                found(strings::index_of(text(arguments, 0)?, text(arguments, 1)?, offset))
            },
        ),
    ],
    cost::whole,
);

const LAST_INDEX_OF: Function = Function::priced(
    "lastIndexOf",
    &[
        Overload::member(
            "string_last_index_of_string",
            &["string", "string"],
            "int",
            |arguments| {
                found(strings::last_index_of(text(arguments, 0)?, text(arguments, 1)?, None))
            },
        ),
        Overload::member(
            "string_last_index_of_string_int",
            &["string", "string", "int"],
            "int",
            |arguments| {
                let offset = Some(int(arguments, 2)?);
                found(strings::last_index_of(text(arguments, 0)?, text(arguments, 1)?, offset))
            },
        ),
    ],
    cost::whole,
);

const REPLACE: Function = Function::priced(
    "replace",
    &[
        Overload::member(
            "string_replace_string_string",
            &["string", "string", "string"],
            "string",
            |arguments| replace(arguments, -1),
        ),
        Overload::member(
            "string_replace_string_string_int",
            &["string", "string", "string", "int"],
            "string",
            |arguments| replace(arguments, int(arguments, 3)?),
        ),
    ],
    cost::rewriting,
);

const SPLIT: Function = Function::priced(
    "split",
    &[
        Overload::member(
            "string_split_string",
            &["string", "string"],
            "list(string)",
            |arguments| split(arguments, -1),
        ),
        Overload::member(
            "string_split_string_int",
            &["string", "string", "int"],
            "list(string)",
            |arguments| split(arguments, int(arguments, 2)?),
        ),
    ],
    cost::rewriting,
);

const SUBSTRING: Function = Function::priced(
    "substring",
    &[
        Overload::member("string_substring_int", &["string", "int"], "string", |arguments| {
            given(strings::substring(text(arguments, 0)?, int(arguments, 1)?, None))
        }),
        Overload::member(
            "string_substring_int_int",
            &["string", "int", "int"],
            "string",
            |arguments| {
                let end = Some(int(arguments, 2)?);
                given(strings::substring(text(arguments, 0)?, int(arguments, 1)?, end))
            },
        ),
    ],
    cost::reading,
);

fn given<'a>(text: Result<String, String>) -> Outcome<'a> {
    text.map(Value::string).map_err(EvalError::Error)
}

fn found<'a>(position: Result<i64, String>) -> Outcome<'a> {
    position.map(Value::Int).map_err(EvalError::Error)
}

/// Bytes of one result. Replacing every letter by a long text costs the length of the text before.
const MAX_BYTES: usize = 16 << 20;

fn replace<'a>(arguments: &[Value<'a>], count: i64) -> Outcome<'a> {
    let (whole, old, new) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    let most = whole.matches(old).count().min(usize::try_from(count).unwrap_or(usize::MAX));
    if most.saturating_mul(new.len()).saturating_add(whole.len()) > MAX_BYTES {
        return Err(EvalError::Limit);
    }
    Ok(Value::string(strings::replace(whole, old, new, count)))
}

fn split<'a>(arguments: &[Value<'a>], count: i64) -> Outcome<'a> {
    let parts = strings::split(text(arguments, 0)?, text(arguments, 1)?, count);
    Ok(crate::library::arguments::strings(parts))
}

fn join<'a>(
    arguments: &[Value<'a>],
    separator: &str,
    part: fn(&Value<'_>) -> Result<String, EvalError>,
) -> Outcome<'a> {
    let mut joined = String::new();
    for (index, item) in list(arguments, 0)?.iter().enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&part(&item)?);
        if joined.len() > MAX_BYTES {
            return Err(EvalError::Limit);
        }
    }
    Ok(Value::string(joined))
}

fn plain(value: &Value<'_>) -> Result<String, EvalError> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| EvalError::Error(format!("join: invalid input: {}", Go(value))))
}

/// What version 0 makes of an element: Go's conversion, each type with an error of its own.
fn native(value: &Value<'_>) -> Result<String, EvalError> {
    let failure =
        |what: &str| EvalError::Error(format!("type conversion error from {what} to 'string'"));
    Err(match value {
        Value::String(text) => return Ok(text.to_string()),
        Value::Opaque(_) => {
            let quantity = value.as_opaque::<Quantity>().map(Quantity::canonical);
            return quantity.ok_or_else(EvalError::no_overload);
        }
        Value::Null => failure("'null_type'"),
        Value::Bool(_) => failure("bool"),
        Value::Int(_) | Value::Uint(_) => {
            let kind = value.type_name();
            EvalError::Error(format!("unsupported type conversion from '{kind}' to string"))
        }
        Value::Double(_) => failure("Double"),
        Value::Bytes(_) => failure("Bytes"),
        Value::Duration(_) => failure("'Duration'"),
        Value::Timestamp(_) => failure("'Timestamp'"),
        Value::List(_) => failure("list"),
        Value::Map(_) => failure("map"),
        Value::Optional(_) => failure("'optional_type'"),
        Value::Type(_) => EvalError::new("type conversion not supported for 'type'"),
    })
}
