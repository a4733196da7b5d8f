//! ExpansionTemplates: the pod that a Deployment will make, judged before it is made.
//!
//! Source: gatekeeper `pkg/expansion/system.go`, `db.go`. Mutators are not applied; nothing of ours mutates.
use super::action::{Action, one};
use super::{at, group_version, text};
use serde_json::{Map, Value, json};

/// Expansions of expansions.
const MAX_DEPTH: usize = 30;
/// Objects that one makes; a workload makes a handful.
const MAX_EXPANDED: usize = 100;

/// One ExpansionTemplate.
#[derive(Clone, Debug)]
pub struct Expansion {
    pub name: String,
    /// Groups, versions, kinds it applies to; each list names what it matches.
    apply: Vec<[Vec<String>; 3]>,
    /// Path of the pod template: `spec.template`.
    source: String,
    group: String,
    version: String,
    kind: String,
    /// Overrides the constraint's.
    action: Option<Action>,
}

/// An object that another makes.
#[derive(Clone, Debug)]
pub struct Expanded {
    pub object: Value,
    /// Name of the template.
    pub template: String,
    pub action: Option<Action>,
}

impl Expansion {
    /// Errors: not an ExpansionTemplate, or an incomplete one.
    pub fn load(document: &Value) -> Result<Self, String> {
        let (group, version) = group_version(text(document, &["apiVersion"]));
        if group != "expansion.gatekeeper.sh" || text(document, &["kind"]) != "ExpansionTemplate" {
            return Err("not an ExpansionTemplate".to_owned());
        }
        if !matches!(version, "v1alpha1" | "v1beta1") {
            return Err(format!("unknown version {version:?} of ExpansionTemplate"));
        }
        let name = text(document, &["metadata", "name"]).to_owned();
        if name.is_empty() {
            return Err("ExpansionTemplate has empty name field".to_owned());
        }
        if name.len() >= 64 {
            return Err("ExpansionTemplate name must be less than 64 characters".to_owned());
        }
        let words = |value: &Value, key: &str| {
            let items = at(value, &[key]).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        let apply =
            at(document, &["spec", "applyTo"]).and_then(Value::as_array).into_iter().flatten();
        let apply: Vec<_> = apply
            .map(|to| [words(to, "groups"), words(to, "versions"), words(to, "kinds")])
            .collect();
        let generated = |key: &str| text(document, &["spec", "generatedGVK", key]).to_owned();
        let action = match text(document, &["spec", "enforcementAction"]) {
            "" => None,
            action => Some(one(action)?),
        };
        let expansion = Self {
            source: text(document, &["spec", "templateSource"]).to_owned(),
            group: generated("group"),
            version: generated("version"),
            kind: generated("kind"),
            name,
            apply,
            action,
        };
        let name = &expansion.name;
        if expansion.source.is_empty() {
            return Err(format!("ExpansionTemplate {name} has empty source field"));
        }
        if [&expansion.group, &expansion.version, &expansion.kind]
            .iter()
            .all(|part| part.is_empty())
        {
            return Err(format!("ExpansionTemplate {name} has empty generatedGVK field"));
        }
        if expansion.apply.is_empty() {
            return Err(format!("ExpansionTemplate {name} must specify ApplyTo"));
        }
        if expansion.applies(&expansion.group, &expansion.version, &expansion.kind) {
            return Err(format!("ExpansionTemplate {name} generates what it also applies to"));
        }
        Ok(expansion)
    }

    /// Groups, versions and kinds of what it applies to.
    pub fn makers(&self) -> &[[Vec<String>; 3]] {
        &self.apply
    }

    fn applies(&self, group: &str, version: &str, kind: &str) -> bool {
        let has = |words: &[String], word: &str| words.iter().any(|one| one == word);
        self.apply.iter().any(|[groups, versions, kinds]| {
            has(groups, group) && has(versions, version) && has(kinds, kind)
        })
    }

    /// All that `object` makes by `templates`, and what that makes. `namespace` is the object's own.
    /// Errors: the object lacks what the template names, or they go round in circles.
    pub fn expand(templates: &[Self], object: &Value) -> Result<Vec<Expanded>, String> {
        let mut expanded = Vec::new();
        expand(templates, object, &mut expanded, 0)?;
        Ok(expanded)
    }

    fn make(&self, object: &Value) -> Result<Value, String> {
        let name = text(object, &["metadata", "name"]);
        let path: Vec<&str> = self.source.split('.').collect();
        let Some(Value::Object(source)) = at(object, &path) else {
            return Err(format!(
                "could not find source field {:?} in resource {name}",
                self.source
            ));
        };
        let mut made = source.clone();
        let api_version = match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        };
        made.insert("apiVersion".to_owned(), api_version.into());
        made.insert("kind".to_owned(), self.kind.clone().into());
        let metadata = made.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(metadata) = metadata else {
            return Err(format!("metadata of {:?} in resource {name} is no object", self.source));
        };
        if let namespace @ Some(_) = at(object, &["metadata", "namespace"]) {
            metadata.insert("namespace".to_owned(), namespace.cloned().unwrap_or_default());
        }
        let made_name =
            if self.kind.is_empty() { name.to_owned() } else { format!("{name}-{}", self.kind) };
        metadata.insert("name".to_owned(), made_name.to_lowercase().into());
        own(metadata, object);
        Ok(Value::Object(made))
    }
}

/// Adds the maker to the owners, once.
fn own(metadata: &mut Map<String, Value>, maker: &Value) {
    let word = |path: &[&str]| text(maker, path).to_owned();
    let owner = json!({"apiVersion": word(&["apiVersion"]), "kind": word(&["kind"]), "name": word(&["metadata", "name"]), "uid": ""});
    if ["apiVersion", "kind", "name"].iter().any(|key| text(&owner, &[key]).is_empty()) {
        return;
    }
    let owners = metadata.entry("ownerReferences").or_insert_with(|| json!([]));
    let Value::Array(owners) = owners else { return };
    let same = |other: &Value| {
        ["apiVersion", "kind", "name"].iter().all(|key| other.get(key) == owner.get(key))
    };
    if !owners.iter().any(same) {
        owners.push(owner);
    }
}

fn expand(
    templates: &[Expansion],
    object: &Value,
    expanded: &mut Vec<Expanded>,
    depth: usize,
) -> Result<(), String> {
    if expanded.len() > MAX_EXPANDED {
        return Err(format!("over {MAX_EXPANDED} objects from one"));
    }
    if depth >= MAX_DEPTH {
        return Err(format!("maximum recursion depth of {MAX_DEPTH} reached"));
    }
    let (group, version) = group_version(text(object, &["apiVersion"]));
    let kind = text(object, &["kind"]);
    let mut made = Vec::new();
    for template in templates.iter().filter(|template| template.applies(group, version, kind)) {
        let object = template.make(object)?;
        made.push(Expanded { object, template: template.name.clone(), action: template.action });
    }
    for one in &made {
        expand(templates, &one.object, expanded, depth + 1)?;
    }
    expanded.extend(made);
    Ok(())
}
