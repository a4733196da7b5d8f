//! Writes fixes into the text of manifests, and shows them as a diff.
//!
//! Invariant: a document is parsed once, objects are edited in their own sections, and the whole is read again to see
//! that nothing but what was meant has changed.
use super::section::Section;
use super::{File, Manifests, Object, edit, owned, remove_nulls};
use crate::catalogue::Selection;
use crate::exemption::Exemptions;
use crate::owners::Role;
use crate::yaml::{self, Node};
use seawall_model::Problem;
use seawall_model::finding::{ControlFinding, State};
use serde_json::Value;
use std::ops::Range;

/// Readings of one edited document in search of the edits that change more than they should. Each anchor shared by
/// objects takes about twice the logarithm of their number; what is not settled by then is left, and told.
const MAX_READINGS: usize = 64;

/// One file with its fixes written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    pub path: String,
    pub before: String,
    pub after: String,
    found: bool,
    /// What was replaced by what, in bytes of `before` and of `after`, in order.
    pub(super) changes: Vec<(Range<usize>, Range<usize>)>,
}

/// The new text of one object.
struct Edit<'a> {
    object: &'a Object,
    /// In bytes of its document.
    range: Range<usize>,
    text: String,
    /// What reading the object again has to give.
    healed: Value,
}

/// Applies every fix of the selection, object by object. Returns the files whose text changes and what was left alone:
/// an object whose text cannot be edited safely, and findings without a fix.
/// What is exempt is left as it is, without a word.
pub fn repair(
    manifests: &Manifests,
    selection: &Selection,
    exemptions: &Exemptions,
) -> (Vec<Repaired>, Vec<Problem>) {
    let mut left = Vec::new();
    let mut edits: Vec<Vec<Edit<'_>>> = manifests.files.iter().map(|_| Vec::new()).collect();
    let roles = owned::roles(&manifests.objects);
    let judged: Vec<&Object> = manifests
        .objects
        .iter()
        .zip(&roles)
        // A fix belongs where the object comes from.
        .filter(|(_, role)| !matches!(role, Role::Represented { .. } | Role::Skipped))
        .map(|(object, _)| object)
        // What came out of a cluster has no text.
        .filter(|object| object.source().is_some())
        .collect();
    for objects in judged.chunk_by(|a, b| a.file == b.file && a.document == b.document) {
        let text = &manifests.files[objects[0].file].text[objects[0].document.clone()];
        edits[objects[0].file].extend(document(text, objects, (selection, exemptions), &mut left));
    }
    left.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let repaired = manifests.files.iter().zip(edits).filter(|(_, edits)| !edits.is_empty());
    (repaired.map(|(file, edits)| written(file, &edits)).collect(), left)
}

/// The file with the edits in it, which stand in order.
fn written(file: &super::Text, edits: &[Edit<'_>]) -> Repaired {
    let (mut after, mut changes, mut done) = (String::new(), Vec::new(), 0);
    for edit in edits {
        let start = edit.object.document.start;
        let range = start + edit.range.start..start + edit.range.end;
        after.push_str(&file.text[done..range.start]);
        changes.push((range.clone(), after.len()..after.len() + edit.text.len()));
        after.push_str(&edit.text);
        done = range.end;
    }
    after.push_str(&file.text[done..]);
    let (path, before) = (file.path.clone(), file.text.clone());
    Repaired { path, before, after, found: file.found, changes }
}

/// The edits of one document.
fn document<'a>(
    text: &str,
    objects: &[&'a Object],
    (selection, exemptions): (&Selection, &Exemptions),
    left: &mut Vec<Problem>,
) -> Vec<Edit<'a>> {
    let Ok(Some(root)) = yaml::parse(text) else { return Vec::new() };
    let mut edits = Vec::new();
    for object in objects {
        let excuse = |object: &Value, finding: &mut ControlFinding| {
            exemptions.excuse(object, finding, &mut exemptions.matches());
        };
        let (healed, operations) = selection.heal_unless(&object.value, &excuse);
        if !operations.is_empty() {
            match rewrite(text, &root, object, &operations, &healed) {
                Ok(edit) => edits.push(edit),
                Err(reason) => left.push(fix_left(object, &reason)),
            }
        }
        let mut open = selection.evaluate(&healed, None).unwrap_or_default();
        open.iter_mut().for_each(|finding| excuse(&healed, finding));
        for finding in open.into_iter().filter(|finding| finding.state == State::Unhealthy) {
            let told = finding.message.unwrap_or(finding.title);
            left.push(untouched(object, "no-fix", format!("{}: {told}", finding.control)));
        }
    }
    // Where the object is the document, its own reading was that of the whole.
    if edits.iter().all(|edit| edit.object.pointer.is_empty()) {
        return edits;
    }
    let stored = as_stored(&root);
    let (sound, mut unsound) = settle(text, &stored, edits, &mut 0);
    // Halves that are sound alone were not read together.
    let (sound, torn) = if unsound.is_empty() || reads_as_meant(text, &stored, &sound) {
        (sound, Vec::new())
    } else {
        (Vec::new(), sound)
    };
    unsound.extend(torn);
    left.extend(unsound.iter().map(|edit| fix_left(edit.object, &shared_text(edit.object))));
    sound
}

fn fix_left(object: &Object, reason: &str) -> Problem {
    untouched(object, "fix-left", format!("the fix is not written: {reason}"))
}

fn untouched(object: &Object, code: &str, message: String) -> Problem {
    let resource = crate::workload::resource(&object.value);
    let problem =
        Problem::warning(code, message).file(&object.source.file).at(object.source.line, 1);
    problem.item(format!("{}/{}", resource.kind, resource.name))
}

/// One object's text with its operations written in; refused unless reading it yields just what was meant.
fn rewrite<'a>(
    text: &str,
    root: &Node,
    object: &'a Object,
    operations: &[Value],
    healed: &Value,
) -> Result<Edit<'a>, String> {
    let mut node = root;
    for token in crate::pointer::tokens(&object.pointer) {
        node = node.member(&token).ok_or_else(|| shared_text(object))?;
    }
    if node.aliased {
        return Err(shared_text(object));
    }
    let mut healed = healed.clone();
    // What its list says for it stays with the list.
    for key in ["apiVersion", "kind"] {
        if let (None, Some(members)) = (node.entry(key), healed.as_object_mut()) {
            members.shift_remove(key);
        }
    }
    if object.pointer.is_empty() {
        let edited = edit::apply(text, operations)?;
        let sound = read(&edited).is_some_and(|value| value == healed);
        let edit = Edit { object, range: 0..text.len(), text: edited, healed };
        return if sound { Ok(edit) } else { Err(shared_text(object)) };
    }
    let section = Section::of(text, node);
    let alone = section.alone(text);
    // An alias to an anchor of another object cannot be read here.
    if read(&alone).is_none() {
        return Err(shared_text(object));
    }
    let edited = edit::apply(&alone, operations)?;
    if read(&edited).is_none_or(|value| value != healed) {
        return Err(shared_text(object));
    }
    let text = section.embedded(&edited);
    Ok(Edit { object, range: section.range, text, healed })
}

fn read(text: &str) -> Option<Value> {
    yaml::parse(text).ok().flatten().map(|node| as_stored(&node))
}

fn as_stored(node: &Node) -> Value {
    let mut value = node.to_json();
    remove_nulls(&mut value);
    value
}

/// Parts edits into those after which the document reads as meant, and those that change more, by halving: an object
/// whose anchor others use is told from thousands without reading the document thousands of times.
fn settle<'a>(
    text: &str,
    stored: &Value,
    edits: Vec<Edit<'a>>,
    readings: &mut usize,
) -> (Vec<Edit<'a>>, Vec<Edit<'a>>) {
    *readings += 1;
    if edits.is_empty() || *readings > MAX_READINGS {
        return (Vec::new(), edits);
    }
    if reads_as_meant(text, stored, &edits) {
        return (edits, Vec::new());
    }
    if edits.len() == 1 {
        return (Vec::new(), edits);
    }
    let mut first = edits;
    let second = first.split_off(first.len() / 2);
    let (mut sound, mut unsound) = settle(text, stored, first, readings);
    let rest = settle(text, stored, second, readings);
    sound.extend(rest.0);
    unsound.extend(rest.1);
    (sound, unsound)
}

fn reads_as_meant(text: &str, stored: &Value, edits: &[Edit<'_>]) -> bool {
    let (mut edited, mut expected, mut done) = (String::new(), stored.clone(), 0);
    for edit in edits {
        edited.push_str(&text[done..edit.range.start]);
        edited.push_str(&edit.text);
        done = edit.range.end;
        if let Some(slot) = expected.pointer_mut(&edit.object.pointer) {
            *slot = edit.healed.clone();
        }
    }
    edited.push_str(&text[done..]);
    read(&edited).is_some_and(|value| value == expected)
}

fn shared_text(object: &Object) -> String {
    let place = if object.pointer.is_empty() { "its document" } else { "its list" };
    format!("an edit would change more of {place} than the fix, as anchors do")
}

impl Repaired {
    /// The repaired file, to be read again for the state after the fix.
    pub fn file(&self) -> File<'_> {
        File { path: &self.path, bytes: self.after.as_bytes(), found: self.found }
    }
}
