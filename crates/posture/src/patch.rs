//! JSON Patch (RFC 6902) on values in memory.
use crate::pointer;
use serde_json::Value;

/// Why a patch does not apply; `operation` is its 0-based index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("operation {operation}: {reason}")]
pub struct PatchError {
    pub operation: usize,
    pub reason: String,
}

/// Applies all operations or none: on an error `document` is as it was.
/// Knows every operation of RFC 6902, section 4.
pub fn apply(document: &mut Value, operations: &[Value]) -> Result<(), PatchError> {
    let mut patched = document.clone();
    for (operation, value) in operations.iter().enumerate() {
        apply_one(&mut patched, value).map_err(|reason| PatchError { operation, reason })?;
    }
    *document = patched;
    Ok(())
}

/// Applies one operation. After an error the document may be half changed: for copies that are then thrown away,
/// which would otherwise be copied once more for every operation.
pub(crate) fn apply_one(document: &mut Value, operation: &Value) -> Result<(), String> {
    let text = |key: &str| {
        operation.get(key).and_then(Value::as_str).ok_or_else(|| format!("`{key}` is missing"))
    };
    let value = || operation.get("value").ok_or_else(|| "`value` is missing".to_owned());
    let path = text("path")?;
    match text("op")? {
        "add" => add(document, path, value()?.clone()),
        "remove" => remove(document, path).map(drop),
        "replace" => {
            *at(document, path)? = value()?.clone();
            Ok(())
        }
        "test" if at(document, path)? == value()? => Ok(()),
        "test" => Err(format!("`{path}` has another value")),
        "copy" => {
            let copied = at(document, text("from")?)?.clone();
            add(document, path, copied)
        }
        "move" => {
            let from = text("from")?;
            if path.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
                return Err(format!("`{from}` cannot move into itself"));
            }
            let moved = remove(document, from)?;
            add(document, path, moved)
        }
        other => Err(format!("`{other}` is no operation")),
    }
}

/// What takes one operation back.
pub(crate) struct Undo {
    path: String,
    how: How,
}

enum How {
    Remove,
    Put(Value),
    Insert(Value),
    Nothing,
}

/// Applies one operation so that it can be taken back: for a copy that serves many times.
pub(crate) fn apply_undoable(document: &mut Value, operation: &Value) -> Result<Undo, String> {
    let text = |key: &str| operation.get(key).and_then(Value::as_str).unwrap_or_default();
    let path = text("path").to_owned();
    let before = pointer::get(document, &path);
    let how = match (text("op"), before) {
        ("test", _) => How::Nothing,
        ("remove", Some(before)) => How::Insert(before.clone()),
        ("add", None) => How::Remove,
        ("add" | "replace", Some(before)) => How::Put(before.clone()),
        _ => return Err("an operation that cannot be taken back".to_owned()),
    };
    apply_one(document, operation)?;
    Ok(Undo { path, how })
}

/// Takes back what was done last.
pub(crate) fn undo(document: &mut Value, undo: Undo) {
    let Undo { path, how } = undo;
    // What was there a moment ago can be put there again.
    let _done = match how {
        How::Nothing => Ok(()),
        How::Remove => remove(document, &path).map(drop),
        How::Put(value) => at(document, &path).map(|place| *place = value),
        How::Insert(value) => add(document, &path, value),
    };
}

fn at<'a>(document: &'a mut Value, path: &str) -> Result<&'a mut Value, String> {
    pointer::get_mut(document, path).ok_or_else(|| format!("nothing at `{path}`"))
}

fn add(document: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let Some((parent, key)) = pointer::split_last(path) else {
        *document = value;
        return Ok(());
    };
    match at(document, parent)? {
        Value::Object(members) => {
            members.insert(key.into_owned(), value);
            Ok(())
        }
        Value::Array(items) if key == "-" => {
            items.push(value);
            Ok(())
        }
        Value::Array(items) => match index(&key) {
            Some(index) if index <= items.len() => {
                items.insert(index, value);
                Ok(())
            }
            _ => Err(format!("`{path}` is beyond the end")),
        },
        _ => Err(format!("`{parent}` has no members")),
    }
}

fn remove(document: &mut Value, path: &str) -> Result<Value, String> {
    let absent = || format!("nothing at `{path}`");
    let (parent, key) = pointer::split_last(path).ok_or_else(absent)?;
    match at(document, parent)? {
        Value::Object(members) => members.shift_remove(key.as_ref()).ok_or_else(absent),
        Value::Array(items) => {
            let index = index(&key).filter(|index| *index < items.len()).ok_or_else(absent)?;
            Ok(items.remove(index))
        }
        _ => Err(absent()),
    }
}

/// An array index: digits without a leading zero (RFC 6901, section 4).
fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with(['0', '+']);
    canonical.then(|| token.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The cases are those of RFC 6902, appendix A.
    #[track_caller]
    fn check(document: Value, patch: Value, expected: Option<Value>) {
        let mut patched = document.clone();
        let result = apply(&mut patched, patch.as_array().unwrap());
        assert_eq!(result.is_ok(), expected.is_some(), "{patch}: {result:?}");
        assert_eq!(patched, expected.unwrap_or(document), "{patch}");
    }

    #[test]
    fn what_is_done_can_be_taken_back() {
        let document = json!({"a": {"b": 1}, "l": [1, 2, 3]});
        let operations = [
            json!({"op": "test", "path": "/a/b", "value": 1}),
            json!({"op": "replace", "path": "/a/b", "value": {"c": 2}}),
            json!({"op": "add", "path": "/a/b/d", "value": 3}),
            json!({"op": "add", "path": "/a/b", "value": 4}),
            json!({"op": "remove", "path": "/l/1"}),
            json!({"op": "remove", "path": "/l/0"}),
            json!({"op": "remove", "path": "/a"}),
        ];
        let mut changed = document.clone();
        let done: Vec<Undo> = operations
            .iter()
            .map(|operation| apply_undoable(&mut changed, operation).unwrap())
            .collect();
        assert_eq!(changed, json!({"l": [3]}));
        done.into_iter().rev().for_each(|done| undo(&mut changed, done));
        assert_eq!(changed, document);
        let broken = json!({"op": "replace", "path": "/x", "value": 1});
        assert!(apply_undoable(&mut changed, &broken).is_err());
        assert_eq!(changed, document);
    }

    #[test]
    fn appendix_a() {
        let patch = |op, path, value: Value| json!([{"op": op, "path": path, "value": value}]);
        check(
            json!({"foo": "bar"}),
            patch("add", "/baz", json!("qux")),
            Some(json!({"foo": "bar", "baz": "qux"})),
        );
        check(
            json!({"foo": ["bar", "baz"]}),
            patch("add", "/foo/1", json!("qux")),
            Some(json!({"foo": ["bar", "qux", "baz"]})),
        );
        check(
            json!({"baz": "qux", "foo": "bar"}),
            patch("remove", "/baz", Value::Null),
            Some(json!({"foo": "bar"})),
        );
        check(
            json!({"foo": ["bar", "qux", "baz"]}),
            patch("remove", "/foo/1", Value::Null),
            Some(json!({"foo": ["bar", "baz"]})),
        );
        check(
            json!({"baz": "qux"}),
            patch("replace", "/baz", json!("boo")),
            Some(json!({"baz": "boo"})),
        );
        check(
            json!({"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}}),
            json!([{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}]),
            Some(json!({"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}})),
        );
        check(
            json!({"foo": ["a", 2, "c"]}),
            patch("test", "/foo/1", json!(2)),
            Some(json!({"foo": ["a", 2, "c"]})),
        );
        check(json!({"baz": "qux"}), patch("test", "/baz", json!("bar")), None);
        check(json!({"foo": "bar"}), patch("add", "/baz/bat", json!("qux")), None);
        check(
            json!({"/": 9, "~1": 10}),
            patch("test", "/~01", json!(10)),
            Some(json!({"/": 9, "~1": 10})),
        );
        check(
            json!({"foo": ["bar"]}),
            patch("add", "/foo/-", json!(["abc", "def"])),
            Some(json!({"foo": ["bar", ["abc", "def"]]})),
        );
        check(json!({"foo": ["bar"]}), patch("add", "/foo/01", json!(1)), None);
        check(
            json!({"foo": 1}),
            json!([{"op": "copy", "from": "/foo", "path": "/bar"}]),
            Some(json!({"foo": 1, "bar": 1})),
        );
        check(
            json!({"foo": 1}),
            json!([{"op": "remove", "path": "/foo"}, {"op": "test", "path": "/x", "value": 1}]),
            None,
        );
    }
}
