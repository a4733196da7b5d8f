//! What users' policies want to know of the API server's authorizer, asked for the user of a request.
use seawall_cluster::Connection;
use seawall_cluster::access::{self, About, Access, AccessError, Attributes};
use seawall_posture::admission::{Authorization, Question, Subject};
use serde_json::Value;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

/// Makes one check within a time.
pub type Authorizer = Box<
    dyn Fn(
            access::Question,
            Duration,
        ) -> Pin<Box<dyn Future<Output = Result<Access, AccessError>> + Send>>
        + Send
        + Sync,
>;

/// The cluster's own.
pub(super) fn authorizer(connection: Connection) -> Authorizer {
    Box::new(move |question, within| {
        let connection = connection.clone();
        Box::pin(async move { access::review(&connection, &question, within).await })
    })
}

/// The question about the request's user, who is `userInfo` of its review, or about the account that a policy names.
/// Source: k8s.io/apiserver `pkg/cel/library/authz.go`; an account that nobody signed in as is not `system:authenticated`.
pub(super) fn question(asked: &Question, user_info: &Value) -> access::Question {
    let about = about(asked);
    if let Some((namespace, name)) = &asked.service_account {
        return access::Question {
            user: format!("system:serviceaccount:{namespace}:{name}"),
            groups: vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
            ],
            about,
            ..access::Question::default()
        };
    }
    let text = |key: &str| user_info[key].as_str().unwrap_or_default().to_owned();
    let extra = user_info["extra"].as_object().into_iter().flatten();
    access::Question {
        user: text("username"),
        groups: texts(&user_info["groups"]),
        uid: text("uid"),
        extra: extra.map(|(key, values)| (key.clone(), texts(values))).collect::<BTreeMap<_, _>>(),
        about,
    }
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn about(asked: &Question) -> About {
    let verb = asked.verb.clone();
    match &asked.about {
        Subject::Path(path) => About::Path { verb, path: path.clone() },
        Subject::Resource {
            group,
            resource,
            subresource,
            namespace,
            name,
            field_selector,
            label_selector,
        } => About::Resource(Box::new(Attributes {
            verb,
            group: group.clone(),
            version: "*".to_owned(),
            resource: resource.clone(),
            subresource: subresource.clone(),
            namespace: namespace.clone(),
            name: name.clone(),
            field_selector: field_selector.clone(),
            label_selector: label_selector.clone(),
        })),
    }
}

/// What policies see of an answer; `None` where time ran out, so that the policy is not judged.
pub(super) fn authorization(answer: Result<Access, AccessError>) -> Option<Authorization> {
    match answer {
        Ok(Access { allowed, reason, error, .. }) => Some(Authorization { allowed, reason, error }),
        Err(AccessError::Timeout { .. }) => None,
        Err(error) => {
            tracing::warn!(error = %error, "authorization check not made");
            let error = Some(error.to_string());
            Some(Authorization { allowed: false, reason: String::new(), error })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_is_asked_about() {
        let user = json!({"username": "ann", "uid": "7", "groups": ["dev", "system:authenticated"], "extra": {"scopes": ["a"]}});
        let asked = |service_account: Option<(&str, &str)>, about: Subject| {
            let service_account =
                service_account.map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
            question(&Question { service_account, verb: "get".to_owned(), about }, &user)
        };
        let own = asked(None, Subject::Path("/healthz".to_owned()));
        assert_eq!((own.user.as_str(), own.uid.as_str(), own.groups.len()), ("ann", "7", 2));
        assert_eq!(own.extra["scopes"], ["a"]);
        assert_eq!(own.about, About::Path { verb: "get".to_owned(), path: "/healthz".to_owned() });
        let account = asked(Some(("shop", "web")), Subject::Path("/".to_owned()));
        assert_eq!(account.user, "system:serviceaccount:shop:web");
        assert_eq!(account.groups, ["system:serviceaccounts", "system:serviceaccounts:shop"]);
        assert!(account.extra.is_empty() && account.uid.is_empty());
    }

    #[test]
    fn no_answer_is_no_permission() {
        let none = access::AccessError::NoStatus;
        let told = authorization(Err(none)).unwrap();
        assert!(!told.allowed && told.error.is_some());
        let late = AccessError::Timeout { verb: "get".to_owned(), within: Duration::ZERO };
        assert_eq!(authorization(Err(late)).map(|told| told.allowed), None);
    }
}
