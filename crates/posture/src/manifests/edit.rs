//! JSON Patch operations as edits of YAML text: comments, order and style of everything else stay.
//!
//! Works for what fixes do: replace a value, add a member to a mapping, remove one, remove an element of a list.
//! Anything else is refused, and who calls compares the result with what was meant.
use crate::pointer;
use crate::yaml::{self, Entry, Kind, Node};
use serde_json::Value;

/// Applies `operations` to the one document in `text`. `Err` says what cannot be written.
pub(super) fn apply(text: &str, operations: &[Value]) -> Result<String, String> {
    let mut edited = text.to_owned();
    for operation in operations {
        edited = apply_one(&edited, operation)?;
    }
    Ok(edited)
}

fn apply_one(text: &str, operation: &Value) -> Result<String, String> {
    let field = |key: &str| operation.get(key).and_then(Value::as_str).unwrap_or_default();
    let root = yaml::parse(text).map_err(|error| error.message)?.ok_or("the document is empty")?;
    let (parent, key) =
        pointer::split_last(field("path")).ok_or("the whole document cannot be replaced")?;
    let mut node = &root;
    for token in pointer::tokens(parent) {
        node = node.member(&token).ok_or_else(|| format!("nothing at {parent}"))?;
        if node.aliased {
            return Err(format!("{parent} comes through an alias"));
        }
    }
    let value = operation.get("value").unwrap_or(&Value::Null);
    match field("op") {
        "test" => Ok(text.to_owned()),
        "replace" => match node.entry(&key) {
            Some(entry) => replace(text, entry, value),
            None => {
                let node = node.member(&key).ok_or("nothing to replace")?;
                rewrite(text, node, value).ok_or_else(|| "the element is no text".to_owned())
            }
        },
        "remove" => remove(text, node, &key),
        "add" => match node.entry(&key) {
            Some(entry) if matches!(entry.value.kind, Kind::Scalar(Value::Null)) => {
                fill(text, entry, value)
            }
            _ => add(text, node, &key, value),
        },
        other => Err(format!("{other} cannot be written")),
    }
}

fn replace(text: &str, entry: &Entry, value: &Value) -> Result<String, String> {
    let node = &entry.value;
    if node.aliased {
        return Err(format!("{} comes through an alias", entry.key));
    }
    if let Some(replaced) = rewrite(text, node, value) {
        return Ok(replaced);
    }
    // In lines of its own: the new value stands on the key's line, before the comment there.
    let after = colon(text, entry)? + 1;
    let end = value_end(text, entry);
    let line = text[after..end].find('\n').map_or(end, |at| after + at);
    let comment = text[after..line].trim();
    if !(comment.is_empty() || comment.starts_with('#')) {
        return Err(
            "a value that begins on its key's line and goes on cannot be replaced".to_owned()
        );
    }
    let quoted = text[entry.key_span.clone()].starts_with('"');
    let comment = if comment.is_empty() { String::new() } else { format!(" {comment}") };
    let newline = if text[..end].ends_with('\n') { "\n" } else { "" };
    Ok(splice(text, after..end, &format!(" {}{comment}{newline}", flow(value, quoted))))
}

/// Replaces a scalar or a flow collection where it stands on one line.
fn rewrite(text: &str, node: &Node, value: &Value) -> Option<String> {
    let block =
        matches!(node.kind, Kind::Sequence { flow: false, .. } | Kind::Mapping { flow: false, .. });
    let old = text.get(node.span.clone()).unwrap_or_default();
    let written = !(node.aliased || block || old.is_empty() || old.contains('\n'));
    written.then(|| splice(text, node.span.clone(), &flow(value, old.starts_with('"'))))
}

/// Where the colon behind an entry's key stands.
fn colon(text: &str, entry: &Entry) -> Result<usize, String> {
    let after_key = &text[entry.key_span.end..];
    let colon =
        after_key.find(':').filter(|at| after_key[..*at].trim_matches(['"', '\'', ' ']).is_empty());
    let colon = colon.ok_or_else(|| format!("the colon behind {} is not found", entry.key))?;
    Ok(entry.key_span.end + colon)
}

/// Gives a value to a key that stands there without one, or with `null` or `~`.
fn fill(text: &str, entry: &Entry, value: &Value) -> Result<String, String> {
    let colon = colon(text, entry)?;
    let written = text
        .get(entry.value.span.clone())
        .is_some_and(|old| matches!(old, "null" | "Null" | "NULL" | "~"));
    let end = if written { entry.value.span.end } else { colon + 1 };
    let quoted = text[entry.key_span.clone()].starts_with('"');
    Ok(splice(text, colon + 1..end, &format!(" {}", flow(value, quoted))))
}

fn splice(text: &str, range: std::ops::Range<usize>, with: &str) -> String {
    format!("{}{with}{}", &text[..range.start], &text[range.end..])
}

/// A value on one line. `quote` writes JSON, which every YAML reader takes.
fn scalar(value: &Value, quote: bool) -> String {
    match value {
        Value::String(text) if !quote && plain_is_safe(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a text stays the text it is without quotes: begins with a letter or digit, then nothing YAML reads
/// anything into, and no reader takes it for another type.
fn plain_is_safe(text: &str) -> bool {
    let bytes = text.as_bytes();
    let safe = bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/'));
    safe && yaml::parse(text)
        .is_ok_and(|node| node.is_some_and(|node| node.to_json() == Value::String(text.to_owned())))
}

fn add(text: &str, parent: &Node, key: &str, value: &Value) -> Result<String, String> {
    let Kind::Mapping { entries, flow } = &parent.kind else {
        return Err("only mappings can be added to".to_owned());
    };
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    match (entries.last(), flow) {
        (None, false) => Err("an empty block mapping has no place".to_owned()),
        (None, true) => {
            let inner = parent.span.start + 1..parent.span.start + 1;
            let quoted = text.trim_start().starts_with('{');
            Ok(splice(text, inner, &flow_entry(key, value, quoted)))
        }
        (Some(last), true) => {
            let at = value_end(text, last);
            let quoted = text[last.key_span.clone()].starts_with('"');
            // One member a line stays one member a line.
            let line_start = text[..last.key_span.start].rfind('\n').map_or(0, |at| at + 1);
            let indent = &text[line_start..last.key_span.start];
            let separator = if indent.trim().is_empty() && line_start > parent.span.start {
                format!(",{newline}{indent}")
            } else {
                ", ".to_owned()
            };
            Ok(splice(text, at..at, &format!("{separator}{}", flow_entry(key, value, quoted))))
        }
        (Some(last), false) => {
            let at = line_end(text, value_end(text, last));
            let indent = entries.first().map_or(0, |first| first.key_column) as usize;
            let lines = block_entry(key, value, indent, newline);
            let lead = if text[..at].ends_with('\n') { "" } else { newline };
            Ok(splice(text, at..at, &format!("{lead}{lines}")))
        }
    }
}

/// Where an entry's text ends: after its value's last leaf, or after the key where there is none.
fn value_end(text: &str, entry: &Entry) -> usize {
    if entry.value.aliased || matches!(entry.value.kind, Kind::Scalar(Value::Null)) {
        // The alias itself stands after the key, on its line.
        return entry.key_span.end;
    }
    node_end(text, &entry.value).max(entry.key_span.end)
}

/// Where a node's last leaf ends.
pub(super) fn node_end(text: &str, node: &Node) -> usize {
    match &node.kind {
        Kind::Sequence { items, flow: false } => {
            items.last().map_or(node.span.end, |item| node_end(text, item))
        }
        Kind::Mapping { entries, flow: false } => {
            entries.last().map_or(node.span.end, |entry| value_end(text, entry))
        }
        Kind::Scalar(_) => scalar_end(text, node.span.clone()),
        _ => node.span.end,
    }
}

/// The parser lets a block scalar end at the next token; comments before that, less indented than its lines, are not
/// part of it.
fn scalar_end(text: &str, span: std::ops::Range<usize>) -> usize {
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let (start, last) = (line_start(span.start), line_start(span.end));
    // Scalars of other styles end with their last character.
    if last <= span.start || !text[last..span.end].trim().is_empty() {
        return span.end;
    }
    let header = !text[start..span.start].trim().is_empty();
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let (mut end, mut content) = (start, None);
    for (number, line) in text[start..last].split_inclusive('\n').enumerate() {
        if !(line.trim().is_empty() || number == 0 && header) {
            let least = *content.get_or_insert(indent(line));
            if indent(line) < least {
                break;
            }
        }
        end += line.len();
    }
    end
}

/// The start of the line after the one that `at` is on; a block scalar's end already is one.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    if at > 0 && text[..at].ends_with('\n') {
        return at;
    }
    text[at..].find('\n').map_or(text.len(), |found| at + found + 1)
}

/// From the start of the entry's first line to the end of its last.
fn entry_lines(text: &str, entry: &Entry) -> (usize, usize) {
    let start = text[..entry.key_span.start].rfind('\n').map_or(0, |at| at + 1);
    (start, line_end(text, value_end(text, entry)))
}

fn flow_entry(key: &str, value: &Value, quoted: bool) -> String {
    format!("{}: {}", scalar(&key.into(), quoted), flow(value, quoted))
}

fn flow(value: &Value, quoted: bool) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<_> =
                members.iter().map(|(key, value)| flow_entry(key, value, quoted)).collect();
            format!("{{{}}}", members.join(", "))
        }
        other => scalar(other, quoted),
    }
}

fn block_entry(key: &str, value: &Value, indent: usize, newline: &str) -> String {
    let margin = " ".repeat(indent);
    let key = scalar(&key.into(), false);
    match value.as_object().filter(|members| !members.is_empty()) {
        Some(members) => {
            let inner: String = members
                .iter()
                .map(|(key, value)| block_entry(key, value, indent + 2, newline))
                .collect();
            format!("{margin}{key}:{newline}{inner}")
        }
        None => format!("{margin}{key}: {}{newline}", scalar(value, value.is_array())),
    }
}

fn remove(text: &str, parent: &Node, key: &str) -> Result<String, String> {
    let (entries, flow) = match &parent.kind {
        Kind::Mapping { entries, flow } => (entries, flow),
        Kind::Sequence { items, flow } => return remove_item(text, items, *flow, key),
        Kind::Scalar(_) => return Err("nothing to remove".to_owned()),
    };
    let index = entries.iter().position(|entry| entry.key == key).ok_or("nothing to remove")?;
    let entry = &entries[index];
    if entry.value.aliased {
        return Err(format!("{key} comes through an alias"));
    }
    let next = entries.get(index + 1).map(|next| next.key_span.start);
    let end = value_end(text, entry);
    if *flow {
        return Ok(match (next, index.checked_sub(1)) {
            (Some(next), _) => {
                let kept = kept_from(text, end, next);
                // Without a blank before it, `#` begins no comment.
                splice(text, entry.key_span.start..kept, if kept < next { " " } else { "" })
            }
            (None, Some(previous)) => {
                let previous = value_end(text, &entries[previous]);
                // A comment on the entry before keeps its comma, which YAML allows at the end.
                let commented = text[previous..entry.key_span.start].contains('#');
                let start = if commented { entry.key_span.start } else { previous };
                splice(text, start..end, "")
            }
            (None, None) => splice(text, entry.key_span.start..end, ""),
        });
    }
    let (start, end) = entry_lines(text, entry);
    let alone_on_its_line = text[start..entry.key_span.start].trim().is_empty();
    match next {
        // Behind a dash: what comes next moves up to it.
        Some(next) if !alone_on_its_line => {
            Ok(splice(text, entry.key_span.start..kept_from(text, end, next), ""))
        }
        None if entries.len() == 1 => Ok(emptied(text, (start, entry.key_span.start), end, "{}")),
        _ => Ok(splice(text, start..end, "")),
    }
}

/// Puts `empty` in the place of the only member of a block collection: behind the key it belongs to where nothing else
/// stands there. `from` are the starts of its line and of itself, `end` that of the line after it.
fn emptied(text: &str, from: (usize, usize), end: usize, empty: &str) -> String {
    let (line, start) = from;
    let newline = if text[..end].ends_with("\r\n") {
        "\r\n"
    } else if text[..end].ends_with('\n') {
        "\n"
    } else {
        ""
    };
    let before = text[..line].trim_end();
    if text[line..start].trim().is_empty() && before.ends_with(':') {
        return splice(text, before.len()..end, &format!(" {empty}{newline}"));
    }
    splice(text, start..end, &format!("{empty}{newline}"))
}

/// Removes an element of a list.
fn remove_item(text: &str, items: &[Node], flow: bool, key: &str) -> Result<String, String> {
    let index = key.parse::<usize>().ok().filter(|index| *index < items.len());
    let index = index.ok_or("nothing to remove")?;
    let item = &items[index];
    if flow {
        let range = match (items.get(index + 1), index.checked_sub(1)) {
            (Some(next), _) => item.span.start..next.span.start,
            (None, Some(previous)) => items[previous].span.end..item.span.end,
            (None, None) => item.span.clone(),
        };
        return match item.aliased || text[range.clone()].contains('#') {
            true => Err("a list of aliases or with comments is left as it is".to_owned()),
            false => Ok(splice(text, range, "")),
        };
    }
    let line = text[..item.span.start].rfind('\n').map_or(0, |at| at + 1);
    let lead = text[line..item.span.start].trim_start_matches(' ');
    let Some(rest) = lead.strip_prefix('-').filter(|rest| rest.trim().is_empty()) else {
        return Err("the element does not begin on a line of its own".to_owned());
    };
    let dash = item.span.start - rest.len() - 1;
    let end = line_end(text, node_end(text, item));
    if items.len() == 1 {
        return Ok(emptied(text, (line, dash), end, "[]"));
    }
    Ok(splice(text, line..end, ""))
}

/// Where the text begins that stays when an entry ending at `end` goes: at the next key, or at comments in lines of
/// their own, which are about that key. What stands on the entry's last line is about the entry.
fn kept_from(text: &str, end: usize, next: usize) -> usize {
    // A block scalar's end is the start of the line after it.
    let end = end - usize::from(text[..end].ends_with('\n'));
    let Some(line) = text[end..next].find('\n').map(|at| end + at + 1) else { return next };
    match text[line..next].find('#') {
        Some(comment) => line + comment,
        None => next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(text: &str, operations: Value, expected: &str) {
        let edited = apply(text, operations.as_array().unwrap())
            .unwrap_or_else(|error| panic!("{error}:\n{text}"));
        assert_eq!(edited, expected);
        let mut value = yaml::parse(text).unwrap().unwrap().to_json();
        crate::manifests::remove_nulls(&mut value);
        crate::patch::apply(&mut value, operations.as_array().unwrap()).unwrap();
        assert_eq!(yaml::parse(&edited).unwrap().unwrap().to_json(), value, "{edited}");
    }

    fn add(path: &str, value: Value) -> Value {
        json!([{"op": "add", "path": path, "value": value}])
    }

    #[test]
    fn adding() {
        check(
            "a: # why\n  b: 1 # one\n  # end\nc: 2\n",
            add("/a/x", json!({"t": false})),
            "a: # why\n  b: 1 # one\n  x:\n    t: false\n  # end\nc: 2\n",
        );
        check(
            "l:\n- name: a # first\n  image: x\n- name: b\n",
            add("/l/0/s", json!("500m")),
            "l:\n- name: a # first\n  image: x\n  s: 500m\n- name: b\n",
        );
        check(
            "l:\n  -   name: a",
            add("/l/0/s", json!({"t": {"u": true}})),
            "l:\n  -   name: a\n      s:\n        t:\n          u: true\n",
        );
        check(
            "a:\n  cmd: |\n    x\n\n    y\nb: 1\n",
            add("/a/z", json!(1)),
            "a:\n  cmd: |\n    x\n\n    y\n  z: 1\nb: 1\n",
        );
        check("a: {b: 1}\n", add("/a/x", json!({"y": "no"})), "a: {b: 1, x: {\"y\": \"no\"}}\n");
        check("a: {}\n", add("/a/x", json!({})), "a: {x: {}}\n");
        check("a:\r\n  b: 1\r\n", add("/a/x", json!(true)), "a:\r\n  b: 1\r\n  x: true\r\n");
        check(
            "{\n\t\"a\": {\n\t\t\"b\": 1\n\t}\n}\n",
            add("/a/x", json!({"y": "z"})),
            "{\n\t\"a\": {\n\t\t\"b\": 1,\n\t\t\"x\": {\"y\": \"z\"}\n\t}\n}\n",
        );
        check("{\"a\": {}}", add("/a/x", json!(1)), "{\"a\": {\"x\": 1}}");
        check(
            "a:\n  b: 1\n  s: # none\n",
            add("/a/s", json!({"x": 1})),
            "a:\n  b: 1\n  s: {x: 1} # none\n",
        );
        check("a: {s: null, b: 1}\n", add("/a/s", json!({"x": 1})), "a: {s: {x: 1}, b: 1}\n");
        check(
            "é: ü\nl:\n- n: \"ä\" # ö\n",
            add("/l/0/x", json!(1)),
            "é: ü\nl:\n- n: \"ä\" # ö\n  x: 1\n",
        );
    }

    #[test]
    fn replacing_and_removing() {
        check(
            "a: {b: true} # c\n",
            json!([{"op": "replace", "path": "/a/b", "value": false}]),
            "a: {b: false} # c\n",
        );
        check(
            "a:\n  b: yes # c\n",
            json!([{"op": "replace", "path": "/a/b", "value": false}]),
            "a:\n  b: false # c\n",
        );
        let remove = |path: &str| json!([{"op": "remove", "path": path}]);
        check(
            "l:\n- name: v\n  h: # why\n    p: /etc\n  # kept\n- name: w\n",
            remove("/l/0/h"),
            "l:\n- name: v\n  # kept\n- name: w\n",
        );
        check("l:\n- h: {p: /etc}\n  name: v\n", remove("/l/0/h"), "l:\n- name: v\n");
        check(
            "l: [{name: v, h: {p: /}}, {h: 1, name: w}]\n",
            json!([{"op": "remove", "path": "/l/0/h"}, {"op": "remove", "path": "/l/1/h"}]),
            "l: [{name: v}, {name: w}]\n",
        );
        // Comments in lines of their own are about what follows.
        check(
            "l:\n- h: {p: /etc} # of the node\n  # its name\n  name: v\n",
            remove("/l/0/h"),
            "l:\n- # its name\n  name: v\n",
        );
        check(
            "l:\n- name: v\n  h: |\n    x\n  # kept\n  k: 1\n",
            remove("/l/0/h"),
            "l:\n- name: v\n  # kept\n  k: 1\n",
        );
        check(
            "l:\n- name: v\n  h:\n    p: |\n      x\n\n  # kept\n  k: 1\n",
            remove("/l/0/h"),
            "l:\n- name: v\n  # kept\n  k: 1\n",
        );
        check("a: {h: 1, # gone\n  # kept\n  b: 2}\n", remove("/a/h"), "a: { # kept\n  b: 2}\n");
        check("a: {b: 2, # kept\n  h: 1}\n", remove("/a/h"), "a: {b: 2, # kept\n  }\n");
        check(
            "l:\n- name: v\n  h: {p: /}\n",
            json!([{"op": "remove", "path": "/l/0/h"}, {"op": "add", "path": "/l/0/e", "value": {}}]),
            "l:\n- name: v\n  e: {}\n",
        );
    }

    #[test]
    fn whole_values() {
        let replace =
            |path: &str, value: Value| json!([{"op": "replace", "path": path, "value": value}]);
        check(
            "a:\n  drop: # why\n  - X # x\n  - Y\n  add: [Z]\n",
            replace("/a/drop", json!(["ALL"])),
            "a:\n  drop: [\"ALL\"] # why\n  add: [Z]\n",
        );
        check("a:\n  l:\n    - X", replace("/a/l", json!([])), "a:\n  l: []");
        check("a: {l: [X, Y]}\n", replace("/a/l", json!(["Z"])), "a: {l: [\"Z\"]}\n");
        check(
            "a:\n  m:\n    k: |\n      x\n  z: 1\n",
            replace("/a/m", json!({"k": 1})),
            "a:\n  m: {k: 1}\n  z: 1\n",
        );
        check("l:\n- a\n- b # c\n", replace("/l/1", json!("d")), "l:\n- a\n- d # c\n");
    }

    #[test]
    fn the_only_member_and_elements() {
        let remove = |path: &str| json!([{"op": "remove", "path": path}]);
        check("a:\n  h: 1\nb: 2\n", remove("/a/h"), "a: {}\nb: 2\n");
        check("l:\n- h:\n    p: 1\n", remove("/l/0/h"), "l:\n- {}\n");
        check("a: # c\n  h: 1\n", remove("/a/h"), "a: # c\n  {}\n");
        check("a:\n  h: 1", remove("/a/h"), "a: {}");
        check("l:\n- a: 1\n  b: 2\n- c\n", remove("/l/0"), "l:\n- c\n");
        check("l:\n  - a\n  - b # c\nz: 1\n", remove("/l/1"), "l:\n  - a\nz: 1\n");
        check("l:\n  - a\nz: 1\n", remove("/l/0"), "l: []\nz: 1\n");
        check("l: [a, {b: 1}, c]\n", remove("/l/1"), "l: [a, c]\n");
        check("l: [a, b]\n", remove("/l/1"), "l: [a]\n");
        check("l: [a]\n", remove("/l/0"), "l: []\n");
    }

    #[test]
    fn refused() {
        #[track_caller]
        fn check(text: &str, operation: Value, why: &str) {
            let error = apply(text, &[operation]).expect_err(text);
            assert!(error.contains(why), "{error}");
        }
        check("a: &x {b: 1}\nc: *x\n", json!({"op": "add", "path": "/c/d", "value": 1}), "alias");
        check("a: [1]\n", json!({"op": "add", "path": "/a/-", "value": 1}), "only mappings");
        check("a: >\n  x\n  y\n", json!({"op": "replace", "path": "/a", "value": 1}), "goes on");
        check("- - a\n  - b\n", json!({"op": "remove", "path": "/0/0"}), "line of its own");
    }
}
