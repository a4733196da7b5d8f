//! The roles and bindings that every API server makes itself: `content/rbac/_bootstrap.yaml`.
use super::{Access, BindingRef, Change, Name, Subject};
use seawall_model::Problem;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Built-in roles as objects, and who is bound by each built-in binding.
#[derive(Clone, Debug, Default)]
pub struct Bootstrap {
    objects: Vec<Value>,
    bindings: BTreeMap<BindingRef, (String, Vec<Subject>)>,
}

impl Bootstrap {
    /// `text` is a YAML list of RBAC objects. Errors: no such list.
    pub fn load(file: &str, text: &str) -> Result<Self, Box<Problem>> {
        let objects: Vec<Value> = serde_saphyr::from_str(text).map_err(|error| {
            let message = error.without_snippet().to_string();
            Box::new(Problem::error("bootstrap", message).file(file))
        })?;
        let mut bindings = BTreeMap::new();
        for object in &objects {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
            let Some(role) = text("/roleRef/name") else { continue };
            let namespace = text("/metadata/namespace");
            let subjects = object.get("subjects").and_then(Value::as_array).into_iter().flatten();
            let subjects = subjects.filter_map(|value| Subject::read(value, namespace)).collect();
            let name = text("/metadata/name").unwrap_or_default().into();
            let name = BindingRef(Name { namespace: namespace.map(Arc::from), name });
            bindings.insert(name, (role.to_owned(), subjects));
        }
        Ok(Self { objects, bindings })
    }

    /// Whether the API server itself binds `subject` so. A subject that somebody added to a built-in binding is not.
    pub fn binds(&self, access: &Access, binding: &BindingRef, subject: &Subject) -> bool {
        self.bindings.get(binding).is_some_and(|(role, subjects)| {
            subjects.contains(subject)
                && access.role_of(binding).is_some_and(|bound| bound.0.name.as_ref() == role)
        })
    }

    /// The built-in roles, as changes to apply before those of a cluster whose own are not known.
    pub fn roles(&self) -> impl Iterator<Item = Change<'_>> {
        let role = |object: &&Value| {
            object.get("rules").is_some() || object.get("aggregationRule").is_some()
        };
        self.objects.iter().filter(role).map(Change::Set)
    }
}
