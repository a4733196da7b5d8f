//! YAML as a tree that knows where every character of every scalar stands in the file, also inside folded and
//! literal scalars, so that a problem in a condition points at its token.
//!
//! Built on `saphyr-parser`'s events; nesting is limited while reading, so neither building nor dropping recurses deep.
use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use seawall_model::Problem;
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of one rules file. Falco's largest public file has 200 KB.
pub(crate) const MAX_FILE_BYTES: usize = 8 << 20;
/// Levels of sequences and mappings; rules need five.
pub(crate) const MAX_YAML_DEPTH: usize = 1_000;
/// Nodes that aliases may copy in one file: an alias of an alias must not grow without end.
const MAX_ALIASED_NODES: usize = 100_000;

/// Where something stands: line and column from 1, the column in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Index into the files given to the loader.
    pub file: u32,
    pub line: u32,
    pub column: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    /// Characters before it in the file.
    index: usize,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar { text: String, style: ScalarStyle },
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// A plain scalar that YAML's core schema reads as null.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, style: ScalarStyle::Plain }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What the node is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Scalar { .. } => "a single value",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// The node as JSON: plain scalars by YAML's core schema, all others as text.
    pub(crate) fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Scalar { text, style } => scalar_json(text, *style),
            Value::Sequence(items) => items.iter().map(Node::json).collect(),
            Value::Mapping(entries) => serde_json::Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.text().unwrap_or_default().to_owned(), value.json()))
                    .collect(),
            ),
        }
    }
}

fn scalar_json(text: &str, style: ScalarStyle) -> serde_json::Value {
    if style != ScalarStyle::Plain {
        return text.into();
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => serde_json::Value::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        _ => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.parse::<u64>().map_or_else(|_| text.into(), Into::into),
        },
    }
}

/// Characters between two known byte offsets: a position costs at most this many steps.
const CHECKPOINT: usize = 1_024;

/// One file's text, for looking up positions.
pub(crate) struct Source {
    pub(crate) name: String,
    text: Arc<str>,
    /// The byte offset of every [`CHECKPOINT`]th character.
    checkpoints: Vec<usize>,
}

impl Source {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let checkpoints = text.char_indices().step_by(CHECKPOINT).map(|(at, _)| at).collect();
        Self { name: name.to_owned(), text: text.into(), checkpoints }
    }

    fn offset(&self, index: usize) -> usize {
        let end = self.text.len();
        let start = self.checkpoints.get(index / CHECKPOINT).copied().unwrap_or(end);
        self.text[start..].char_indices().nth(index % CHECKPOINT).map_or(end, |(at, _)| start + at)
    }

    /// The place of every byte of a scalar's decoded text and of its end. YAML changes only white space, quotes and
    /// escapes, so the n-th visible character of the value is found by walking value and source together.
    pub(crate) fn places(&self, node: &Node) -> Vec<Place> {
        let Value::Scalar { text, style } = &node.value else { return Vec::new() };
        let mut walk = Walk { source: self, at: self.offset(node.index), place: node.place };
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => walk.skip_header(),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => walk.step(),
            ScalarStyle::Plain => {}
        }
        let mut places = Vec::with_capacity(text.len() + 1);
        for wanted in text.chars() {
            let place = walk.find(wanted, *style);
            places.extend(std::iter::repeat_n(place, wanted.len_utf8()));
        }
        places.push(walk.place);
        places
    }
}

struct Walk<'s> {
    source: &'s Source,
    at: usize,
    place: Place,
}

impl Walk<'_> {
    fn peek(&self) -> Option<char> {
        self.source.text[self.at..].chars().next()
    }

    fn step(&mut self) {
        let Some(current) = self.peek() else { return };
        self.at += current.len_utf8();
        if current == '\n' || (current == '\r' && self.peek() != Some('\n')) {
            self.place.line += 1;
            self.place.column = 1;
        } else {
            self.place.column += 1;
        }
    }

    /// Passes `>-` and a comment behind it.
    fn skip_header(&mut self) {
        if !matches!(self.peek(), Some('|' | '>')) {
            return;
        }
        let line = self.place.line;
        while self.place.line == line && self.peek().is_some() {
            self.step();
        }
    }

    /// The place where `wanted` stands; afterwards the walk is behind it.
    fn find(&mut self, wanted: char, style: ScalarStyle) -> Place {
        if wanted.is_whitespace() {
            return self.find_blank(style);
        }
        while self.peek().is_some_and(char::is_whitespace) {
            self.step();
        }
        if style == ScalarStyle::DoubleQuoted {
            // An escaped line break joins lines without a trace in the value.
            while self.source.text[self.at..].starts_with("\\\n")
                || self.source.text[self.at..].starts_with("\\\r")
            {
                self.step();
                while self.peek().is_some_and(char::is_whitespace) {
                    self.step();
                }
            }
        }
        let place = self.place;
        match (style, self.peek()) {
            (ScalarStyle::DoubleQuoted, Some('\\')) => self.skip_escape(),
            (ScalarStyle::SingleQuoted, Some('\'')) => {
                self.step();
                self.step();
            }
            _ => self.step(),
        }
        place
    }

    fn find_blank(&mut self, style: ScalarStyle) -> Place {
        let place = self.place;
        match (style, self.peek()) {
            (ScalarStyle::DoubleQuoted, Some('\\')) => self.skip_escape(),
            (_, Some(current)) if current.is_whitespace() => self.step(),
            _ => {}
        }
        place
    }

    /// YAML 1.2 §5.7: `\x41`, `\u0041`, `\U00000041`, otherwise one character.
    fn skip_escape(&mut self) {
        self.step();
        let digits = match self.peek() {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        (0..=digits).for_each(|_| self.step());
    }
}

/// Reads all documents of a file. What precedes a syntax error is returned beside the problem: a top-level
/// sequence cut short keeps its whole items.
pub(crate) fn parse(file: u32, source: &Source) -> (Vec<Node>, Vec<Problem>) {
    let mut builder = Builder {
        file,
        open: Vec::new(),
        documents: Vec::new(),
        anchors: HashMap::new(),
        aliased: 0,
    };
    let problem = builder.run(source);
    builder.close_all();
    (builder.documents, problem.into_iter().map(|problem| problem.file(&source.name)).collect())
}

struct Open {
    node: Node,
    anchor: usize,
    /// A mapping's key that waits for its value.
    key: Option<Node>,
}

struct Builder {
    file: u32,
    open: Vec<Open>,
    documents: Vec<Node>,
    anchors: HashMap<usize, (Node, usize)>,
    aliased: usize,
}

impl Builder {
    fn run(&mut self, source: &Source) -> Option<Problem> {
        if source.text.len() > MAX_FILE_BYTES {
            let mib = MAX_FILE_BYTES >> 20;
            return Some(
                Problem::error("yaml", format!("the file is larger than {mib} MiB")).at(1, 1),
            );
        }
        let mut parser = Parser::new_from_str(&source.text);
        loop {
            let (event, span) = match parser.next_event()? {
                Ok(event) => event,
                Err(error) => {
                    // The parser has a limit of its own for flow style, lower than ours.
                    let deep = error.info().contains("recursion limit");
                    let code = if deep { "too-deep" } else { "yaml" };
                    let (line, column) = (error.marker().line(), error.marker().col() + 1);
                    return Some(Problem::error(code, error.info()).at(line as u32, column as u32));
                }
            };
            if let Err(problem) = self.event(event, span) {
                return Some(problem);
            }
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let (line, column) = (span.start.line() as u32, span.start.col() as u32 + 1);
        let place = Place { file: self.file, line, column };
        let index = span.start.index();
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let value = Value::Scalar { text: text.into_owned(), style };
                self.add(Node { place, index, value }, anchor);
            }
            Event::SequenceStart(anchor, _) => {
                self.start(Node { place, index, value: Value::Sequence(Vec::new()) }, anchor)?
            }
            Event::MappingStart(anchor, _) => {
                self.start(Node { place, index, value: Value::Mapping(Vec::new()) }, anchor)?
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor) else {
                    return Err(Problem::error("yaml", "the alias names no earlier anchor")
                        .at(line, column));
                };
                self.aliased += size;
                if self.aliased > MAX_ALIASED_NODES {
                    let message = format!("aliases repeat more than {MAX_ALIASED_NODES} values");
                    return Err(Problem::error("yaml", message).at(line, column));
                }
                let node = node.clone();
                self.add(node, 0);
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn start(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        if self.open.len() >= MAX_YAML_DEPTH {
            let message = format!("nested more than {MAX_YAML_DEPTH} levels deep");
            return Err(Problem::error("too-deep", message).at(node.place.line, node.place.column));
        }
        self.open.push(Open { node, anchor, key: None });
        Ok(())
    }

    fn close(&mut self) {
        if let Some(open) = self.open.pop() {
            self.add(open.node, open.anchor);
        }
    }

    /// After an error: of the unfinished structure, only a top-level sequence's finished items are whole.
    fn close_all(&mut self) {
        self.open.truncate(1);
        if let Some(Open { node: node @ Node { value: Value::Sequence(_), .. }, .. }) =
            self.open.pop()
        {
            self.documents.push(node);
        }
    }

    fn add(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            let size = size(&node);
            if size <= MAX_ALIASED_NODES {
                self.anchors.insert(anchor, (node.clone(), size));
            }
        }
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(open) => match &mut open.node.value {
                Value::Sequence(items) => items.push(node),
                Value::Mapping(entries) => match open.key.take() {
                    None => open.key = Some(node),
                    Some(key) => entries.push((key, node)),
                },
                Value::Scalar { .. } => {}
            },
        }
    }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::Scalar { .. } => 1,
        Value::Sequence(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Mapping(entries) => {
            1 + entries.iter().map(|(key, value)| size(key) + size(value)).sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(yaml: &str, token: &str, expected: (u32, u32)) {
        let source = Source::new("t.yaml", yaml);
        let (documents, problems) = parse(0, &source);
        assert_eq!(problems, []);
        let Value::Mapping(entries) = &documents[0].value else { panic!("no mapping") };
        let node = &entries[0].1;
        let text = node.text().expect("scalar");
        let at = text.find(token).expect("token in the decoded text");
        let place = source.places(node)[at];
        assert_eq!((place.line, place.column), expected, "{yaml:?}");
    }

    #[test]
    fn tokens_are_found_in_every_scalar_style() {
        check("k: a and b", "b", (1, 10));
        check("k: a\n   and b", "b", (2, 8));
        check("k: 'it''s b'", "b", (1, 11));
        check("k: \"a\\x41 \\\"q\\\" b\"", "b", (1, 17));
        check("k: \"a \\\n   b\"", "b", (2, 4));
        check("k: >\n  a\n  and b\n", "b", (3, 7));
        check("k: >- # why\n\n  a\n\n  and b\n", "b", (5, 7));
        check("k: |\n  a\n    and b\n", "b", (3, 9));
        check("k: >\n  é ü\n  ö b\n", "b", (3, 5));
        check("k: >\r\n  a\r\n  and b\r\n", "b", (3, 7));
    }

    #[test]
    fn bad_yaml_keeps_the_items_before_it() {
        let source = Source::new("t.yaml", "- a: 1\n- b: 2\n- c: [\n");
        let (documents, problems) = parse(0, &source);
        let Value::Sequence(items) = &documents[0].value else { panic!("no sequence") };
        assert_eq!(items.len(), 2);
        assert_eq!(problems[0].code, "yaml");
        assert!(problems[0].line.is_some());
    }

    #[test]
    fn depth_and_aliases_are_bounded() {
        for opening in ["[", "{a: ", "- "] {
            let deep = opening.repeat(5_000);
            let (_, problems) = parse(0, &Source::new("t.yaml", &deep));
            assert_eq!(problems.len(), 1, "{opening}");
        }
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..9 {
            let inner = format!("*a{},", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
        }
        let (_, problems) = parse(0, &Source::new("t.yaml", &bomb));
        assert!(problems[0].message.contains("aliases"), "{problems:?}");
    }
}
