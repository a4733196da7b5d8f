//! One question to the API server's authorizer: may this user do that?
//!
//! Source: `SubjectAccessReview` of `authorization.k8s.io/v1`; selectors are asked about from Kubernetes 1.31 on, older
//! servers drop them and answer for all objects.
use crate::Connection;
use kube::core::Request;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Requirements of one selector; an authorizer that looks at them looks at each.
const MAX_REQUIREMENTS: usize = 64;

/// Who would do what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Question {
    pub user: String,
    pub groups: Vec<String>,
    /// Empty where it is not known.
    pub uid: String,
    pub extra: BTreeMap<String, Vec<String>>,
    pub about: About,
}

/// What would be done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// `get /healthz`
    Path {
        verb: String,
        path: String,
    },
    Resource(Box<Attributes>),
}

impl Default for About {
    fn default() -> Self {
        Self::Resource(Box::default())
    }
}

/// An action on objects; what is empty stands for none, `namespace` and `name` for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes {
    pub verb: String,
    pub group: String,
    pub version: String,
    pub resource: String,
    pub subresource: String,
    pub namespace: String,
    pub name: String,
    /// As `kubectl --field-selector` takes it.
    pub field_selector: String,
    /// As `kubectl --selector` takes it.
    pub label_selector: String,
}

/// The authorizer's word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    pub allowed: bool,
    /// Said no, where others only had nothing to say.
    pub denied: bool,
    pub reason: String,
    /// What it could not look up; its answer holds all the same.
    pub error: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("cannot ask the API server who may {verb}")]
    Ask { verb: String, source: kube::Error },
    #[error("the agent may not create subjectaccessreviews: grant it, as the chart's role does")]
    Forbidden { source: kube::Error },
    #[error("the API server does not say within {} ms who may {verb}", within.as_millis())]
    Timeout { verb: String, within: Duration },
    #[error("the API server's answer to a SubjectAccessReview has no status")]
    NoStatus,
    #[error("a selector has more than {MAX_REQUIREMENTS} requirements")]
    Selector,
}

/// Asks; waits for `within` at most.
pub async fn review(
    connection: &Connection,
    question: &Question,
    within: Duration,
) -> Result<Access, AccessError> {
    let verb = question.verb().to_owned();
    let body = question.spec()?;
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let request =
        Request::new(path).create(&kube::api::PostParams::default(), body.to_string().into_bytes());
    let failed = |source| AccessError::Ask { verb: verb.clone(), source };
    let request = request.map_err(|error| failed(kube::Error::BuildRequest(error)))?;
    let asking = connection.client.request::<Value>(request);
    let answer = match tokio::time::timeout(within, asking).await {
        Err(_) => return Err(AccessError::Timeout { verb, within }),
        Ok(Err(source)) if matches!(&source, kube::Error::Api(status) if status.code == 403) => {
            return Err(AccessError::Forbidden { source });
        }
        Ok(answer) => answer.map_err(failed)?,
    };
    read(&answer).ok_or(AccessError::NoStatus)
}

fn read(answer: &Value) -> Option<Access> {
    let status = answer.get("status")?;
    let text = |key: &str| status[key].as_str().unwrap_or_default().to_owned();
    Some(Access {
        allowed: status.get("allowed")?.as_bool()?,
        denied: status["denied"].as_bool().unwrap_or_default(),
        reason: text("reason"),
        error: Some(text("evaluationError")).filter(|error| !error.is_empty()),
    })
}

impl Question {
    fn verb(&self) -> &str {
        match &self.about {
            About::Path { verb, .. } => verb,
            About::Resource(attributes) => &attributes.verb,
        }
    }

    fn spec(&self) -> Result<Value, AccessError> {
        let mut spec = json!({"user": self.user, "groups": self.groups, "extra": self.extra});
        if !self.uid.is_empty() {
            spec["uid"] = self.uid.as_str().into();
        }
        match &self.about {
            About::Path { verb, path } => {
                spec["nonResourceAttributes"] = json!({"verb": verb, "path": path});
            }
            About::Resource(attributes) => spec["resourceAttributes"] = attributes.written()?,
        }
        Ok(
            json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}),
        )
    }
}

impl Attributes {
    fn written(&self) -> Result<Value, AccessError> {
        let texts = [
            ("verb", &self.verb),
            ("group", &self.group),
            ("version", &self.version),
            ("resource", &self.resource),
            ("subresource", &self.subresource),
            ("namespace", &self.namespace),
            ("name", &self.name),
        ];
        let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
        let mut written: Map<String, Value> =
            texts.map(|(key, text)| (key.to_owned(), text.as_str().into())).collect();
        // The server parses a raw selector itself, and answers as if there were none where it cannot.
        for (key, selector) in
            [("fieldSelector", &self.field_selector), ("labelSelector", &self.label_selector)]
        {
            if selector.split(',').count() > MAX_REQUIREMENTS {
                return Err(AccessError::Selector);
            }
            if !selector.is_empty() {
                written.insert(key.to_owned(), json!({"rawSelector": selector}));
            }
        }
        Ok(Value::Object(written))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_written_as_reviews() {
        #[track_caller]
        fn check(about: About, expected: Value) {
            let groups = vec!["g".to_owned()];
            let question =
                Question { user: "ann".to_owned(), groups, about, ..Question::default() };
            let mut spec = question.spec().unwrap()["spec"].clone();
            for key in ["user", "groups", "extra"] {
                spec.as_object_mut().unwrap().shift_remove(key).unwrap();
            }
            assert_eq!(spec, expected);
        }
        let text = |text: &str| text.to_owned();
        check(
            About::Path { verb: text("get"), path: text("/healthz") },
            json!({"nonResourceAttributes": {"verb": "get", "path": "/healthz"}}),
        );
        let attributes = Attributes {
            verb: text("list"),
            resource: text("pods"),
            namespace: text("shop"),
            field_selector: text("spec.nodeName=a"),
            label_selector: text("app in (a,b)"),
            ..Attributes::default()
        };
        check(
            About::Resource(Box::new(attributes.clone())),
            json!({"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "shop",
                "fieldSelector": {"rawSelector": "spec.nodeName=a"},
                "labelSelector": {"rawSelector": "app in (a,b)"}}}),
        );
        let endless = Attributes { label_selector: "a,".repeat(MAX_REQUIREMENTS), ..attributes };
        let about = About::Resource(Box::new(endless));
        let refused = Question { about, ..Question::default() }.spec();
        assert!(matches!(refused, Err(AccessError::Selector)));
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_not_waited_for() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let config = kube::Config::new(url.parse().unwrap());
        let connection = Connection {
            client: kube::Client::try_from(config).unwrap(),
            url,
            uid: String::new(),
            version: String::new(),
            name: None,
        };
        let asked = review(&connection, &Question::default(), Duration::from_millis(50)).await;
        assert!(matches!(asked, Err(AccessError::Timeout { .. })), "{asked:?}");
    }

    #[test]
    fn answers_are_read() {
        #[track_caller]
        fn check(status: Value, expected: Option<(bool, bool, &str, Option<&str>)>) {
            let access = read(&json!({"status": status}));
            let told = access.as_ref().map(|access| {
                (access.allowed, access.denied, access.reason.as_str(), access.error.as_deref())
            });
            assert_eq!(told, expected);
        }
        check(json!({"allowed": true, "reason": "r"}), Some((true, false, "r", None)));
        check(json!({"allowed": false, "denied": true}), Some((false, true, "", None)));
        check(
            json!({"allowed": false, "evaluationError": "no role"}),
            Some((false, false, "", Some("no role"))),
        );
        check(json!({}), None);
        check(Value::Null, None);
    }
}
