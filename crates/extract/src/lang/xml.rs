//! XML as a stream of elements: what stood before a mistake counts.
use crate::found::Found;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Elements within each other; a build file has a dozen.
const MAX_DEPTH: usize = 64;

/// An element at its end.
pub(super) struct Element {
    /// Local names from the outermost element to this one.
    pub(super) path: Vec<String>,
    attributes: Vec<(String, String)>,
    /// Its own text, trimmed.
    pub(super) text: String,
    /// 1-based line of its end.
    pub(super) line: usize,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let own = self.attributes.iter().find(|(own, _)| own == name);
        own.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// An element that has begun.
#[derive(Default)]
struct Open {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

/// Hands each element over when it ends, inner ones first.
pub(super) fn elements(text: &str, found: &mut Found, each: &mut dyn FnMut(&Element, &mut Found)) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut lines = Lines { text, at: 0, line: 1 };
    loop {
        let event = reader.read_event();
        let line = lines.at(reader.buffer_position());
        match event {
            Ok(Event::Start(start)) if open.len() < MAX_DEPTH => open.push(begun(&start)),
            Ok(Event::Start(_)) => {
                return found.malformed(format!("limit reached: {MAX_DEPTH} elements deep"), line);
            }
            Ok(Event::Empty(start)) => {
                open.push(begun(&start));
                end(&mut open, line, found, each);
            }
            Ok(Event::End(_)) => end(&mut open, line, found, each),
            Ok(Event::Text(part)) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&part);
                }
            }
            Ok(Event::CData(part)) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&part);
                }
            }
            Ok(Event::GeneralRef(reference)) => {
                if let Some(element) = open.last_mut() {
                    let name: &str = &reference;
                    let plain = quick_xml::escape::unescape(&format!("&{name};")).map(String::from);
                    element.text.push_str(&plain.unwrap_or_default());
                }
            }
            Ok(Event::Eof) if open.is_empty() => return,
            Ok(Event::Eof) => return found.malformed("XML ends within an element", line),
            Ok(_) => {}
            Err(error) => return found.malformed(format!("XML cannot be read: {error}"), line),
        }
    }
}

fn begun(start: &BytesStart<'_>) -> Open {
    let attributes = start.attributes().flatten().filter_map(|attribute| {
        let name = attribute.key.as_ref().to_owned();
        Some((name, attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned()))
    });
    let name = start.local_name().as_ref().to_owned();
    Open { name, attributes: attributes.collect(), text: String::new() }
}

fn end(
    open: &mut Vec<Open>,
    line: usize,
    found: &mut Found,
    each: &mut dyn FnMut(&Element, &mut Found),
) {
    let path = open.iter().map(|element| element.name.clone()).collect();
    let Some(Open { attributes, text, .. }) = open.pop() else { return };
    let text = text.trim().to_owned();
    each(&Element { path, attributes, text, line }, found);
}

/// Lines of offsets that grow.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lines<'_> {
    fn at(&mut self, offset: u64) -> usize {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(self.text.len());
        let passed = self.text.as_bytes().get(self.at..offset).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.at = self.at.max(offset);
        self.line
    }
}

#[test]
fn elements_in_order() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let (mut found, mut shown) = (Found::default(), String::new());
        elements(text, &mut found, &mut |element, _| {
            shown += &format!("{}={}@{} ", element.path.join("/"), element.text, element.line);
        });
        shown += if found.problems.is_empty() { "" } else { "!" };
        assert_eq!(shown.trim_end(), expected);
    }
    check("<a>\n<b> x&amp;y </b><n:c/>\n</a>", "a/b=x&y@2 a/c=@2 a=@3");
    check("<a><b><![CDATA[1 < 2]]></b></a>", "a/b=1 < 2@1 a=@1");
    check("<a><b>1</b><c>", "a/b=1@1 !");
    check("<a></b>", "!");
    check("", "");
    check(&"<a>".repeat(MAX_DEPTH + 1), "!");
}
