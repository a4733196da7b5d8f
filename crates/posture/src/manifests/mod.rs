//! Manifests as people keep them: files and streams of YAML and JSON to objects with their places.
//!
//! ```text
//! File ─read─► Manifests        Manifests ─repair─► Repaired ─diff─► text
//! ```
//!
//! Invariant: what could not be read is a problem with file and line, and the rest is judged all the same.
mod diff;
mod edit;
pub mod live;
pub(crate) mod owned;
mod repair;
mod section;

pub use diff::diff;
pub use repair::{Repaired, repair};

use crate::yaml::{self, Kind, Node, YamlError};
use seawall_model::Problem;
use seawall_model::finding::Source;
use serde_json::Value;

/// Bytes of one file or stream: four of the largest documents. Who reads files stops one byte after it.
pub const MAX_FILE: usize = 4 * yaml::MAX_DOCUMENT;

/// Lists within lists: what concatenates dumps of `kubectl get` nests twice.
const MAX_LISTS: usize = 8;

/// One file, or standard input.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// As shown: the path as given, `-` for standard input.
    pub path: &'a str,
    pub bytes: &'a [u8],
    /// Found in a directory: then YAML that is no Kubernetes object is only counted.
    pub found: bool,
}

/// One object and where it stands.
#[derive(Clone, Debug)]
pub struct Object {
    /// Without null members, as the API server stores it.
    pub value: Value,
    pub source: Source,
    /// Index into [`Manifests::files`].
    file: usize,
    /// Byte range of its document in the file.
    document: std::ops::Range<usize>,
    /// 1-based, of the document's first line.
    first_line: u32,
    /// Pointer to the object in its document: empty, or `/items/3`.
    pointer: String,
}

/// The text of one document and the line of its file that it begins at.
pub(crate) struct Document<'a> {
    pub(crate) text: &'a str,
    /// 1-based.
    pub(crate) line: u32,
}

impl Object {
    /// Where it stands; `None` for one that came out of a cluster.
    pub fn source(&self) -> Option<&Source> {
        (!self.source.file.is_empty()).then_some(&self.source)
    }

    /// Into its document: empty, or `/items/3`.
    pub(crate) fn pointer(&self) -> &str {
        &self.pointer
    }
}

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Manifests {
    pub objects: Vec<Object>,
    pub problems: Vec<Problem>,
    /// The readable files, in the order given.
    files: Vec<Text>,
    /// Documents of found files that are no Kubernetes objects.
    pub foreign: u64,
}

/// A file's text, kept for repairs.
#[derive(Debug)]
struct Text {
    path: String,
    text: String,
    found: bool,
}

/// Reads files in the order given.
pub fn read<'a>(files: impl IntoIterator<Item = File<'a>>) -> Manifests {
    let mut manifests = Manifests::default();
    for file in files {
        manifests.read_file(file);
    }
    manifests
}

impl Manifests {
    fn read_file(&mut self, file: File<'_>) {
        if file.bytes.len() > MAX_FILE {
            let message = format!("the file is over {} MiB", MAX_FILE >> 20);
            self.problems.push(Problem::gap("limit", message).file(file.path));
            return;
        }
        let text = match std::str::from_utf8(file.bytes) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
            Err(error) => {
                let before = &file.bytes[..error.valid_up_to()];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                let problem = Problem::gap("encoding", "the file is not UTF-8").file(file.path);
                self.problems.push(problem.at(u32::try_from(line).unwrap_or(u32::MAX), 1));
                return;
            }
        };
        let index = self.files.len();
        let mut templated = false;
        for (start, line, document) in yaml::documents(text) {
            match yaml::parse(document) {
                // kubectl passes over documents without a value, such as those that chart templates leave behind.
                Ok(None | Some(Node { kind: Kind::Scalar(Value::Null), .. })) => {}
                Ok(Some(root)) => {
                    let place =
                        Place { file: index, path: file.path, start, line, length: document.len() };
                    self.document(&root, &place, file.found);
                }
                Err(error) if error.code == "yaml-syntax" && document.contains("{{") => {
                    // One hint per file: every document of a chart's template fails the same way.
                    if !std::mem::replace(&mut templated, true) {
                        let problem = Problem::gap(
                            "template",
                            "the file is a template, which is not rendered",
                        );
                        let help = "render it first: `helm template … | seawall scan manifests -`";
                        self.problems.push(located(problem, &error, file.path, line).help(help));
                    }
                }
                Err(error) => {
                    let problem = Problem::gap(error.code, error.message.clone());
                    self.problems.push(located(problem, &error, file.path, line));
                }
            }
        }
        let (path, text) = (file.path.to_owned(), text.to_owned());
        self.files.push(Text { path, text, found: file.found });
    }

    fn document(&mut self, root: &Node, place: &Place<'_>, found: bool) {
        let (Some(api_version), Some(kind)) = (text(root, "apiVersion"), text(root, "kind")) else {
            if found {
                self.foreign += 1;
            } else {
                self.gap("no-object", "the document has no apiVersion and kind", place, root);
            }
            return;
        };
        self.object(root, &Types { api_version, kind }, place, String::new(), 0);
    }

    /// An object of the types it says or inherits, or each one in a list, lists of lists included.
    fn object(
        &mut self,
        node: &Node,
        types: &Types,
        place: &Place<'_>,
        pointer: String,
        lists: usize,
    ) {
        let items = node.entry("items").map(|entry| &entry.value);
        let (Some(item_kind), Some(items)) = (types.kind.strip_suffix("List"), items) else {
            return self.push(node, types, place, pointer);
        };
        if lists == MAX_LISTS {
            let message = format!("lists stand in lists over {MAX_LISTS} levels deep");
            return self.gap("limit", message, place, node);
        }
        let items = match &items.kind {
            Kind::Sequence { items, .. } => items,
            // Go writes an empty list as null.
            Kind::Scalar(Value::Null) => return,
            _ => {
                let message = format!("the items of the {} are no sequence", types.kind);
                return self.gap("no-object", message, place, items);
            }
        };
        // Typed lists leave out what their own kind says.
        let inherited = |own: Option<String>, from: &str| {
            own.or_else(|| (!item_kind.is_empty()).then(|| from.to_owned()))
        };
        for (index, item) in items.iter().enumerate() {
            let Some(kind) = inherited(text(item, "kind"), item_kind) else {
                self.gap("no-object", format!("item {index} of the list has no kind"), place, item);
                continue;
            };
            let api_version =
                inherited(text(item, "apiVersion"), &types.api_version).unwrap_or_default();
            let types = Types { api_version, kind };
            self.object(item, &types, place, format!("{pointer}/items/{index}"), lists + 1);
        }
    }

    fn gap(&mut self, code: &str, message: impl Into<String>, place: &Place<'_>, node: &Node) {
        let problem = Problem::gap(code, message.into());
        self.problems.push(problem.file(place.path).at(place.line_of(node), 1));
    }

    fn push(&mut self, node: &Node, types: &Types, place: &Place<'_>, pointer: String) {
        let mut value = node.to_json();
        remove_nulls(&mut value);
        if let Some(members) = value.as_object_mut() {
            for (key, inherited) in [("apiVersion", &types.api_version), ("kind", &types.kind)] {
                if !inherited.is_empty() {
                    members.entry(key).or_insert_with(|| inherited.as_str().into());
                }
            }
        }
        self.objects.push(Object {
            value,
            source: Source { file: place.path.to_owned(), line: place.line_of(node) },
            file: place.file,
            document: place.start..place.start + place.length,
            first_line: place.line,
            pointer,
        });
    }

    /// The document an object stands in; empty for one that came out of a cluster.
    pub(crate) fn document_of(&self, object: &Object) -> Document<'_> {
        let text = self.files.get(object.file).map_or("", |file| file.text.as_str());
        let text = text.get(object.document.clone()).unwrap_or_default();
        Document { text, line: object.first_line }
    }

    /// Adds objects that came out of a cluster: they stand in no file.
    pub fn add_live(&mut self, objects: impl IntoIterator<Item = Value>) {
        for mut value in objects {
            remove_nulls(&mut value);
            self.objects.push(Object {
                value,
                source: Source { file: String::new(), line: 0 },
                file: usize::MAX,
                document: 0..0,
                first_line: 0,
                pointer: String::new(),
            });
        }
    }
}

/// What an object says it is, or its list says for it; empty where nothing does.
struct Types {
    api_version: String,
    kind: String,
}

/// The text of a member.
fn text(node: &Node, key: &str) -> Option<String> {
    match &node.entry(key)?.value.kind {
        Kind::Scalar(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Where a document stands.
struct Place<'a> {
    file: usize,
    path: &'a str,
    start: usize,
    /// 1-based first line.
    line: u32,
    length: usize,
}

impl Place<'_> {
    fn line_of(&self, node: &Node) -> u32 {
        self.line + node.line - 1
    }
}

fn located(problem: Problem, error: &YamlError, path: &str, first_line: u32) -> Problem {
    problem.file(path).at(first_line + error.line.max(1) - 1, error.column)
}

/// The API server drops null members; controls read absence.
pub(crate) fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(remove_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}
