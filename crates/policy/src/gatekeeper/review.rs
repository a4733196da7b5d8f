//! What is judged: an object as it stands, or a request about one.
use super::{at, group_version, text};
use seawall_rego::Data;
use serde_json::{Map, Value, json};
use std::cell::OnceCell;

/// Who wrote the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A user.
    Original,
    /// An [`super::Expansion`].
    Generated,
}

/// The namespace of what is judged.
#[derive(Clone, Debug)]
pub enum Namespace {
    /// At hand.
    Object(Value),
    /// There may be one, its labels are not known.
    Unknown,
}

/// One request, as policies see it.
#[derive(Clone, Debug)]
pub struct Review {
    /// Without null members.
    pub object: Option<Value>,
    pub old_object: Option<Value>,
    pub namespace: Namespace,
    pub origin: Origin,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`, or empty for an object that nobody asks about.
    pub operation: String,
    /// Name of the namespace, empty outside of any.
    pub namespace_name: String,
    /// The AdmissionRequest; on `DELETE` its `object` is the old one, as Gatekeeper has it.
    request: Map<String, Value>,
    /// What Rego sees of it, made once for all policies.
    data: OnceCell<Data>,
}

impl Review {
    /// An object as it stands: an empty operation, no old object. Errors: it has no kind or version.
    pub fn of_object(object: &Value, namespace: Namespace, origin: Origin) -> Result<Self, String> {
        let (api_version, kind) = (text(object, &["apiVersion"]), text(object, &["kind"]));
        if kind.is_empty() {
            return Err("object has no kind".to_owned());
        }
        let (group, version) = group_version(api_version);
        let (name, inside) =
            (text(object, &["metadata", "name"]), text(object, &["metadata", "namespace"]));
        let Value::Object(mut request) = json!({
            "uid": "",
            "kind": {"group": group, "version": version, "kind": kind},
            "resource": {"group": "", "version": "", "resource": ""},
            "operation": "",
            "userInfo": {},
            "object": object,
            "oldObject": null,
            "options": null,
        }) else {
            return Err("object has no kind".to_owned());
        };
        for (key, value) in [("name", name), ("namespace", inside)] {
            if !value.is_empty() {
                request.insert(key.to_owned(), value.into());
            }
        }
        Ok(Self {
            object: Some(object.clone()),
            old_object: None,
            namespace,
            origin,
            operation: String::new(),
            namespace_name: inside.to_owned(),
            request,
            data: OnceCell::new(),
        })
    }

    /// The `request` of an AdmissionReview. Errors: it asks about no object, or deletes one it does not show.
    pub fn of_request(request: &Map<String, Value>, namespace: Namespace) -> Result<Self, String> {
        let word =
            |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let object = |name: &str| request.get(name).filter(|value| !value.is_null()).cloned();
        let (mut new, old) = (object("object"), object("oldObject"));
        if new.is_none() && old.is_none() {
            return Err(
                "AdmissionRequest does not contain an \"object\" or \"oldObject\" to review"
                    .to_owned(),
            );
        }
        for object in [&new, &old].into_iter().flatten() {
            if text(object, &["kind"]).is_empty() {
                return Err("object of the request has no kind".to_owned());
            }
        }
        let operation = word("operation");
        if operation == "DELETE" {
            if old.is_none() {
                return Err("oldObject cannot be nil for DELETE operations".to_owned());
            }
            new.clone_from(&old);
        }
        let mut request = request.clone();
        for (key, value) in [("object", &new), ("oldObject", &old)] {
            request.insert(key.to_owned(), value.clone().unwrap_or_default());
        }
        let empty = json!({"group": "", "version": "", "resource": ""});
        for (key, default) in [
            ("uid", json!("")),
            ("kind", json!({"group": "", "version": "", "kind": ""})),
            ("resource", empty),
            ("operation", json!("")),
            ("userInfo", json!({})),
            ("options", Value::Null),
        ] {
            request.entry(key.to_owned()).or_insert(default);
        }
        let namespace_name = word("namespace");
        Ok(Self {
            object: new,
            old_object: old,
            namespace,
            origin: Origin::Original,
            operation,
            namespace_name,
            request,
            data: OnceCell::new(),
        })
    }

    /// `input.review` of Rego.
    pub(super) fn data(&self) -> &Data {
        self.data.get_or_init(|| Data::from_json(&self.input()))
    }

    fn input(&self) -> Value {
        let mut review = self.request.clone();
        let namespace = match &self.namespace {
            Namespace::Object(namespace) => namespace.clone(),
            Namespace::Unknown => json!({}),
        };
        review.insert("namespaceObject".to_owned(), namespace);
        Value::Object(review)
    }

    /// The request for CEL, which sees no object on `DELETE`.
    pub(super) fn request(&self) -> Map<String, Value> {
        let mut request = self.request.clone();
        if self.operation == "DELETE" {
            request.insert("object".to_owned(), Value::Null);
        }
        request
    }

    /// The object judged, for messages: kind, namespace and name.
    pub fn subject(&self) -> String {
        let object = self.object.as_ref().or(self.old_object.as_ref());
        let part = |path: &[&str]| {
            object.and_then(|object| at(object, path)).and_then(Value::as_str).unwrap_or("")
        };
        let name = part(&["metadata", "name"]);
        match part(&["metadata", "namespace"]) {
            "" => format!("{} {name}", part(&["kind"])),
            namespace => format!("{} {namespace}/{name}", part(&["kind"])),
        }
    }
}
