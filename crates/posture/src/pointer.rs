//! JSON Pointers (RFC 6901): `/spec/containers/0/name`, `~1` for `/`, `~0` for `~`.
use serde_json::Value;
use std::borrow::Cow;

/// Appends one reference token.
pub fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    if token.contains(['~', '/']) {
        pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
    } else {
        pointer.push_str(token);
    }
}

/// `pointer` with `tokens` appended.
pub fn join<'a>(pointer: &str, tokens: impl IntoIterator<Item = &'a str>) -> String {
    let mut joined = pointer.to_owned();
    tokens.into_iter().for_each(|token| push(&mut joined, token));
    joined
}

/// The reference tokens, unescaped. The empty pointer has none.
pub fn tokens(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(|token| {
        if token.contains('~') {
            Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
        } else {
            Cow::Borrowed(token)
        }
    })
}

/// Splits off the last reference token, unescaped; `None` for the whole document.
pub fn split_last(pointer: &str) -> Option<(&str, Cow<'_, str>)> {
    let cut = pointer.rfind('/')?;
    Some((&pointer[..cut], tokens(&pointer[cut..]).next()?))
}

/// The value there. As [`Value::pointer`], which copies every token twice.
pub(crate) fn get<'v>(document: &'v Value, pointer: &str) -> Option<&'v Value> {
    if !(pointer.is_empty() || pointer.starts_with('/')) {
        return None;
    }
    tokens(pointer).try_fold(document, |at, token| match at {
        Value::Object(members) => members.get(token.as_ref()),
        Value::Array(items) if !token.starts_with(['+', '0']) || token == "0" => {
            items.get(token.parse::<usize>().ok()?)
        }
        _ => None,
    })
}

/// The same, to change it.
pub(crate) fn get_mut<'v>(document: &'v mut Value, pointer: &str) -> Option<&'v mut Value> {
    if !(pointer.is_empty() || pointer.starts_with('/')) {
        return None;
    }
    tokens(pointer).try_fold(document, |at, token| match at {
        Value::Object(members) => members.get_mut(token.as_ref()),
        Value::Array(items) if !token.starts_with(['+', '0']) || token == "0" => {
            items.get_mut(token.parse::<usize>().ok()?)
        }
        _ => None,
    })
}

/// The value there, null where nothing is.
pub fn value_at(document: &Value, pointer: &str) -> Value {
    get(document, pointer).cloned().unwrap_or(Value::Null)
}

#[test]
fn the_value_is_that_of_serde() {
    let document = serde_json::json!({"a": [{"b/c": 1}, 2], "": {"~": 3}, "d": null});
    for pointer in [
        "",
        "/",
        "/a",
        "/a/0",
        "/a/0/b~1c",
        "/a/1",
        "/a/2",
        "/a/01",
        "/a/+1",
        "/a/-",
        "//~0",
        "/d",
        "/d/e",
        "a",
        "/a/x",
    ] {
        assert_eq!(get(&document, pointer), document.pointer(pointer), "{pointer}");
        let mut changed = document.clone();
        assert_eq!(get_mut(&mut changed, pointer).map(|value| &*value), document.pointer(pointer));
    }
}
