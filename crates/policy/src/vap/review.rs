//! What is asked: one admission request, as expressions see it.
use seawall_model::Problem;
use serde_json::{Map, Value, json};

/// An admission request.
#[derive(Clone, Debug)]
pub struct Review {
    /// The answer repeats it.
    pub uid: String,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`.
    pub operation: String,
    pub resource: Resource,
    pub kind: Kind,
    /// Empty where the object itself is meant.
    pub subresource: String,
    pub name: String,
    /// Of a Namespace, its own name; empty for other objects of the cluster.
    pub namespace: String,
    /// Null where there is none.
    pub object: Value,
    pub old_object: Value,
    /// `request` of expressions.
    pub(super) request: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub group: String,
    pub version: String,
    pub resource: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    pub group: String,
    pub version: String,
    pub kind: String,
}

impl Review {
    /// Of the `request` of a review. Problems: `review` where it names no operation or resource.
    pub fn of(request: &Map<String, Value>) -> Result<Review, Box<Problem>> {
        let text = |name: &str| member(request, name);
        let operation = text("operation");
        let resource = resource(request.get("resource"));
        if operation.is_empty() || resource.resource.is_empty() {
            let message = "the request names no operation or no resource";
            return Err(Box::new(Problem::error("review", message)));
        }
        // As they are sent: a custom resource keeps its null members, and so does `has`.
        let object = |name: &str| request.get(name).cloned().unwrap_or_default();
        let subresource = text("subResource");
        Ok(Review {
            uid: text("uid"),
            operation,
            kind: kind(request.get("kind")),
            subresource,
            name: text("name"),
            namespace: text("namespace"),
            object: object("object"),
            old_object: object("oldObject"),
            request: variable(request),
            resource,
        })
    }

    /// The labels of the object and of the old one.
    pub(super) fn objects(&self) -> [&Value; 2] {
        [&self.object, &self.old_object]
    }

    /// `group/version, Kind=kind` is judged and never by what it would itself change.
    pub(super) fn is_excluded(&self) -> bool {
        let Resource { group, resource, .. } = &self.resource;
        match group.as_str() {
            "admissionregistration.k8s.io" => matches!(
                resource.as_str(),
                "validatingadmissionpolicies"
                    | "validatingadmissionpolicybindings"
                    | "mutatingadmissionpolicies"
                    | "mutatingadmissionpolicybindings"
            ),
            "authentication.k8s.io" => {
                matches!(resource.as_str(), "selfsubjectreviews" | "tokenreviews")
            }
            "authorization.k8s.io" => matches!(
                resource.as_str(),
                "localsubjectaccessreviews"
                    | "selfsubjectaccessreviews"
                    | "selfsubjectrulesreviews"
                    | "subjectaccessreviews"
            ),
            _ => false,
        }
    }
}

pub(super) fn member(map: &Map<String, Value>, name: &str) -> String {
    map.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(super) fn resource(value: Option<&Value>) -> Resource {
    let text = |name: &str| {
        value.and_then(|value| value.get(name)).and_then(Value::as_str).unwrap_or_default()
    };
    Resource {
        group: text("group").to_owned(),
        version: text("version").to_owned(),
        resource: text("resource").to_owned(),
    }
}

pub(super) fn kind(value: Option<&Value>) -> Kind {
    let text = |name: &str| {
        value.and_then(|value| value.get(name)).and_then(Value::as_str).unwrap_or_default()
    };
    Kind {
        group: text("group").to_owned(),
        version: text("version").to_owned(),
        kind: text("kind").to_owned(),
    }
}

/// `request` as the API server builds it: without objects, with what JSON leaves out.
pub(super) fn variable(request: &Map<String, Value>) -> Value {
    let three = |value: Option<&Value>, last: &str| {
        let text = |name: &str| {
            value.and_then(|value| value.get(name)).cloned().unwrap_or_else(|| json!(""))
        };
        json!({"group": text("group"), "version": text("version"), last: text(last)})
    };
    let or = |name: &str, other: &str| request.get(name).or_else(|| request.get(other));
    let mut made = Map::new();
    made.insert("uid".into(), json!(""));
    made.insert("kind".into(), three(request.get("kind"), "kind"));
    made.insert("resource".into(), three(request.get("resource"), "resource"));
    made.insert("requestKind".into(), three(or("requestKind", "kind"), "kind"));
    made.insert("requestResource".into(), three(or("requestResource", "resource"), "resource"));
    let sub = or("requestSubResource", "subResource").cloned();
    let optional = [
        ("subResource", request.get("subResource").cloned()),
        ("requestSubResource", sub),
        ("name", request.get("name").cloned()),
        ("namespace", request.get("namespace").cloned()),
    ];
    for (name, value) in optional {
        if let Some(value) = value.filter(|value| value.as_str().is_some_and(|t| !t.is_empty())) {
            made.insert(name.into(), value);
        }
    }
    made.insert("operation".into(), request.get("operation").cloned().unwrap_or_default());
    let mut user = request.get("userInfo").cloned().unwrap_or_else(|| json!({}));
    remove_nulls(&mut user);
    made.insert("userInfo".into(), user);
    made.insert("dryRun".into(), json!(request.get("dryRun") == Some(&Value::Bool(true))));
    made.insert("options".into(), request.get("options").cloned().unwrap_or_default());
    Value::Object(made)
}

/// The API server leaves out what it does not know of a user; members that are null are absent to it.
pub(super) fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(remove_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}
