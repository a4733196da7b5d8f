//! One `AdmissionReview` of `admission.k8s.io/v1`, read. Source: k8s.io/api `admission/v1/types.go`, 1.36.
use crate::manifests::remove_nulls;
use seawall_model::Problem;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Bytes of one review: an object and its old self, each at most the 1.5 MiB that etcd takes, with room for growth.
pub const MAX_REVIEW: usize = 8 << 20;
/// The version that is spoken; the webhook's configuration asks for no other.
pub(super) const API_VERSION: &str = "admission.k8s.io/v1";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    Create,
    Update,
    Delete,
    Connect,
}

impl Operation {
    /// As the API server writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

/// What the API server asks.
#[derive(Debug)]
pub struct Review {
    /// Of the review, not of the object; the answer repeats it.
    pub uid: String,
    pub operation: Operation,
    /// API group, empty for the core one.
    pub group: String,
    /// Plural, such as `pods`.
    pub resource: String,
    /// Empty where the object itself is meant.
    pub subresource: String,
    /// Empty for objects of the cluster.
    pub namespace: String,
    pub user: String,
    pub groups: Vec<String>,
    pub dry_run: bool,
    /// Without null members; null where there is none.
    pub(super) object: Value,
    pub(super) old_object: Value,
    /// Both as they were sent, where that makes a difference.
    sent: Option<Box<[Value; 2]>>,
    /// The rest of the request as it was sent.
    pub(super) request: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReviewFile {
    api_version: String,
    kind: String,
    request: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestFile {
    uid: String,
    resource: ResourceFile,
    #[serde(default)]
    sub_resource: String,
    #[serde(default)]
    namespace: String,
    operation: Operation,
    #[serde(default)]
    user_info: UserFile,
    dry_run: Option<bool>,
}

#[derive(Deserialize)]
struct ResourceFile {
    #[serde(default)]
    group: String,
    resource: String,
}

#[derive(Default, Deserialize)]
struct UserFile {
    #[serde(default)]
    username: String,
    /// Go writes an empty list as null.
    groups: Option<Vec<String>>,
}

impl Review {
    /// `userInfo` of the request as it was sent; null where there is none.
    pub fn user_info(&self) -> &Value {
        self.request.get("userInfo").unwrap_or(&Value::Null)
    }

    /// Reads a review. Problems: `limit` over [`MAX_REVIEW`] (HTTP 413), `review` for what is no review of a version
    /// spoken here or has no UID (HTTP 400); without a UID there is no answer that the API server would take.
    pub fn parse(bytes: &[u8]) -> Result<Self, Box<Problem>> {
        if bytes.len() > MAX_REVIEW {
            let message = format!("the review is over {} MiB", MAX_REVIEW >> 20);
            return Err(Box::new(Problem::error("limit", message)));
        }
        let refused = |message: String| Box::new(Problem::error("review", message));
        let file: ReviewFile = serde_json::from_slice(bytes)
            .map_err(|error| refused(format!("this is no AdmissionReview: {error}")))?;
        if file.kind != "AdmissionReview" || file.api_version != API_VERSION {
            let given = format!("{} {}", file.api_version, file.kind);
            return Err(refused(format!("expected {API_VERSION} AdmissionReview, not {given}")));
        }
        let told = |message: String| refused(format!("this is no AdmissionReview: {message}"));
        let review = Self::of(file.request).map_err(told)?;
        if review.uid.is_empty() {
            return Err(refused("the request has no UID".to_owned()));
        }
        Ok(review)
    }

    /// Of the `request` of a review. Errors: what is missing or of another type.
    pub(super) fn of(mut rest: Map<String, Value>) -> Result<Self, String> {
        let mut object = rest.remove("object").unwrap_or_default();
        let mut old_object = rest.remove("oldObject").unwrap_or_default();
        let request = RequestFile::deserialize(&rest).map_err(|error| error.to_string())?;
        if request.resource.resource.is_empty() {
            return Err("the request names no resource".to_owned());
        }
        let differ = has_null(&object) || has_null(&old_object);
        let sent = differ.then(|| Box::new([object.clone(), old_object.clone()]));
        remove_nulls(&mut object);
        remove_nulls(&mut old_object);
        Ok(Self {
            uid: request.uid,
            operation: request.operation,
            group: request.resource.group,
            resource: request.resource.resource,
            subresource: request.sub_resource,
            namespace: request.namespace,
            user: request.user_info.username,
            groups: request.user_info.groups.unwrap_or_default(),
            dry_run: request.dry_run.unwrap_or(false),
            object,
            old_object,
            sent,
            request: rest,
        })
    }

    /// The object and the one before it, as they were sent.
    pub(super) fn sent(&self) -> [&Value; 2] {
        match &self.sent {
            Some(sent) => sent.each_ref(),
            None => [&self.object, &self.old_object],
        }
    }
}

/// Whether a member is null; null itself has none.
fn has_null(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.values().any(|member| member.is_null() || has_null(member))
        }
        Value::Array(items) => items.iter().any(has_null),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let found = Review::parse(text.as_bytes());
        match (found, expected) {
            (Ok(review), Ok(uid)) => assert_eq!(review.uid, uid, "{text}"),
            (Err(problem), Err(told)) => {
                let problem = problem.to_string();
                assert!(problem.contains(told), "{text}: {problem}");
            }
            (found, expected) => panic!("{text}: {found:?}, expected {expected:?}"),
        }
    }

    fn review(request: &str) -> String {
        format!(
            r#"{{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {request}}}"#
        )
    }

    #[test]
    fn bad_input() {
        check("", Err("error[review]: this is no AdmissionReview: EOF"));
        check("pod", Err("error[review]"));
        check("[]", Err("error[review]"));
        check("null", Err("error[review]"));
        check("{}", Err("missing field `apiVersion`"));
        check(
            r#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}"#,
            Err("`request`"),
        );
        check(&review("null"), Err("error[review]"));
        check(
            &review(r#"{"operation": "CREATE", "resource": {"resource": "pods"}}"#),
            Err("`uid`"),
        );
        let empty = r#"{"uid": "", "operation": "CREATE", "resource": {"resource": "pods"}}"#;
        check(&review(empty), Err("error[review]: the request has no UID"));
        check(&review(r#"{"uid": 7, "operation": "CREATE"}"#), Err("invalid type: integer"));
        check(&review(r#"{"uid": "u", "operation": "PATCH"}"#), Err("unknown variant `PATCH`"));
        let nothing = r#"{"uid": "u", "operation": "CREATE", "resource": {"resource": ""}}"#;
        check(&review(nothing), Err("the request names no resource"));
        let good = r#"{"uid": "u", "operation": "CREATE", "resource": {"resource": "pods"}}"#;
        check(&review(good), Ok("u"));
        check(&review(good).replace("/v1", "/v1beta1"), Err("not admission.k8s.io/v1beta1"));
        check(&review(good).replace("AdmissionReview", "Pod"), Err("not admission.k8s.io/v1 Pod"));
        check(&format!("{} x", review(good)), Err("trailing characters"));
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        check(&review(&good.replace('}', &format!(r#", "object": {deep}}}"#))), Err("recursion"));
        check(&" ".repeat(MAX_REVIEW + 1), Err("error[limit]: the review is over 8 MiB"));
        let text = review(good);
        check(&format!("{}{text}", " ".repeat(MAX_REVIEW - text.len())), Ok("u"));
    }

    #[test]
    fn absent_parts_are_empty() {
        let request = r#"{"uid": "u", "operation": "UPDATE", "resource": {"group": "apps", "version": "v1", "resource": "deployments"},
            "userInfo": {"username": "ann", "groups": null}, "object": {"a": null, "b": [{"c": null}]}, "oldObject": null, "dryRun": true}"#;
        let review = Review::parse(review(request).as_bytes()).unwrap();
        assert_eq!(review.object, serde_json::json!({"b": [{}]}));
        assert_eq!((review.old_object, review.dry_run), (Value::Null, true));
        assert_eq!((review.group.as_str(), review.subresource.as_str()), ("apps", ""));
        assert_eq!((review.user.as_str(), review.groups.len()), ("ann", 0));
    }
}
