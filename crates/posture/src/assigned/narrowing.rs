//! Whether an assignment's narrowing fits an object.
use crate::glob::fits as glob_fits;
use crate::objects::Columns;
use crate::world::{Object, Subject};
use seawall_model::admission::Narrowing;
use seawall_model::finding::Resource;
use serde_json::Value;
use std::sync::Arc;

/// What a narrowing looks at of whatever is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// Empty for what belongs to the cluster, which of all patterns only `*` names; a Namespace's is itself, as the API
    /// server has it.
    pub(crate) namespace: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) labels: Labels<'a>,
}

/// The object's own labels, wherever they are held.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Labels<'a> {
    Object(&'a Value),
    Columns(&'a [(Arc<str>, Arc<str>)]),
    Pairs(&'a [(String, String)]),
}

impl<'a> Labels<'a> {
    /// Of what no object stands for.
    pub(crate) const NONE: Self = Self::Pairs(&[]);

    fn get(self, key: &str) -> Option<&'a str> {
        match self {
            Self::Object(object) => object.get("metadata")?.get("labels")?.get(key)?.as_str(),
            Self::Columns(pairs) => find(pairs, key),
            Self::Pairs(pairs) => find(pairs, key),
        }
    }
}

fn find<'a, T: AsRef<str>>(pairs: &'a [(T, T)], key: &str) -> Option<&'a str> {
    pairs.iter().find(|(own, _)| own.as_ref() == key).map(|(_, value)| value.as_ref())
}

impl<'a> Place<'a> {
    fn new(resource: &'a Resource, labels: Labels<'a>) -> Self {
        let namespace = match is_namespace(&resource.api_version, &resource.kind) {
            true => &resource.name,
            false => resource.namespace.as_deref().unwrap_or_default(),
        };
        Self { namespace, kind: &resource.kind, labels }
    }

    pub(crate) fn of_object(resource: &'a Resource, object: &'a Value) -> Self {
        Self::new(resource, Labels::Object(object))
    }

    /// Of what no object stands for, or whose labels were told apart from it.
    pub(crate) fn of_resource(resource: &'a Resource, labels: &'a [(String, String)]) -> Self {
        Self::new(resource, Labels::Pairs(labels))
    }

    pub(crate) fn of_subject(subject: &'a Subject<'_>) -> Self {
        let labels = subject.object.as_ref().map(Object::value).map(Labels::Object);
        Self::new(&subject.resource, labels.unwrap_or(Labels::NONE))
    }

    pub(crate) fn of_columns(columns: &'a Columns) -> Self {
        let namespace = match is_namespace(&columns.api_version, &columns.kind) {
            true => columns.name.as_ref(),
            false => columns.namespace.as_deref().unwrap_or_default(),
        };
        Self { namespace, kind: &columns.kind, labels: Labels::Columns(&columns.labels) }
    }
}

fn is_namespace(api_version: &str, kind: &str) -> bool {
    api_version == "v1" && kind == "Namespace"
}

pub(super) fn fits(narrowing: &Narrowing, place: &Place<'_>) -> bool {
    let named =
        |patterns: &[String]| patterns.iter().any(|pattern| glob_fits(pattern, place.namespace));
    (narrowing.namespaces.is_empty() || named(&narrowing.namespaces))
        && !named(&narrowing.excluded_namespaces)
        && (narrowing.kinds.is_empty() || narrowing.kinds.iter().any(|own| own == place.kind))
        && narrowing.labels.iter().all(|(key, value)| place.labels.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// However the labels are held.
    #[track_caller]
    fn check(narrowing: Value, expected: bool) {
        let object =
            json!({"kind": "Deployment", "metadata": {"labels": {"app": "web", "tier": "front"}}});
        let narrowing: Narrowing = serde_json::from_value(narrowing).unwrap();
        let pairs = [("app", "web"), ("tier", "front")];
        let columns = pairs.map(|(key, value)| (key.into(), value.into()));
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        for labels in [Labels::Object(&object), Labels::Columns(&columns), Labels::Pairs(&pairs)] {
            let place = Place { namespace: "shop", kind: "Deployment", labels };
            assert_eq!(fits(&narrowing, &place), expected, "{narrowing:?} {labels:?}");
        }
    }

    #[test]
    fn every_part_narrows() {
        check(json!({}), true);
        check(json!({"namespaces": ["shop"]}), true);
        check(json!({"namespaces": ["bank", "sh*"]}), true);
        check(json!({"namespaces": ["bank"]}), false);
        check(json!({"excluded_namespaces": ["bank"]}), true);
        check(json!({"namespaces": ["*"], "excluded_namespaces": ["s*"]}), false);
        check(json!({"kinds": ["Pod", "Deployment"]}), true);
        check(json!({"kinds": ["Pod"]}), false);
        check(json!({"labels": [["app", "web"]]}), true);
        check(json!({"labels": [["app", "web"], ["tier", "front"]]}), true);
        check(json!({"labels": [["app", "web"], ["tier", "back"]]}), false);
        check(json!({"labels": [["gone", ""]]}), false);
    }

    #[test]
    fn a_namespace_lies_in_itself() {
        #[track_caller]
        fn check(kind: &str, namespace: Option<&str>, expected: &str) {
            let resource = Resource {
                api_version: "v1".to_owned(),
                kind: kind.to_owned(),
                namespace: namespace.map(str::to_owned),
                name: "n".to_owned(),
                uid: None,
            };
            assert_eq!(Place::of_resource(&resource, &[]).namespace, expected, "{kind}");
        }
        check("Namespace", None, "n");
        check("Node", None, "");
        check("Pod", Some("shop"), "shop");
    }
}
