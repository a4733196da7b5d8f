//! Writes fixes into the text of manifests, and shows them as a diff.
use super::{File, Manifests, Object, edit, remove_nulls};
use crate::catalogue::Selection;
use crate::{pointer, yaml};
use seawall_model::Problem;
use seawall_model::finding::State;
use serde_json::Value;

/// One file with its fixes written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    pub path: String,
    pub before: String,
    pub after: String,
    found: bool,
}

/// Lines of context in a diff, as `diff -u` has them.
const CONTEXT: usize = 3;

/// Applies every fix of the selection, object by object. Returns the files whose text changes and what was left alone:
/// an object whose text cannot be edited safely, and findings without a fix.
pub fn repair(manifests: &Manifests, selection: &Selection) -> (Vec<Repaired>, Vec<Problem>) {
    let (mut repaired, mut left) = (Vec::new(), Vec::new());
    for (index, file) in manifests.files.iter().enumerate() {
        let before = &file.text;
        let mut after = before.clone();
        // From the last document to the first, so that places of those before stay right.
        let mut documents: Vec<Vec<&Object>> = Vec::new();
        for object in manifests.objects.iter().filter(|object| object.file == index) {
            match documents.last_mut() {
                Some(last) if last[0].document == object.document => last.push(object),
                _ => documents.push(vec![object]),
            }
        }
        for objects in documents.into_iter().rev() {
            let range = objects[0].document.clone();
            let mut text = before[range.clone()].to_owned();
            for object in objects.into_iter().rev() {
                let (healed, operations) = selection.heal(&object.value);
                if !operations.is_empty() {
                    match rewrite(&text, object, &operations, &healed) {
                        Ok(edited) => text = edited,
                        Err(reason) => left.push(untouched(
                            object,
                            "fix-left",
                            format!("the fix is not written: {reason}"),
                        )),
                    }
                }
                let open = selection.evaluate(&healed, None).unwrap_or_default();
                for finding in open.into_iter().filter(|finding| finding.state == State::Unhealthy)
                {
                    let told = finding.message.unwrap_or(finding.title);
                    left.push(untouched(object, "no-fix", format!("{}: {told}", finding.control)));
                }
            }
            after.replace_range(range, &text);
        }
        if after != *before {
            let (path, before) = (file.path.clone(), before.clone());
            repaired.push(Repaired { path, before, after, found: file.found });
        }
    }
    left.reverse();
    left.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    (repaired, left)
}

fn untouched(object: &Object, code: &str, message: String) -> Problem {
    let resource = crate::workload::resource(&object.value);
    let problem =
        Problem::warning(code, message).file(&object.source.file).at(object.source.line, 1);
    problem.item(format!("{}/{}", resource.kind, resource.name))
}

/// The document with one object's operations written in; refused unless reading it yields just what was meant.
fn rewrite(
    text: &str,
    object: &Object,
    operations: &[Value],
    healed: &Value,
) -> Result<String, String> {
    let placed: Vec<Value> = operations
        .iter()
        .map(|operation| {
            let mut operation = operation.clone();
            let path = operation.get("path").and_then(Value::as_str).unwrap_or_default();
            operation["path"] = format!("{}{path}", object.pointer).into();
            operation
        })
        .collect();
    let edited = edit::apply(text, &placed)?;
    let read = |text: &str| {
        let node =
            yaml::parse(text).map_err(|error| error.message)?.ok_or("the document is empty")?;
        let mut value = node.to_json();
        remove_nulls(&mut value);
        Ok::<Value, String>(value)
    };
    let mut expected = read(text)?;
    let mut healed = healed.clone();
    if let (Some(slot), Some(members)) =
        (expected.pointer_mut(&object.pointer), healed.as_object_mut())
    {
        // A typed list's items do not say their kind.
        for key in ["apiVersion", "kind"] {
            if slot.get(key).is_none() {
                members.shift_remove(key);
            }
        }
        *slot = healed;
    }
    if read(&edited)? == expected { Ok(edited) } else { Err(shared_text(object)) }
}

fn shared_text(object: &Object) -> String {
    let place = if object.pointer.is_empty() {
        "its document"
    } else {
        pointer::tokens(&object.pointer).next().map_or("", |_| "its list")
    };
    format!("an edit would change more of {place} than the fix, as anchors do")
}

/// A unified diff with three lines of context; empty where nothing changes.
pub fn diff(repaired: &Repaired) -> String {
    let changes = similar::TextDiff::from_lines(&repaired.before, &repaired.after);
    let (old, new) = (format!("a/{}", repaired.path), format!("b/{}", repaired.path));
    changes.unified_diff().context_radius(CONTEXT).header(&old, &new).to_string()
}

impl Repaired {
    /// The repaired file, to be read again for the state after the fix.
    pub fn file(&self) -> File<'_> {
        File { path: &self.path, bytes: self.after.as_bytes(), found: self.found }
    }
}
