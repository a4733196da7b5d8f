//! One YAML document as a tree that knows where every node stands, read as kubectl reads it.
//!
//! Scalars follow YAML 1.1 (`yes`, `on` and `0644` are no strings), because that is what the API server will get.
//! Source: go.yaml.in/yaml/v2 `resolve.go`, which sigs.k8s.io/yaml and so kubectl use.
use serde_json::{Map, Number, Value};
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, StructureStyle};
use std::collections::HashMap;
use std::ops::Range;

/// Bytes of one document; the API server itself refuses objects far below it.
pub const MAX_DOCUMENT: usize = 16 << 20;
/// Nested collections; Kubernetes objects stay under 30.
pub const MAX_DEPTH: usize = 100;
/// Nodes that aliases may add to a document: hand-written anchors add tens, bombs millions.
pub const MAX_ALIASED: usize = 100_000;

/// A value and its place. `span` is in bytes of the parsed text.
#[derive(Clone, Debug)]
pub struct Node {
    pub kind: Kind,
    pub span: Range<usize>,
    /// 1-based.
    pub line: u32,
    /// 0-based, in characters.
    pub column: u32,
    /// Came through an alias or merge key: the text that would have to change stands elsewhere.
    pub aliased: bool,
    nodes: usize,
}

#[derive(Clone, Debug)]
pub enum Kind {
    /// Null, boolean, number or string.
    Scalar(Value),
    Sequence {
        items: Vec<Node>,
        flow: bool,
    },
    Mapping {
        entries: Vec<Entry>,
        flow: bool,
    },
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    /// Bytes of the key.
    pub key_span: Range<usize>,
    /// 0-based column of the key, in characters.
    pub key_column: u32,
    pub value: Node,
}

/// Why a document was refused, and where (1-based).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// `yaml-syntax`, `duplicate-key` or `limit`.
    pub code: &'static str,
    pub message: String,
    pub line: u32,
    pub column: u32,
}

impl Node {
    /// The value as JSON, keys in the order written.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::Sequence { items, .. } => items.iter().map(Self::to_json).collect(),
            Kind::Mapping { entries, .. } => {
                let pairs = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    /// The entry of a mapping.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Mapping { entries, .. } => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The member a reference token of a JSON Pointer names.
    pub fn member(&self, token: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Mapping { .. } => self.entry(token).map(|entry| &entry.value),
            Kind::Sequence { items, .. } => items.get(token.parse::<usize>().ok()?),
            Kind::Scalar(_) => None,
        }
    }
}

/// Reads the one document in `text`; `None` where it holds nothing but comments.
/// Refused: syntax errors, duplicate keys, over [`MAX_DEPTH`], [`MAX_ALIASED`] or [`MAX_DOCUMENT`], keys that are no scalars.
pub fn parse(text: &str) -> Result<Option<Node>, YamlError> {
    if text.len() > MAX_DOCUMENT {
        return Err(limit(1, 1, format!("document is over {} MiB", MAX_DOCUMENT >> 20)));
    }
    // JSON may be indented by tabs, which YAML refuses; inside its strings no raw tab may stand.
    let json = text.trim_start().starts_with(['{', '[']);
    let untabbed = (json && text.contains('\t')).then(|| text.replace('\t', " "));
    let mut builder = Builder::default();
    for event in Parser::new_from_str(untabbed.as_deref().unwrap_or(text)) {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        let place = Place {
            span: span.byte_range().unwrap_or(0..0),
            line: u32::try_from(span.start.line()).unwrap_or(u32::MAX),
            column: u32::try_from(span.start.col()).unwrap_or(u32::MAX),
        };
        builder.event(event, &place)?;
    }
    Ok(builder.root)
}

fn syntax(error: &ScanError) -> YamlError {
    let (line, column) = (error.marker().line(), error.marker().col() + 1);
    let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    YamlError {
        code: "yaml-syntax",
        message: error.info(),
        line: to_u32(line),
        column: to_u32(column),
    }
}

fn limit(line: u32, column: u32, message: String) -> YamlError {
    YamlError { code: "limit", message, line, column }
}

struct Place {
    span: Range<usize>,
    line: u32,
    column: u32,
}

impl Place {
    fn error(&self, code: &'static str, message: String) -> YamlError {
        YamlError { code, message, line: self.line, column: self.column + 1 }
    }
}

/// An open collection. Merged entries wait in `merged`, since a key written out wins wherever it stands.
struct Open {
    kind: Kind,
    place: Place,
    anchor: usize,
    key: Option<(String, Place)>,
    merged: Vec<Entry>,
    nodes: usize,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    documents: usize,
    root: Option<Node>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, place: &Place) -> Result<(), YamlError> {
        let place = Place { span: place.span.clone(), line: place.line, column: place.column };
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(place.error("yaml-syntax", "a second document begins".to_owned()));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let string = style != ScalarStyle::Plain
                    || tag.as_ref().is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                let value = if string { Value::String(text.into_owned()) } else { plain(&text) };
                return self.close(Kind::Scalar(value), place, anchor, 1);
            }
            Event::SequenceStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                return self.begin(Kind::Sequence { items: Vec::new(), flow }, place, anchor);
            }
            Event::MappingStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                return self.begin(Kind::Mapping { entries: Vec::new(), flow }, place, anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let mut kind = open.kind;
                if let Kind::Mapping { entries, .. } = &mut kind {
                    merge(entries, open.merged);
                }
                let mut place = Place { span: open.place.span.start..place.span.end, ..open.place };
                place.span.end = place.span.end.max(place.span.start);
                return self.close(kind, place, open.anchor, open.nodes);
            }
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor) else {
                    return Err(place.error("yaml-syntax", "alias to an open node".to_owned()));
                };
                self.aliased += target.nodes;
                if self.aliased > MAX_ALIASED {
                    return Err(
                        place.error("limit", format!("aliases add over {MAX_ALIASED} nodes"))
                    );
                }
                let node = Node { aliased: true, ..target.clone() };
                return self.attach(node, place);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, kind: Kind, place: Place, anchor: usize) -> Result<(), YamlError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(place.error("limit", format!("nested over {MAX_DEPTH} levels deep")));
        }
        if let Some(Open { kind: Kind::Mapping { .. }, key: None, .. }) = self.open.last() {
            return Err(place.error("yaml-syntax", "a key must be a scalar".to_owned()));
        }
        self.open.push(Open { kind, place, anchor, key: None, merged: Vec::new(), nodes: 1 });
        Ok(())
    }

    fn close(
        &mut self,
        kind: Kind,
        place: Place,
        anchor: usize,
        nodes: usize,
    ) -> Result<(), YamlError> {
        let Place { ref span, line, column } = place;
        let node = Node { kind, span: span.clone(), line, column, aliased: false, nodes };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.attach(node, place)
    }

    /// Puts a finished node where it belongs: root, item, key or value.
    fn attach(&mut self, node: Node, place: Place) -> Result<(), YamlError> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.nodes += node.nodes;
        match &mut open.kind {
            Kind::Scalar(_) => {}
            Kind::Sequence { items, .. } => items.push(node),
            Kind::Mapping { entries, .. } => match open.key.take() {
                None => {
                    let key = match node.kind {
                        Kind::Scalar(Value::String(text)) => text,
                        Kind::Scalar(value) => value.to_string(),
                        _ => {
                            return Err(
                                place.error("yaml-syntax", "a key must be a scalar".to_owned())
                            );
                        }
                    };
                    if entries.iter().any(|entry| entry.key == key) {
                        return Err(
                            place.error("duplicate-key", format!("key `{key}` stands twice"))
                        );
                    }
                    open.key = Some((key, place));
                }
                Some((key, _)) if key == "<<" => match node.kind {
                    Kind::Mapping { entries, .. } => open.merged.extend(entries),
                    Kind::Sequence { items, .. } => {
                        for item in items {
                            if let Kind::Mapping { entries, .. } = item.kind {
                                open.merged.extend(entries);
                            }
                        }
                    }
                    Kind::Scalar(_) => {
                        return Err(place.error("yaml-syntax", "`<<` takes a mapping".to_owned()));
                    }
                },
                Some((key, place)) => {
                    let Place { span: key_span, column: key_column, .. } = place;
                    entries.push(Entry { key, key_span, key_column, value: node });
                }
            },
        }
        Ok(())
    }
}

/// Adds what merge keys bring and the mapping does not say itself; the first merged mapping wins.
fn merge(entries: &mut Vec<Entry>, merged: Vec<Entry>) {
    for mut entry in merged {
        if !entries.iter().any(|own| own.key == entry.key) {
            entry.value.aliased = true;
            entries.push(entry);
        }
    }
}

/// A plain scalar by the rules of YAML 1.1 as Go's yaml.v2 has them. Timestamps stay text, as in JSON.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

fn number(text: &str) -> Option<Number> {
    let digits = text.replace('_', "");
    let (negative, unsigned) = match digits.as_bytes().first()? {
        b'-' => (true, &digits[1..]),
        b'+' => (false, &digits[1..]),
        b'0'..=b'9' | b'.' => (false, digits.as_str()),
        _ => return None,
    };
    let (radix, body) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &unsigned[2..]),
        [b'0', b'b' | b'B', ..] => (2, &unsigned[2..]),
        [b'0', b'o' | b'O', ..] => (8, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    if body.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && let Ok(magnitude) = u64::from_str_radix(body, radix)
    {
        return match (negative, i64::try_from(magnitude)) {
            (false, _) => Some(magnitude.into()),
            (true, Ok(value)) => Some((-value).into()),
            (true, Err(_)) => None,
        };
    }
    let float =
        unsigned.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let value: f64 = float.then(|| digits.parse().ok())??;
    // JSON written by Go has no `1.0`: whole numbers reach the API server as integers.
    if value.fract() == 0.0 && value.abs() < 9e15 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        return Some((value as i64).into());
    }
    Number::from_f64(value)
}

/// Splits a stream at `---` lines, as kubectl does, so that one broken document loses no other.
/// Yields the byte offset, the 1-based first line and the text of each document.
pub fn documents(text: &str) -> Vec<(usize, u32, &str)> {
    let mut documents = Vec::new();
    let (mut start, mut start_line, mut offset, mut line) = (0, 1, 0, 1);
    let mut content = false; // Directives before the first `---` belong to the document it opens.
    for row in text.split_inclusive('\n') {
        let separator = row
            .strip_prefix("---")
            .is_some_and(|rest| rest.trim_end().is_empty() || rest.starts_with([' ', '\t']));
        if separator && content {
            documents.push((start, start_line, &text[start..offset]));
            (start, start_line, content) = (offset, line, false);
        }
        let bare = row.trim();
        content |= separator || !(bare.is_empty() || bare.starts_with('#') || row.starts_with('%'));
        offset += row.len();
        line += 1;
    }
    documents.push((start, start_line, &text[start..]));
    documents
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(text: &str, expected: Value) {
        let node = parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(node.map(|node| node.to_json()).unwrap_or(Value::Null), expected, "{text}");
    }

    #[track_caller]
    fn check_refused(text: &str, code: &str, line: u32) {
        let error = parse(text).expect_err(&text[..text.len().min(60)]);
        assert_eq!((error.code, error.line), (code, line), "{error}");
    }

    #[test]
    fn scalars_are_those_of_yaml_1_1() {
        check(
            "[yes, no, on, Off, y, 'yes', \"no\", !!str on]",
            json!([true, false, true, false, true, "yes", "no", "on"]),
        );
        check(
            "[0644, 0o17, 0x1F, 0b101, 1_000, -7, +7, 08, 1.5, 1.0, 1e3]",
            json!([420, 15, 31, 5, 1000, -7, 7, 8, 1.5, 1, 1000]),
        );
        check(
            "[~, null, 1.2.3, 2001-01-01, 1:30, '', -x, 0x]",
            json!([null, null, "1.2.3", "2001-01-01", "1:30", "", "-x", "0x"]),
        );
    }

    #[test]
    fn anchors_and_merge_keys() {
        check(
            "a: &x {k: 1, j: 2}\nb: *x\nc:\n  <<: *x\n  k: 3",
            json!({"a": {"k": 1, "j": 2}, "b": {"k": 1, "j": 2}, "c": {"k": 3, "j": 2}}),
        );
        check("{\"a\":\t[1,\n\t2], \"s\": \"\\ud83d\\ude00\"}", json!({"a": [1, 2], "s": "😀"}));
        check("a:\nb:\n-\n", json!({"a": null, "b": [null]}));
        check("# only a comment\n", Value::Null);
    }

    #[test]
    fn refused_with_the_place() {
        check_refused("a: 1\nb: 2\na: 3\n", "duplicate-key", 3);
        check_refused("a: [1\nb: 2\n", "yaml-syntax", 2);
        check_refused(&format!("{}{}", "[".repeat(101), "]".repeat(101)), "limit", 1);
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        check_refused(&bomb, "limit", 5);
        check_refused(&" ".repeat(MAX_DOCUMENT + 1), "limit", 1);
    }

    #[test]
    fn streams_split_at_separator_lines() {
        let texts = |text| {
            documents(text).into_iter().map(|(_, line, text)| (line, text)).collect::<Vec<_>>()
        };
        assert_eq!(
            texts("a: 1\n--- # next\nb: |\n  ---\n"),
            [(1, "a: 1\n"), (2, "--- # next\nb: |\n  ---\n")]
        );
        assert_eq!(texts("%YAML 1.1\n---\na: 1\n"), [(1, "%YAML 1.1\n---\na: 1\n")]);
        assert_eq!(texts("# head\n---\na: 1\n"), [(1, "# head\n---\na: 1\n")]);
    }
}
