//! The types of `request` and `namespaceObject`, which the API server declares by hand. Source: k8s.io/apiserver
//! `pkg/admission/plugin/cel/compile.go`.
use seawall_cel::{Schema, Type};

pub(super) const REQUEST: &str = "kubernetes.AdmissionRequest";
/// Has no fields of its own: each variable is declared by its dotted name.
pub(super) const VARIABLES: &str = "kubernetes.variables";
pub(super) const NAMESPACE: &str = "kubernetes.Namespace";

/// (struct, field, type in [`Type::parse`]'s form; `*` before a struct).
const FIELDS: &[(&str, &str, &str)] = &[
    (REQUEST, "kind", "*kubernetes.GroupVersionKind"),
    (REQUEST, "resource", "*kubernetes.GroupVersionResource"),
    (REQUEST, "subResource", "string"),
    (REQUEST, "requestKind", "*kubernetes.GroupVersionKind"),
    (REQUEST, "requestResource", "*kubernetes.GroupVersionResource"),
    (REQUEST, "requestSubResource", "string"),
    (REQUEST, "name", "string"),
    (REQUEST, "namespace", "string"),
    (REQUEST, "operation", "string"),
    (REQUEST, "userInfo", "*kubernetes.UserInfo"),
    (REQUEST, "dryRun", "bool"),
    (REQUEST, "options", "dyn"),
    ("kubernetes.GroupVersionKind", "group", "string"),
    ("kubernetes.GroupVersionKind", "version", "string"),
    ("kubernetes.GroupVersionKind", "kind", "string"),
    ("kubernetes.GroupVersionResource", "group", "string"),
    ("kubernetes.GroupVersionResource", "version", "string"),
    ("kubernetes.GroupVersionResource", "resource", "string"),
    ("kubernetes.UserInfo", "username", "string"),
    ("kubernetes.UserInfo", "uid", "string"),
    ("kubernetes.UserInfo", "groups", "list(string)"),
    ("kubernetes.UserInfo", "extra", "map(string, list(string))"),
    (NAMESPACE, "metadata", "*kubernetes.NamespaceMetadata"),
    (NAMESPACE, "spec", "*kubernetes.NamespaceSpec"),
    (NAMESPACE, "status", "*kubernetes.NamespaceStatus"),
    ("kubernetes.NamespaceMetadata", "name", "string"),
    ("kubernetes.NamespaceMetadata", "generateName", "string"),
    ("kubernetes.NamespaceMetadata", "namespace", "string"),
    ("kubernetes.NamespaceMetadata", "labels", "map(string, string)"),
    ("kubernetes.NamespaceMetadata", "annotations", "map(string, string)"),
    ("kubernetes.NamespaceMetadata", "UID", "string"),
    ("kubernetes.NamespaceMetadata", "creationTimestamp", "timestamp"),
    ("kubernetes.NamespaceMetadata", "deletionGracePeriodSeconds", "int"),
    ("kubernetes.NamespaceMetadata", "deletionTimestamp", "timestamp"),
    ("kubernetes.NamespaceMetadata", "generation", "int"),
    ("kubernetes.NamespaceMetadata", "resourceVersion", "string"),
    ("kubernetes.NamespaceMetadata", "finalizers", "list(string)"),
    ("kubernetes.NamespaceSpec", "finalizers", "list(string)"),
    ("kubernetes.NamespaceStatus", "conditions", "list(*kubernetes.NamespaceCondition)"),
    ("kubernetes.NamespaceStatus", "phase", "string"),
    ("kubernetes.NamespaceCondition", "status", "string"),
    ("kubernetes.NamespaceCondition", "type", "string"),
    ("kubernetes.NamespaceCondition", "lastTransitionTime", "timestamp"),
    ("kubernetes.NamespaceCondition", "message", "string"),
    ("kubernetes.NamespaceCondition", "reason", "string"),
];

pub(super) struct Declared;

impl Schema for Declared {
    fn field(&self, owner: &str, field: &str) -> Option<Type> {
        let (_, _, kind) = FIELDS.iter().find(|(o, f, _)| *o == owner && *f == field)?;
        let of = |name: &str| Type::Struct(name.into());
        match kind.strip_prefix("list(*").and_then(|rest| rest.strip_suffix(')')) {
            Some(name) => Some(Type::list(of(name))),
            None => match kind.strip_prefix('*') {
                Some(name) => Some(of(name)),
                None => Type::parse(kind),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_reads_and_every_struct_has_fields() {
        for (owner, field, _) in FIELDS {
            let kind = Declared.field(owner, field).expect(field);
            let of = match &kind {
                Type::List(of) => of.as_ref(),
                other => other,
            };
            if let Type::Struct(name) = of {
                assert!(FIELDS.iter().any(|(owner, _, _)| **owner == **name), "{name}");
            }
            assert!(!matches!(of, Type::Opaque(_)), "{owner}.{field}: {kind}");
        }
    }
}
