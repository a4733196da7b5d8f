//! The corpus: documents, and the requests that are made of them.
use serde_json::{Value, json};
use std::path::Path;

/// Everything, in the order of its files.
pub(super) struct Corpus {
    /// Policies and bindings.
    pub(super) documents: Vec<Value>,
    /// Namespaces, definitions and params.
    pub(super) objects: Vec<Value>,
    pub(super) cases: Vec<Case>,
}

/// One request and the policy it is meant for.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) policy: String,
    pub(super) operation: String,
    pub(super) namespace: String,
    pub(super) object: Value,
    /// Name and groups; `None`: the administrator.
    pub(super) user: Option<(String, Vec<String>)>,
}

/// The user that may create ConfigMaps.
pub(super) const WRITERS: &str = "corpus:writers";

impl Corpus {
    pub(super) fn read() -> Self {
        let mut corpus = Self { documents: Vec::new(), objects: definitions(), cases: Vec::new() };
        let folder = crate::root().join("e2e/policies");
        let mut paths: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            corpus.file(&path);
        }
        corpus.functions();
        corpus
    }

    fn file(&mut self, path: &Path) {
        let theme = path.file_stem().unwrap().to_str().unwrap();
        self.objects.push(namespace(theme));
        let text = std::fs::read_to_string(path).unwrap();
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        let (cases, documents): (Vec<_>, Vec<_>) =
            documents.into_iter().partition(|document| document["kind"] == "Case");
        let mut policies = Vec::new();
        let mut bound = Vec::new();
        for mut document in documents {
            match document["kind"].as_str() {
                Some("ValidatingAdmissionPolicy") => {
                    policies.push(name(&document).to_owned());
                    self.documents.push(document);
                }
                Some("ValidatingAdmissionPolicyBinding") => {
                    bound.push(document["spec"]["policyName"].as_str().unwrap().to_owned());
                    self.documents.push(document);
                }
                _ => {
                    if document["metadata"]["namespace"].is_null()
                        && document["kind"] == "ConfigMap"
                    {
                        document["metadata"]["namespace"] = json!(theme);
                    }
                    self.objects.push(document);
                }
            }
        }
        for policy in &policies {
            if !bound.contains(policy) {
                self.documents.push(binding(policy));
            }
            self.isolate(policy, theme);
            if !cases.iter().any(|case| case["policy"] == **policy) && theme != "refused" {
                self.cases.push(case(policy, theme, &json!({})));
            }
        }
        for written in &cases {
            self.cases.push(case(written["policy"].as_str().unwrap(), theme, written));
        }
    }

    /// A binding that says nothing about objects is only about its own case's.
    fn isolate(&mut self, policy: &str, theme: &str) {
        for document in &mut self.documents {
            if document["spec"]["policyName"] == policy {
                let matched = &mut document["spec"]["matchResources"];
                if matched["objectSelector"].is_null() {
                    matched["objectSelector"] = json!({"matchLabels": {"case": policy}});
                }
                let cluster = policy.ends_with("-cluster") || policy.ends_with("-new-namespace");
                if matched["namespaceSelector"].is_null() && !cluster {
                    matched["namespaceSelector"] = json!({"matchLabels": {"corpus": theme}});
                }
            }
        }
    }

    /// Every expression whose value is known becomes the message of a policy.
    fn functions(&mut self) {
        self.objects.push(namespace("functions"));
        let folder = crate::root().join("crates/cel/tests/functions");
        let mut paths: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths.iter().filter(|path| !path.ends_with("versions.jsonl")) {
            let library = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(path).unwrap();
            for (at, line) in text.lines().enumerate() {
                let row: Value = serde_json::from_str(line).unwrap();
                let expression = row["expr"].as_str().unwrap();
                if expression.contains('`') {
                    continue; // ANTLR tells more of what could have stood in the call around it.
                }
                let name = format!("fn-{library}-{at}");
                self.documents.push(function(&name, expression));
                self.documents.push(binding(&name));
                self.isolate(&name, "functions");
                self.cases.push(case(&name, "functions", &json!({})));
            }
        }
    }
}

pub(super) fn name(document: &Value) -> &str {
    document["metadata"]["name"].as_str().unwrap()
}

fn function(name: &str, expression: &str) -> Value {
    let mut validation = json!({"expression": format!("dyn({expression}) == dyn('never')")});
    if !expression.contains("authorizer") {
        validation["messageExpression"] = json!(format!("'%s'.format([{expression}])"));
    }
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name}, "spec": {"validations": [validation],
            "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"],
                "operations": ["*"], "resources": ["configmaps"]}]}}})
}

fn binding(policy: &str) -> Value {
    json!({"apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": policy},
        "spec": {"policyName": policy, "validationActions": ["Deny"]}})
}

fn case(policy: &str, namespace: &str, written: &Value) -> Case {
    let operation = written["operation"].as_str().unwrap_or("CREATE").to_owned();
    let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": policy},
        "data": {"n": "3", "text": "web", "empty": "", "bad": "("}});
    merge(&mut object, &written["object"]);
    object["metadata"]["labels"]["case"] = json!(policy);
    let in_cluster = matches!(object["kind"].as_str(), Some("Namespace" | "Limit"));
    if !in_cluster {
        object["metadata"]["namespace"] = json!(namespace);
    }
    if object["kind"] != "ConfigMap" {
        object.as_object_mut().unwrap().remove("data");
    }
    let user = written["user"]["name"].as_str().map(|name| {
        let groups = written["user"]["groups"].as_array().unwrap();
        (name.to_owned(), groups.iter().map(|group| group.as_str().unwrap().to_owned()).collect())
    });
    let namespace = if in_cluster { String::new() } else { namespace.to_owned() };
    Case { policy: policy.to_owned(), operation, namespace, object, user }
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (_, Value::Null) => {}
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": name, "labels": {"corpus": name}}})
}

/// Kinds the corpus has of its own, and what its user may do.
fn definitions() -> Vec<Value> {
    let kind = |kind: &str, plural: &str, scope: &str| {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.corpus.test")},
            "spec": {"group": "corpus.test", "scope": scope,
                "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase()},
                "versions": [{"name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object",
                        "x-kubernetes-preserve-unknown-fields": true}}}]}})
    };
    let rules = json!([{"apiGroups": ["", "corpus.test"], "resources": ["configmaps", "things"],
        "verbs": ["create", "update", "delete", "get", "list"]}]);
    vec![
        kind("Thing", "things", "Namespaced"),
        kind("Limit", "limits", "Cluster"),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": WRITERS}, "rules": rules}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": WRITERS},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": WRITERS},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": WRITERS}]}),
    ]
}
