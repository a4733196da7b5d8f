//! `find` and `findAll`.
use super::Regex;
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::library::arguments::{Outcome, int, strings, text};
use crate::library::cost;
use crate::value::Value;
use std::rc::Rc;

pub(crate) static LIBRARY: Library = Library {
    since: 0,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::priced(
            "find",
            &[Overload::member(
                "string_find_string",
                &["string", "string"],
                "string",
                |arguments| find(&*regex(arguments)?, arguments),
            )],
            cost::searching,
        )
        .searching(find),
        Function::priced(
            "findAll",
            &[
                Overload::member(
                    "string_find_all_string",
                    &["string", "string"],
                    "list(string)",
                    |arguments| find_all(&*regex(arguments)?, arguments),
                ),
                Overload::member(
                    "string_find_all_string_int",
                    &["string", "string", "int"],
                    "list(string)",
                    |arguments| find_all(&*regex(arguments)?, arguments),
                ),
            ],
            cost::searching,
        )
        .searching(find_all),
    ],
};

fn find<'a>(regex: &Regex, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::string(regex.find(text(arguments, 0)?)))
}

/// `(text, pattern)` or `(text, pattern, count)`.
fn find_all<'a>(regex: &Regex, arguments: &[Value<'a>]) -> Outcome<'a> {
    let count = if arguments.len() > 2 { int(arguments, 2)? } else { -1 };
    Ok(strings(regex.find_all(text(arguments, 0)?, count)))
}

fn regex(arguments: &[Value<'_>]) -> Result<Rc<Regex>, EvalError> {
    let pattern = text(arguments, 1)?;
    Regex::computed(pattern).map_err(|error| EvalError::Error(format!("Illegal regex: {error}")))
}
