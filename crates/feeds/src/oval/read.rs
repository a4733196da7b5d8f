//! XML events become a document.
use super::{
    Compare, Criteria, Criterion, Cve, Definition, Document, Operation, Reference, State, Test,
};
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use std::io::BufRead;

/// Elements within elements: real documents have 10.
const DEPTH: usize = 64;
/// Bytes of one text that is kept: the longest description has 60 kB, names and versions far less.
const TEXT: usize = 256 * 1024;
/// Definitions and what they refer to, each: Oracle's whole history has 1.5 million tests.
const ITEMS: usize = 8_000_000;

/// The error says why the document as a whole cannot be trusted.
pub(crate) fn read(input: impl BufRead) -> Result<Document, String> {
    let mut reader = Reader::from_reader(input);
    reader.config_mut().expand_empty_elements = true;
    let mut draft = Draft::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|error| format!("not well formed: {error}"))?;
        match event {
            Event::Start(element) => draft.start(&element)?,
            Event::End(_) => draft.end(),
            Event::Text(text) => draft.text(&text.xml10_content()),
            Event::CData(text) => draft.text(&text.xml10_content()),
            Event::GeneralRef(reference) => draft.reference(&reference),
            Event::Eof => break,
            Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
        if draft.document.tests.len().max(draft.document.definitions.len()) > ITEMS {
            return Err(format!("it holds more than {ITEMS} tests or definitions"));
        }
    }
    match draft.path.last() {
        Some(open) => Err(format!("it ends within <{open}>")),
        None if !draft.is_oval => Err("it holds no OVAL definitions".to_owned()),
        None => Ok(draft.document),
    }
}

#[derive(Default)]
struct Draft {
    document: Document,
    is_oval: bool,
    /// Local names of the open elements.
    path: Vec<String>,
    text: String,
    definition: Definition,
    /// Open criteria, outermost first.
    criteria: Vec<Group>,
    /// Of the test, object or state that is open.
    id: String,
    test: Test,
    state: State,
    operation: Operation,
    cvss: Option<String>,
}

struct Group {
    any: bool,
    /// Negated, or joined otherwise than by AND and OR.
    other: bool,
    items: Vec<Criteria>,
}

impl Group {
    fn criteria(self) -> Criteria {
        match (self.other, self.any) {
            (true, _) => Criteria::Other,
            (false, true) => Criteria::Any(self.items),
            (false, false) => Criteria::All(self.items),
        }
    }
}

impl Draft {
    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        let name = element.local_name().into_inner().to_owned();
        self.text.clear();
        let attribute = |name: &str| {
            let found = element.try_get_attribute(name).ok().flatten()?;
            Some(found.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?.trim().to_owned())
        };
        let id = || attribute("id").unwrap_or_default();
        match name.as_str() {
            "oval_definitions" => self.is_oval = true,
            "definition" => self.definition = Definition { id: id(), ..Definition::default() },
            "criteria" => self.criteria.push(group(&attribute)),
            "criterion" => self.criterion(&attribute),
            "extend_definition" => self.join(Criteria::Other),
            "reference" => self.definition.references.push(Reference {
                source: attribute("source").unwrap_or_default(),
                id: attribute("ref_id").unwrap_or_default(),
                url: attribute("ref_url").unwrap_or_default(),
            }),
            "issued" => self.definition.issued = attribute("date"),
            "updated" => self.definition.updated = attribute("date"),
            "cve" => self.cvss = attribute("cvss4").or_else(|| attribute("cvss3")),
            "object" => self.test.object = attribute("object_ref"),
            "state" => self.test.state = attribute("state_ref"),
            kind if kind.ends_with("_test") => {
                (self.id, self.test) = (id(), Test::default());
            }
            kind if kind.ends_with("_object") => self.id = id(),
            kind if kind.ends_with("_state") => {
                (self.id, self.state) = (id(), State::default());
            }
            _ => {
                let operation = attribute("operation");
                self.operation =
                    operation.map_or_else(Operation::default, |text| Operation::parse(&text));
            }
        }
        self.path.push(name);
        match self.path.len() > DEPTH {
            true => Err(format!("it has elements within elements more than {DEPTH} deep")),
            false => Ok(()),
        }
    }

    fn criterion(&mut self, attribute: &impl Fn(&str) -> Option<String>) {
        let negated = attribute("negate").is_some_and(|text| text == "true");
        self.join(match attribute("test_ref") {
            Some(test) if !negated => {
                let comment = attribute("comment").unwrap_or_default();
                Criteria::Test(Criterion { test, comment })
            }
            _ => Criteria::Other,
        });
    }

    fn join(&mut self, item: Criteria) {
        if let Some(group) = self.criteria.last_mut() {
            group.items.push(item);
        }
    }

    fn text(&mut self, text: &str) {
        if self.text.len() + text.len() <= TEXT {
            self.text.push_str(text);
        }
    }

    fn reference(&mut self, reference: &BytesRef<'_>) {
        let name = reference.xml10_content();
        let text = match reference.resolve_char_ref() {
            Ok(Some(c)) => c.to_string(),
            _ => quick_xml::escape::resolve_xml_entity(&name).unwrap_or_default().to_owned(),
        };
        self.text(&text);
    }

    fn end(&mut self) {
        let Some(name) = self.path.pop() else { return };
        let text = self.text.trim().to_owned();
        self.text.clear();
        let filled = || Some(text.clone()).filter(|text| !text.is_empty());
        let definition = &mut self.definition;
        match name.as_str() {
            "criteria" => self.close_criteria(),
            "definition" => {
                self.criteria.clear();
                self.document.definitions.push(std::mem::take(&mut self.definition));
            }
            "title" => definition.title = text,
            "platform" => definition.platforms.push(text),
            "severity" => definition.severity = filled(),
            "description" => definition.description = filled(),
            "patchable" => definition.patchable = filled(),
            "advisory_date" => definition.issued = filled(),
            "cve" => definition.cves.push(Cve { id: text, cvss: self.cvss.take() }),
            "name" if self.path.last().is_some_and(|above| above.ends_with("_object")) => {
                self.document.objects.insert(self.id.clone(), text);
            }
            "evr" => self.state.evr = Some(self.compare(text)),
            "version" => self.state.version = Some(self.compare(text)),
            "release" => self.state.release = Some(self.compare(text)),
            "arch" => self.state.arch = Some(self.compare(text)),
            "signature_keyid" => self.state.signature = Some(self.compare(text)),
            kind if kind.ends_with("_test") => {
                self.document
                    .tests
                    .insert(std::mem::take(&mut self.id), std::mem::take(&mut self.test));
            }
            kind if kind.ends_with("_state") => {
                self.document
                    .states
                    .insert(std::mem::take(&mut self.id), std::mem::take(&mut self.state));
            }
            _ => {}
        }
    }

    fn compare(&self, text: String) -> Compare {
        Compare { operation: self.operation, text }
    }

    fn close_criteria(&mut self) {
        let Some(group) = self.criteria.pop() else { return };
        let closed = group.criteria();
        match self.criteria.is_empty() {
            true => self.definition.criteria = Some(closed),
            false => self.join(closed),
        }
    }
}

/// The operator is AND where none is written.
fn group(attribute: &impl Fn(&str) -> Option<String>) -> Group {
    let negated = attribute("negate").is_some_and(|text| text == "true");
    let operator = attribute("operator").unwrap_or_default();
    let any = operator == "OR";
    let other = negated || !(any || operator.is_empty() || operator == "AND");
    Group { any, other, items: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"<?xml version="1.0"?><o:oval_definitions xmlns:o="x">"#;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let told = match read(format!("{HEAD}{body}").as_bytes()) {
            Err(reason) => reason,
            Ok(document) => {
                let told =
                    |own: &Definition| format!("{} {} {:?}", own.id, own.title, own.criteria);
                document.definitions.iter().map(told).collect::<Vec<_>>().join("; ")
            }
        };
        assert!(told.starts_with(expected), "{told}");
    }

    #[test]
    fn documents_are_whole_or_refused() {
        check("</o:oval_definitions>", "");
        check("<definitions>", "it ends within <definitions>");
        check("<definitions></o:oval_definitions>", "not well formed");
        check(
            "<definitions><definition id='a'><title>x &lt;1 &#x41;</title></definition></definitions></o:oval_definitions>",
            "a x <1 A None",
        );
        let deep = "<a>".repeat(100);
        check(&deep, "it has elements within elements more than 64 deep");
        assert_eq!(read(&b"<html></html>"[..]).unwrap_err(), "it holds no OVAL definitions");
        assert_eq!(read(&b""[..]).unwrap_err(), "it holds no OVAL definitions");
    }

    #[test]
    fn criteria_keep_their_shape() {
        let definition = |criteria: &str| {
            format!("<definition id='a'>{criteria}</definition></o:oval_definitions>")
        };
        let shape = "a  Some(All([Any([Test(Criterion { test: \"t1\", comment: \"x & y\" }), Other]), Other]))";
        check(
            &definition(
                "<criteria><criteria operator='OR'><criterion test_ref='t1' comment='x &amp; y'/>\
                 <criterion test_ref='t2' negate='true'/></criteria><criteria operator='XOR'/></criteria>",
            ),
            shape,
        );
        check(&definition("<criteria negate='true'/>"), "a  Some(Other)");
    }

    #[test]
    fn tests_lead_to_packages_and_states() {
        let text = format!(
            "{HEAD}<tests><rpminfo_test id='t1'><object object_ref='o1'/><state state_ref='s1'/></rpminfo_test></tests>\
             <objects><l:rpminfo_object id='o1'><l:name>bash</l:name></l:rpminfo_object></objects>\
             <states><rpminfo_state id='s1'><arch operation='pattern match'>(aarch64|x86_64)</arch>\
             <evr operation='6'>0:5-1</evr></rpminfo_state></states></o:oval_definitions>"
        );
        let document = read(text.as_bytes()).unwrap();
        let criterion = Criterion { test: "t1".to_owned(), comment: String::new() };
        let resolved = document.resolve(&criterion).unwrap();
        let state = resolved.state.unwrap();
        let evr = state.evr.as_ref().unwrap();
        assert_eq!(
            (resolved.package, evr.operation, evr.text.as_str()),
            ("bash", Operation::LessThan, "0:5-1")
        );
        let arch = state.arch.as_ref().unwrap();
        assert_eq!(super::super::arches(&arch.text), ["aarch64", "x86_64"]);
    }
}
