//! Files that the API server is pointed to, reduced to what controls ask: which provider encrypts Secrets, what the
//! audit policy logs, whom the authentication configuration lets in unnamed. Keys, users and URLs stay behind.
//! Source: Kubernetes 1.36 `apiserver/pkg/server/options/encryptionconfig/config.go`, `apiserver/pkg/audit/policy/checker.go`,
//! `apiserver/pkg/apis/apiserver/v1/types.go`.
use seawall_model::facts::{Anonymous, AuditPolicy, EncryptedResources, Encryption};
use serde_json::Value;
use std::collections::BTreeMap;

/// Entries of any one list that are looked at; hand-written files have tens.
const MAX_ENTRIES: usize = 1000;
/// Provider names that Kubernetes knows; anything else in that place is no name.
const PROVIDERS: &[&str] = &["aescbc", "aesgcm", "identity", "kms", "secretbox"];

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten().take(MAX_ENTRIES)
}

fn texts<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    list(value, key).filter_map(Value::as_str)
}

/// Of an `EncryptionConfiguration`.
pub fn encryption(document: &Value) -> Encryption {
    let entry = |entry: &Value| EncryptedResources {
        resources: texts(entry, "resources").map(str::to_owned).collect(),
        providers: list(entry, "providers")
            .map(|provider| {
                let named = |name: &&&str| provider.get(**name).is_some();
                PROVIDERS.iter().find(named).copied().unwrap_or("unknown").to_owned()
            })
            .collect(),
    };
    let resources: Vec<EncryptedResources> = list(document, "resources").map(entry).collect();
    // Earlier entries mask later ones.
    let covers = |entry: &&EncryptedResources| {
        entry.resources.iter().any(|name| matches!(name.as_str(), "secrets" | "*." | "*.*"))
    };
    let provider = resources.iter().find(covers).and_then(|entry| entry.providers.first());
    let secrets_provider = provider.map_or("none", String::as_str).to_owned();
    Encryption { resources, secrets_provider }
}

/// Requests whose level controls ask for: name, verb, group, resource, subresource.
const ASKED: &[(&str, &str, &str, &str, &str)] = &[
    ("secrets", "get", "", "secrets", ""),
    ("configmaps", "get", "", "configmaps", ""),
    ("tokenreviews", "create", "authentication.k8s.io", "tokenreviews", ""),
    ("pods", "create", "", "pods", ""),
    ("deployments", "create", "apps", "deployments", ""),
    ("rolebindings", "create", "rbac.authorization.k8s.io", "rolebindings", ""),
    ("clusterrolebindings", "create", "rbac.authorization.k8s.io", "clusterrolebindings", ""),
    ("pods/exec", "create", "", "pods", "exec"),
    ("pods/attach", "create", "", "pods", "attach"),
    ("pods/portforward", "create", "", "pods", "portforward"),
    ("pods/proxy", "get", "", "pods", "proxy"),
    ("services/proxy", "get", "", "services", "proxy"),
];

/// Of an audit `Policy`.
pub fn audit_policy(document: &Value) -> AuditPolicy {
    let rules: Vec<&Value> = list(document, "rules").collect();
    let level = |asked: &(&str, &str, &str, &str, &str)| {
        let rule = rules.iter().find(|rule| answers(rule, asked));
        rule.and_then(|rule| rule.get("level")).and_then(Value::as_str).unwrap_or("None").to_owned()
    };
    let levels: BTreeMap<String, String> =
        ASKED.iter().map(|asked| (asked.0.to_owned(), level(asked))).collect();
    AuditPolicy { rules: rules.len() as u64, levels }
}

/// Whether the rule decides such requests of anybody, in any namespace, of any name.
fn answers(rule: &Value, asked: &(&str, &str, &str, &str, &str)) -> bool {
    let (_, verb, group, resource, subresource) = *asked;
    let holds = |key: &str| list(rule, key).next().is_some();
    if ["users", "userGroups", "namespaces"].into_iter().any(holds) {
        return false;
    }
    if holds("verbs") && !texts(rule, "verbs").any(|own| own == verb) {
        return false;
    }
    if !holds("resources") {
        return !holds("nonResourceURLs");
    }
    let combined = match subresource {
        "" => resource.to_owned(),
        _ => format!("{resource}/{subresource}"),
    };
    list(rule, "resources").any(|kind| {
        let own = kind.get("group").and_then(Value::as_str).unwrap_or_default();
        let mut names = texts(kind, "resources").peekable();
        let named = |name: &str| {
            name == "*"
                || name == combined
                || !subresource.is_empty() && name.strip_prefix("*/") == Some(subresource)
                || name.strip_suffix("/*") == Some(resource)
        };
        (own == group || own == "*")
            && list(kind, "resourceNames").next().is_none()
            && (names.peek().is_none() || names.any(named))
    })
}

/// Of an `AuthenticationConfiguration`; `None` where it leaves anonymous requests to the flag.
pub fn anonymous(document: &Value) -> Option<Anonymous> {
    let anonymous = document.get("anonymous").filter(|section| section.is_object())?;
    let path = |condition: &Value| condition.get("path").and_then(Value::as_str).map(str::to_owned);
    Some(Anonymous {
        enabled: anonymous.get("enabled").and_then(Value::as_bool).unwrap_or_default(),
        paths: list(anonymous, "conditions").filter_map(path).collect(),
    })
}

/// Of an `AuthorizationConfiguration`: the types in order.
pub fn authorizers(document: &Value) -> Vec<String> {
    let kind =
        |authorizer: &Value| authorizer.get("type").and_then(Value::as_str).map(str::to_owned);
    list(document, "authorizers").filter_map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_provider_writes() {
        let check = |resources: Value, expected: &str| {
            let found = encryption(&json!({"resources": resources}));
            assert_eq!(found.secrets_provider, expected);
            assert!(
                !serde_json::to_string(&found).unwrap().contains("c2VjcmV0"),
                "a key travelled"
            );
        };
        let key = json!({"keys": [{"name": "k", "secret": "c2VjcmV0"}]});
        check(
            json!([{"resources": ["secrets"], "providers": [{"aescbc": key}, {"identity": {}}]}]),
            "aescbc",
        );
        check(
            json!([{"resources": ["secrets"], "providers": [{"identity": {}}, {"aescbc": key}]}]),
            "identity",
        );
        check(json!([{"resources": ["configmaps"], "providers": [{"kms": {}}]}]), "none");
        check(
            json!([{"resources": ["*.*"], "providers": [{"kms": {}}]},
                   {"resources": ["secrets"], "providers": [{"identity": {}}]}]),
            "kms",
        );
        check(json!([]), "none");
    }

    #[track_caller]
    fn level(rules: Value, of: &str, expected: &str) {
        assert_eq!(audit_policy(&json!({"rules": rules})).levels[of], expected, "{of}");
    }

    #[test]
    fn the_first_rule_for_anybody_decides() {
        level(json!([{"level": "Metadata"}]), "secrets", "Metadata");
        level(json!([]), "secrets", "None");
        level(
            json!([{"level": "None", "users": ["system:kube-proxy"]}, {"level": "Request"}]),
            "pods",
            "Request",
        );
        level(
            json!([{"level": "None", "verbs": ["watch"]}, {"level": "Metadata"}]),
            "secrets",
            "Metadata",
        );
        let secrets = json!([{"level": "None", "resources": [{"resources": ["secrets"]}]}, {"level": "Metadata"}]);
        level(secrets.clone(), "secrets", "None");
        level(secrets, "configmaps", "Metadata");
        let exec = json!([{"level": "Metadata", "resources": [{"resources": ["pods"]}]},
                          {"level": "Request", "resources": [{"resources": ["pods/*"]}]}]);
        level(exec, "pods/exec", "Request");
        level(json!([{"level": "Metadata", "nonResourceURLs": ["/api*"]}]), "pods", "None");
    }

    #[test]
    fn who_may_be_unnamed() {
        let health = json!({"anonymous": {"enabled": true, "conditions": [{"path": "/livez"}]}});
        let expected = Anonymous { enabled: true, paths: vec!["/livez".to_owned()] };
        assert_eq!(anonymous(&health), Some(expected));
        assert_eq!(anonymous(&json!({"jwt": []})), None);
        let types = json!({"authorizers": [{"type": "Node"}, {"type": "Webhook", "webhook": {}}]});
        assert_eq!(authorizers(&types), ["Node", "Webhook"]);
    }
}
