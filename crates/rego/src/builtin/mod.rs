//! Built-in functions that the interpreter lacks, or has other than OPA.
//!
//! Each is a function of its arguments: `Err(Stop::Undefined)` where OPA's fails, since strict errors are off there.
mod collection;
mod crypto;
mod encoding;
mod globs;
mod go_regex;
mod net;
mod number;
pub(crate) mod quote;
mod regex;
mod sprintf;
mod string;
pub(crate) mod table;

pub use regex::regex_of_go;

use crate::run;
use regorus::{Engine, Value};

/// Why a call has no value.
pub(crate) enum Stop {
    /// The arguments are not such as the function takes: the call is undefined.
    Undefined,
    /// A bound was reached: the evaluation ends without an answer.
    Limit(&'static str),
}

pub(crate) type Answer = Result<Value, Stop>;

/// Bytes of text and elements of a collection that one call may make; inputs themselves stay under 8 MiB.
pub(crate) const MAX_TEXT: usize = 16 << 20;
pub(crate) const MAX_ELEMENTS: usize = 1 << 20;

struct Function {
    name: &'static str,
    args: u8,
    call: fn(&[Value]) -> Answer,
}

const fn function(name: &'static str, args: u8, call: fn(&[Value]) -> Answer) -> Function {
    Function { name, args, call }
}

#[rustfmt::skip]
static ALL: &[Function] = &[
    function("all", 1, collection::all),
    function("any", 1, collection::any),
    function("array.concat", 2, collection::concat),
    function("array.flatten", 1, collection::flatten),
    function("base64.decode", 1, encoding::base64_decode),
    function("base64.is_valid", 1, encoding::base64_is_valid),
    function("base64url.decode", 1, encoding::base64url_decode),
    function("cast_array", 1, collection::cast_array),
    function("cast_boolean", 1, collection::cast_boolean),
    function("cast_null", 1, collection::cast_null),
    function("cast_object", 1, collection::cast_object),
    function("cast_set", 1, collection::cast_set),
    function("cast_string", 1, collection::cast_string),
    function("concat", 2, string::concat),
    function("crypto.hmac.equal", 2, crypto::hmac_equal),
    function("crypto.hmac.md5", 2, crypto::hmac_md5),
    function("crypto.hmac.sha1", 2, crypto::hmac_sha1),
    function("crypto.hmac.sha256", 2, crypto::hmac_sha256),
    function("crypto.hmac.sha512", 2, crypto::hmac_sha512),
    function("crypto.md5", 1, crypto::md5),
    function("crypto.sha1", 1, crypto::sha1),
    function("crypto.sha256", 1, crypto::sha256),
    function("io.jwt.decode", 1, encoding::jwt_decode),
    function("net.cidr_contains", 2, net::contains),
    function("net.cidr_contains_matches", 2, net::contains_matches),
    function("net.cidr_expand", 1, net::expand),
    function("net.cidr_intersects", 2, net::intersects),
    function("net.cidr_is_valid", 1, net::is_valid),
    function("net.cidr_merge", 1, net::merge),
    function("net.cidr_overlap", 2, net::contains),
    function("numbers.range", 2, collection::range),
    function("numbers.range_step", 3, collection::range_step),
    function("opa.runtime", 0, collection::runtime),
    function("re_match", 2, regex::matches),
    function("regex.find_all_string_submatch_n", 3, regex::find_submatches),
    function("regex.find_n", 3, regex::find),
    function("regex.globs_match", 2, globs::intersect),
    function("regex.is_valid", 1, regex::is_valid),
    function("regex.match", 2, regex::matches),
    function("regex.replace", 3, regex::replace),
    function("regex.split", 2, regex::split),
    function("replace", 3, string::replace),
    function("seawall_div", 2, number::divide),
    function("seawall_rem", 2, number::remainder),
    function("set_diff", 2, collection::difference),
    function("sprintf", 2, sprintf::call),
    function("strings.replace_n", 2, string::replace_n),
    function("time.now_ns", 0, run::now),
];

/// Gives the engine every function above.
pub(crate) fn register(engine: &mut Engine) {
    for function in ALL {
        let call = function.call;
        let extension = move |args: Vec<Value>| match call(&args) {
            Ok(value) => Ok(value),
            Err(Stop::Undefined) => Ok(Value::Undefined),
            Err(Stop::Limit(what)) => Err(run::stop(what)),
        };
        // Fails only where a name stands twice, which a test rules out.
        let _ = engine.add_extension(function.name.to_owned(), function.args, Box::new(extension));
    }
}

fn text(value: &Value) -> Result<&str, Stop> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(Stop::Undefined),
    }
}

fn whole(value: &Value) -> Result<i64, Stop> {
    value.as_i64().map_err(|_| Stop::Undefined)
}

/// The elements of an array or a set.
fn elements(value: &Value) -> Result<Vec<Value>, Stop> {
    match value {
        Value::Array(items) => Ok(items.iter().cloned().collect()),
        Value::Set(items) => Ok(items.iter().cloned().collect()),
        _ => Err(Stop::Undefined),
    }
}

fn string(text: impl AsRef<str>) -> Answer {
    let text = text.as_ref();
    if text.len() > MAX_TEXT {
        return Err(Stop::Limit("a string over 16 MiB"));
    }
    Ok(Value::String(text.into()))
}

fn array(items: Vec<Value>) -> Answer {
    if items.len() > MAX_ELEMENTS {
        return Err(Stop::Limit("a collection over 1,048,576 elements"));
    }
    Ok(Value::from(items))
}

#[test]
fn functions_agree_with_the_table() {
    assert!(ALL.is_sorted_by(|a, b| a.name < b.name));
    for function in ALL {
        let name = function.name.strip_prefix("seawall_").unwrap_or(function.name);
        let row = table::find(name).unwrap();
        assert_eq!((row.args, row.refused), (usize::from(function.args), None), "{}", row.name);
    }
}
