//! Google's audit log entries rewritten as records of `audit.k8s.io`.
//! Source: `google.cloud.audit.AuditLog` and GKE's "Audit logging" page; fields in either spelling of `callerIp`.
use super::form::Around;
use crate::clock::parse_time;
use serde_json::{Map, Value, json};

/// By gRPC code. Source: `google.rpc.Code`, "HTTP Mapping".
const HTTP_CODES: [u16; 17] =
    [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/// The record, or `None` where the entry is of another service than Kubernetes.
pub(super) fn rewrite(entry: &Map<String, Value>) -> Option<(Map<String, Value>, Around)> {
    let payload = entry.get("protoPayload")?;
    let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str);
    let method = text("/methodName")?;
    match text("/serviceName") {
        Some(service) if service != "k8s.io" => return None,
        None if !method.starts_with("io.k8s.") => return None,
        _ => {}
    }
    let call = Call::read(method, text("/resourceName").unwrap_or_default())?;
    let mut record = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            record.insert(key.to_owned(), value);
        }
    };
    let metadata = |wanted: &str| {
        let found = payload.get("requestMetadata")?.as_object()?.iter();
        found.filter(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value).next()
    };
    set("kind", Some("Event".into()));
    set("apiVersion", Some("audit.k8s.io/v1".into()));
    set("auditID", entry.get("insertId").cloned());
    set("verb", Some(call.verb.into()));
    let who = ["principalEmail", "principalSubject"];
    let who = who.iter().find_map(|key| payload.get("authenticationInfo")?.get(key));
    set("user", who.map(|name| json!({"username": name})));
    set("sourceIPs", metadata("callerIp").map(|address| json!([address])));
    set("userAgent", metadata("callerSuppliedUserAgent").cloned());
    set("responseStatus", status(payload, &call));
    set("annotations", annotations(entry, payload));
    set("requestObject", payload.get("request").cloned());
    set("responseObject", payload.get("response").cloned());
    let times = [entry.get("timestamp"), entry.get("receiveTimestamp")];
    let around = Around {
        cluster: entry
            .get("resource")
            .and_then(|resource| resource.pointer("/labels/cluster_name")?.as_str())
            .map(str::to_owned),
        time_ns: times.into_iter().flatten().find_map(|time| parse_time(time.as_str()?)),
    };
    set("objectRef", Some(call.object()));
    Some((record, around))
}

fn status(payload: &Value, call: &Call<'_>) -> Option<Value> {
    let code = match payload.get("status").and_then(|status| status.get("code")) {
        None | Some(Value::Null) => 0,
        Some(code) => code.as_u64()?,
    };
    let code = match code {
        0 if matches!(call.subresource, Some("exec" | "attach" | "portforward")) => 101,
        0 if call.verb == "create" => 201,
        // Some entries carry the HTTP code as it is.
        100.. => u16::try_from(code).ok()?,
        grpc => *HTTP_CODES.get(usize::try_from(grpc).ok()?)?,
    };
    let reason = (code == 403).then_some("Forbidden");
    let message = payload.pointer("/status/message");
    Some(json!({"code": code, "reason": reason, "message": message}))
}

/// The API server's own annotations are the entry's labels; without them the permissions decide.
fn annotations(entry: &Map<String, Value>, payload: &Value) -> Option<Value> {
    let mut annotations =
        entry.get("labels").and_then(Value::as_object).cloned().unwrap_or_default();
    let granted = payload.get("authorizationInfo").and_then(Value::as_array).map(|asked| {
        asked.iter().all(|one| one.get("granted").and_then(Value::as_bool).unwrap_or(false))
    });
    if let Some(granted) = granted {
        let decision = if granted { "allow" } else { "forbid" };
        annotations.entry("authorization.k8s.io/decision").or_insert(decision.into());
    }
    (!annotations.is_empty()).then_some(annotations.into())
}

/// What was called: `io.k8s.core.v1.pods.exec.create` on `core/v1/namespaces/default/pods/web/exec`.
struct Call<'m> {
    group: String,
    version: &'m str,
    resource: &'m str,
    subresource: Option<&'m str>,
    verb: &'m str,
    namespace: Option<&'m str>,
    name: Option<&'m str>,
}

impl<'m> Call<'m> {
    /// Group, version and kind of call from the method, place and name from the resource name.
    fn read(method: &'m str, resource_name: &'m str) -> Option<Self> {
        let parts: Vec<&str> = method.split('.').collect();
        let at = parts.iter().position(|part| is_version(part))?;
        let [resource, between @ .., verb] = parts.get(at + 1..)? else { return None };
        let path: Vec<&str> = resource_name.split('/').collect();
        // The resource name spells the group as it is; `core` stands for none.
        let group = match path.first().filter(|group| path.len() > 2 && !group.is_empty()) {
            Some(group) => (*group).to_owned(),
            None => reversed(&parts[..at]),
        };
        let after = |word: &str| {
            let at = path.iter().skip(2).position(|part| *part == word)? + 2;
            path.get(at + 1).copied().filter(|part| !part.is_empty())
        };
        Some(Self {
            group: if group == "core" { String::new() } else { group },
            version: parts[at],
            resource,
            subresource: between.first().copied(),
            verb,
            namespace: after("namespaces"),
            name: after(resource),
        })
    }

    fn object(&self) -> Value {
        json!({
            "apiGroup": self.group,
            "apiVersion": self.version,
            "resource": self.resource,
            "subresource": self.subresource,
            "namespace": self.namespace,
            "name": self.name,
        })
    }
}

/// `v1`, `v2beta1`.
fn is_version(part: &str) -> bool {
    let Some(rest) = part.strip_prefix('v') else { return false };
    let letters = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    letters.len() < rest.len()
        && (letters.is_empty()
            || ["alpha", "beta"].iter().any(|word| {
                letters.strip_prefix(word).is_some_and(|rest| rest.parse::<u8>().is_ok())
            }))
}

/// `io.k8s.apps` is the group `apps`, `io.k8s.networking` is `networking.k8s.io`, `com.example.stable` is
/// `stable.example.com`.
fn reversed(parts: &[&str]) -> String {
    const SHORT: [&str; 6] = ["core", "apps", "batch", "autoscaling", "policy", "extensions"];
    match parts {
        ["io", "k8s", group] if SHORT.contains(group) => (*group).to_owned(),
        // As Google abbreviates it in entries without a resource name.
        ["io", "k8s", "rbac"] => "rbac.authorization.k8s.io".to_owned(),
        parts => parts.iter().rev().copied().collect::<Vec<_>>().join("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `group/version resource/subresource verb namespace name`.
    #[track_caller]
    fn check(method: &str, resource_name: &str, expected: &str) {
        let found = Call::read(method, resource_name).map_or("none".to_owned(), |call| {
            let or = |text: Option<&str>| text.unwrap_or("-").to_owned();
            format!(
                "{}/{} {}/{} {} {} {}",
                call.group,
                call.version,
                call.resource,
                or(call.subresource),
                call.verb,
                or(call.namespace),
                or(call.name)
            )
        });
        assert_eq!(found, expected, "{method} {resource_name}");
    }

    #[test]
    fn methods_name_what_was_called() {
        check(
            "io.k8s.core.v1.pods.create",
            "core/v1/namespaces/default/pods/test",
            "/v1 pods/- create default test",
        );
        check(
            "io.k8s.core.v1.pods.exec.create",
            "core/v1/namespaces/default/pods/web/exec",
            "/v1 pods/exec create default web",
        );
        check(
            "io.k8s.rbac.v1.clusterrolebindings.create",
            "rbac.authorization.k8s.io/v1/clusterrolebindings/admin-binding",
            "rbac.authorization.k8s.io/v1 clusterrolebindings/- create - admin-binding",
        );
        check("io.k8s.apps.v1.deployments.list", "", "apps/v1 deployments/- list - -");
        check(
            "io.k8s.core.v1.namespaces.delete",
            "core/v1/namespaces/shop",
            "/v1 namespaces/- delete shop shop",
        );
        check(
            "com.example.stable.v1beta1.crontabs.patch",
            "",
            "stable.example.com/v1beta1 crontabs/- patch - -",
        );
        check(
            "v2.deploymentmanager.deployments.insert",
            "",
            "/v2 deploymentmanager/deployments insert - -",
        );
        check("google.container.v1beta.ClusterManager.CreateCluster", "", "none");
        check("io.k8s.core.v1", "", "none");
    }

    #[test]
    fn codes_and_decisions_are_kubernetes_own() {
        let read = |status: Value, granted: bool, verb: &str| {
            let entry = json!({"protoPayload": {
                "serviceName": "k8s.io",
                "methodName": format!("io.k8s.core.v1.pods.{verb}"),
                "status": status,
                "authorizationInfo": [{"granted": granted}],
                "requestMetadata": {"callerIP": "203.0.113.7"},
            }});
            let (record, _) = rewrite(entry.as_object().unwrap()).unwrap();
            assert_eq!(record["sourceIPs"], json!(["203.0.113.7"]));
            let decision = record["annotations"]["authorization.k8s.io/decision"].clone();
            let status = record.get("responseStatus").cloned().unwrap_or_default();
            (status["code"].clone(), decision)
        };
        assert_eq!(read(json!(null), true, "create"), (json!(201), json!("allow")));
        assert_eq!(read(json!({}), true, "get"), (json!(200), json!("allow")));
        assert_eq!(read(json!({"code": 7}), false, "create"), (json!(403), json!("forbid")));
        assert_eq!(read(json!({"code": 409}), true, "create"), (json!(409), json!("allow")));
        assert_eq!(read(json!({}), true, "exec.create"), (json!(101), json!("allow")));
        assert_eq!(read(json!({"code": 55}), true, "get"), (json!(null), json!("allow")));
    }

    #[test]
    fn other_services_are_foreign() {
        for payload in [
            json!({"serviceName": "deploymentmanager.googleapis.com", "methodName": "io.k8s.core.v1.pods.create"}),
            json!({"methodName": "v2.deploymentmanager.deployments.insert"}),
            json!({"serviceName": "k8s.io"}),
        ] {
            let entry = json!({"protoPayload": payload});
            assert!(rewrite(entry.as_object().unwrap()).is_none(), "{entry}");
        }
    }
}
