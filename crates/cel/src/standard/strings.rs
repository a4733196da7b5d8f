//! `contains`, `startsWith`, `endsWith`, `matches`.
use crate::error::EvalError;
use crate::eval::{size, traversal};
use crate::functions::{Function, Library, Overload, Refusal};
use crate::value::Value;

type Outcome<'a> = Result<Value<'a>, EvalError>;

pub(super) static LIBRARY: Library = Library {
    since: 0,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::priced(
            "contains",
            &[Overload::member("contains_string", &["string", "string"], "bool", contains)],
            |_, arguments, _| match arguments {
                [text, part] => traversal(size(text)).saturating_mul(traversal(size(part))),
                _ => 1,
            },
        )
        .refusing(Refusal::Bare),
        Function::priced(
            "endsWith",
            &[Overload::member("ends_with_string", &["string", "string"], "bool", ends_with)],
            price,
        )
        .refusing(Refusal::Bare),
        Function::priced(
            "startsWith",
            &[Overload::member("starts_with_string", &["string", "string"], "bool", starts_with)],
            price,
        )
        .refusing(Refusal::Bare),
        // The interpreter has a step for it.
        Function::new(
            "matches",
            &[
                Overload::global("matches", &["string", "string"], "bool", step),
                Overload::member("matches_string", &["string", "string"], "bool", step),
            ],
        ),
    ],
};

/// The whole text, whatever is looked for.
fn price(_: &str, arguments: &[Value<'_>], _: Option<&Value<'_>>) -> u64 {
    arguments.first().map_or(1, |text| traversal(size(text)))
}

fn step<'a>(_: &[Value<'a>]) -> Outcome<'a> {
    Err(EvalError::no_overload())
}

fn two<'a>(arguments: &[Value<'a>], holds: impl FnOnce(&str, &str) -> bool) -> Outcome<'a> {
    match arguments {
        [Value::String(text), Value::String(part)] => Ok(Value::Bool(holds(text, part))),
        _ => Err(EvalError::no_overload()),
    }
}

fn contains<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    two(arguments, |text, part| text.contains(part))
}

fn starts_with<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    two(arguments, |text, part| text.starts_with(part))
}

fn ends_with<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    two(arguments, |text, part| text.ends_with(part))
}
