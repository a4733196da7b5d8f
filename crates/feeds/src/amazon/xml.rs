//! XML as a walk: an element opens, an element closes with its text.
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::io::BufRead;

/// Elements within elements: real documents have 6.
const DEPTH: usize = 32;
/// Bytes of one text that is kept: the longest description has 300 kB, all else far less.
const TEXT: usize = 64 * 1024;

pub(super) enum Step<'a> {
    Open(&'a str, &'a BytesStart<'a>),
    Close(&'a str, &'a str),
}

/// The error says why the document as a whole cannot be trusted; `root` is its outermost element.
pub(super) fn walk(
    input: impl BufRead,
    root: &str,
    mut each: impl FnMut(Step<'_>),
) -> Result<(), String> {
    let mut reader = Reader::from_reader(input);
    reader.config_mut().expand_empty_elements = true;
    let (mut buffer, mut path, mut text) = (Vec::new(), Vec::<String>::new(), String::new());
    let mut is_root = false;
    loop {
        buffer.clear();
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|error| format!("not well formed: {error}"))?;
        let more = match event {
            Event::Start(element) => {
                let name = element.local_name().into_inner().to_owned();
                is_root |= path.is_empty() && name == root;
                if path.len() >= DEPTH {
                    return Err(format!("it nests more than {DEPTH} elements"));
                }
                text.clear();
                each(Step::Open(&name, &element));
                path.push(name);
                continue;
            }
            Event::End(_) => {
                if let Some(name) = path.pop() {
                    each(Step::Close(&name, text.trim()));
                }
                text.clear();
                continue;
            }
            Event::Text(own) => own.xml10_content().into_owned(),
            Event::CData(own) => own.xml10_content().into_owned(),
            Event::GeneralRef(own) => match own.resolve_char_ref() {
                Ok(Some(c)) => c.to_string(),
                _ => {
                    let name = own.xml10_content();
                    quick_xml::escape::resolve_xml_entity(&name).unwrap_or_default().to_owned()
                }
            },
            Event::Eof => break,
            _ => continue,
        };
        if text.len() + more.len() <= TEXT {
            text.push_str(&more);
        }
    }
    match path.last() {
        Some(open) => Err(format!("it ends within <{open}>")),
        None if !is_root => Err(format!("it is no <{root}>")),
        None => Ok(()),
    }
}

pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.try_get_attribute(name).ok().flatten()?;
    Some(found.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?.trim().to_owned())
}
