//! What calls of the libraries cost while they run. Source: k8s.io/apiserver/pkg/cel/library/cost.go at 1.36 and
//! cel-go's runtime costs; a unit is about ten characters read.
use crate::value::Value;
use crate::{size, traversal};

/// The result of a call, where it has one.
type Outcome<'r, 'a> = Option<&'r Value<'a>>;

fn size_of(arguments: &[Value<'_>], at: usize) -> u64 {
    arguments.get(at).map_or(1, size)
}

/// The first argument is read once: parsers, case changes, `substring`.
pub(super) fn reading(_: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    traversal(size_of(arguments, 0))
}

/// The first argument is read, and a result of its size is made: `replace`, `split`, `ip.isCanonical`.
pub(super) fn rewriting(_: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    traversal(2 * size_of(arguments, 0))
}

/// `join`: the result is read and made.
pub(super) fn joining(_: &str, _: &[Value<'_>], result: Outcome<'_, '_>) -> u64 {
    traversal(2 * result.map_or(1, size))
}

/// A pattern of `pattern` bytes against a text of `text`.
fn search(text: u64, pattern: u64) -> u64 {
    traversal(1 + text).saturating_mul(pattern.div_ceil(4))
}

/// `find` and `findAll`.
pub(super) fn searching(_: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    search(size_of(arguments, 0), size_of(arguments, 1))
}

/// `validate`: the format's pattern against the text.
pub(super) fn validating(_: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    let format = arguments.first().and_then(Value::as_opaque::<super::format::Named>);
    match format {
        Some(named) => search(size_of(arguments, 1), named.0.regex_size as u64),
        None => 1,
    }
}

/// One look at everything in the list, or in the text: `sum`, `indexOf`. Bytes count, not characters.
pub(super) fn whole(_: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    arguments.first().map_or(0, depth)
}

fn depth(value: &Value<'_>) -> u64 {
    match value {
        Value::String(text) => text.len() as u64 / 10,
        Value::Bytes(bytes) => bytes.len() as u64 / 10,
        Value::List(list) => list.iter().map(|item| depth(&item)).sum(),
        Value::Map(map) => map.iter().map(|(key, value)| depth(&key) + depth(&value)).sum(),
        _ => 1,
    }
}

/// `ip`: parses a text, but only takes a field of a CIDR.
pub(super) fn address(overload: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    if overload == "cidr_ip" { 1 } else { traversal(size_of(arguments, 0)) }
}

/// `containsIP`: the network's bytes twice, and the text where the address is one.
pub(super) fn containing_ip(overload: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    let parsing = match overload {
        "cidr_contains_ip_string" => traversal(size_of(arguments, 1)),
        _ => 0,
    };
    traversal(2 * size_of(arguments, 0)) + parsing
}

/// `containsCIDR`: as [`containing_ip`], and the mask.
pub(super) fn containing_cidr(overload: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    let network = size_of(arguments, 0);
    let parsing = match overload {
        "cidr_contains_cidr_string" => traversal(size_of(arguments, 1)),
        _ => 0,
    };
    traversal(2 * network) + traversal(network) + 1 + parsing
}

/// One authorization check: two of them exhaust an expression's budget.
pub(super) fn authorization(_: &str, _: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    350_000
}

/// A selector is parsed into requirements, at worst one for two characters, each a struct and a list.
pub(super) fn selector(_: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    let length = size_of(arguments, 1);
    let requirements = length.div_ceil(2);
    LIST + traversal(length) + requirements * (LIST + STRUCT)
}

/// Units for making a list and a struct.
const LIST: u64 = 10;
const STRUCT: u64 = 40;

/// `sets.contains`, `sets.intersects`: every pair of elements.
pub(super) fn pairs(_: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    1 + size_of(arguments, 0).saturating_mul(size_of(arguments, 1))
}

/// `sets.equivalent`: both ways.
pub(super) fn pairs_twice(_: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    1 + size_of(arguments, 0).saturating_mul(size_of(arguments, 1)).saturating_mul(2)
}

/// `slice`, `reverse`, `lists.range`: the list that is made.
pub(super) fn making(_: &str, _: &[Value<'_>], result: Outcome<'_, '_>) -> u64 {
    1 + LIST + result.map_or(1, size)
}

/// `flatten`: the list, as often as there are levels. A negative number of them, which is an error, wraps as in Go.
pub(super) fn flattening(_: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    let levels = arguments.get(1).and_then(Value::as_int).unwrap_or(1);
    match u64::try_from(levels) {
        Ok(levels) => (1 + LIST).saturating_add(size_of(arguments, 0).saturating_mul(levels)),
        Err(_) => (1 + LIST).wrapping_add_signed(levels.wrapping_mul(size_of(arguments, 0) as i64)),
    }
}

/// `distinct`, `sort`: every element against every other, text a little dearer.
pub(super) fn comparing(overload: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    compared(overload, arguments.first())
}

/// `sortBy`: the keys against one another.
pub(super) fn comparing_keys(overload: &str, arguments: &[Value<'_>], _: Outcome<'_, '_>) -> u64 {
    compared(overload, arguments.get(1))
}

/// cel-go looks the price up by overload, and finds none where the checker left several.
fn compared(overload: &str, list: Option<&Value<'_>>) -> u64 {
    if overload.is_empty() {
        return 1;
    }
    let Some(Value::List(list)) = list else { return 1 + LIST };
    let tenths = match list.get(0) {
        Some(Value::String(_) | Value::Bytes(_)) => 21,
        _ => 20,
    };
    let length = list.len() as u64;
    1 + LIST + length.saturating_mul(length).saturating_mul(tenths) / 10
}
