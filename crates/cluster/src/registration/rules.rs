//! Which requests the API server asks us about: what is wanted, down to resources that are served, without those that
//! are never asked about and those that the chart's entry brings already.
use crate::discovery::Resource;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Resources of one entry; a cluster with 2,000 definitions and their subresources has fewer, at 60 bytes each a
/// quarter of a mebibyte of the 1.5 that etcd takes.
const MAX_RESOURCES: usize = 4_000;
const OPERATIONS: [&str; 4] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

/// (group, resource) that are never asked about; `*` stands for every resource of the group. The agent's engine passes
/// them unjudged as well: this keeps the API server from asking at all.
const NEVER: [(&str, &str); 11] = [
    // Refusing these would lock out whoever wants to remove the webhook.
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    // Leader elections and node heartbeats.
    ("coordination.k8s.io", "leases"),
    ("", "events"),
    ("events.k8s.io", "events"),
    // Questions, not objects.
    ("authentication.k8s.io", "*"),
    ("authorization.k8s.io", "*"),
    // The scheduler's word; the pod itself has been judged.
    ("", "bindings"),
    ("", "pods/binding"),
    // Their values never leave the API server.
    ("", "secrets"),
    ("", "serviceaccounts/token"),
];

/// Objects of which scope a rule is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    #[default]
    All,
    Namespaced,
    Cluster,
}

/// Requests that somebody wants to judge: `RuleWithOperations` of `admissionregistration.k8s.io/v1`, or the kinds that a
/// Gatekeeper constraint names. `*` stands for all in every list.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// The core group is empty.
    pub groups: Vec<String>,
    pub versions: Vec<String>,
    /// `pods`, `pods/exec`, `*`, `*/*`, `pods/*`, `*/scale`.
    pub resources: Vec<String>,
    /// `Pod`; beside `resources`.
    pub kinds: Vec<String>,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`.
    pub operations: Vec<String>,
    pub scope: Scope,
}

/// What stands in the entry for what is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Resolved {
    /// As `rules` of a webhook, in an order of their own.
    pub(super) rules: Vec<Value>,
    /// Wanted by name and never asked about, or too many.
    pub(super) problems: Vec<String>,
}

/// Requests for one resource.
#[derive(Default)]
struct Asked {
    versions: BTreeSet<String>,
    operations: BTreeSet<&'static str>,
    namespaced: bool,
}

/// `first` is the entry whose rules are there already.
pub(super) fn resolve(wanted: &[Rule], served: &[Resource], first: &Value) -> Resolved {
    let mut asked: BTreeMap<(&str, String), Asked> = BTreeMap::new();
    let mut problems = BTreeSet::new();
    for rule in wanted {
        for resource in served.iter().filter(|resource| rule.may_be_about(resource)) {
            for name in names(resource).filter(|name| rule.names(resource, name)) {
                if is_never(&resource.group, &name) {
                    if rule.resources.contains(&name) || rule.kinds.contains(&resource.kind) {
                        problems.insert(refusal(&resource.group, &name));
                    }
                    continue;
                }
                if asked.len() >= MAX_RESOURCES {
                    problems.insert(format!("only the first {MAX_RESOURCES} resources are judged"));
                    break;
                }
                let versions = rule.versions_of(resource);
                let operations = rule.operations().filter(|operation| {
                    !covers(
                        first,
                        &resource.group,
                        &versions,
                        &name,
                        operation,
                        resource.namespaced,
                    )
                });
                let operations: Vec<&str> = operations.collect();
                if !operations.is_empty() {
                    let asked = asked.entry((&resource.group, name)).or_default();
                    asked.versions.extend(versions);
                    asked.operations.extend(operations);
                    asked.namespaced = resource.namespaced;
                }
            }
        }
    }
    Resolved { rules: written(asked), problems: problems.into_iter().collect() }
}

fn refusal(group: &str, name: &str) -> String {
    let why = match (group, name) {
        ("", "secrets" | "serviceaccounts/token") => "their values never leave the API server",
        (_, name) if name.ends_with("/status") => "controllers write it, and must never be held up",
        _ => "a refusal there could stop the cluster itself",
    };
    format!("requests for {} are not judged: {why}", full(group, name))
}

/// `RESOURCE.GROUP`
fn full(group: &str, name: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

/// The resource itself where objects of it can be written, and its subresources.
fn names(resource: &Resource) -> impl Iterator<Item = String> {
    let own = resource.writable.then(|| resource.plural.clone());
    let below = resource.subresources.iter();
    own.into_iter().chain(below.map(|sub| format!("{}/{sub}", resource.plural)))
}

fn is_never(group: &str, name: &str) -> bool {
    let (resource, subresource) = name.split_once('/').unwrap_or((name, ""));
    let row = |(own, never): &(&str, &str)| {
        *own == group && (*never == "*" || *never == name || *never == resource)
    };
    subresource == "status" || NEVER.iter().any(row)
}

fn any(list: &[String], wanted: &str) -> bool {
    list.iter().any(|entry| entry == "*" || entry == wanted)
}

/// Whether one of a rule's `resources` means `name`. Source: k8s.io/apiserver
/// `admission/plugin/webhook/predicates/rules/rules.go`, 1.36.
fn means(entry: &str, name: &str) -> bool {
    let (resource, subresource) = name.split_once('/').unwrap_or((name, ""));
    // `pods/*` means pods too: no subresource is one of all.
    let (own, below) = entry.split_once('/').unwrap_or((entry, ""));
    (own == "*" || own == resource) && (below == "*" || below == subresource)
}

impl Rule {
    fn may_be_about(&self, resource: &Resource) -> bool {
        let scoped = match self.scope {
            Scope::All => true,
            Scope::Namespaced => resource.namespaced,
            Scope::Cluster => !resource.namespaced,
        };
        scoped && any(&self.groups, &resource.group) && !self.versions_of(resource).is_empty()
    }

    /// By a kind, objects are meant, and the containers that are added to a running pod.
    fn names(&self, resource: &Resource, name: &str) -> bool {
        let object = !name.contains('/') || name == "pods/ephemeralcontainers";
        self.resources.iter().any(|entry| means(entry, name))
            || object && any(&self.kinds, &resource.kind)
    }

    fn versions_of(&self, resource: &Resource) -> Vec<String> {
        resource.versions.iter().filter(|version| any(&self.versions, version)).cloned().collect()
    }

    fn operations(&self) -> impl Iterator<Item = &'static str> {
        OPERATIONS.into_iter().filter(|operation| any(&self.operations, operation))
    }
}

/// Whether `first` brings these requests already. With `Equivalent`, one version of a resource brings all.
fn covers(
    first: &Value,
    group: &str,
    versions: &[String],
    name: &str,
    operation: &str,
    namespaced: bool,
) -> bool {
    let equivalent = first["matchPolicy"] != "Exact";
    let rules = first["rules"].as_array().into_iter().flatten();
    rules.into_iter().any(|rule| {
        let words =
            |key: &str| rule[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        let has = |key: &str, wanted: &str| words(key).any(|word| word == "*" || word == wanted);
        let scope = match rule["scope"].as_str() {
            Some("Namespaced") => namespaced,
            Some("Cluster") => !namespaced,
            _ => true,
        };
        scope
            && has("apiGroups", group)
            && (equivalent || versions.iter().all(|version| has("apiVersions", version)))
            && has("operations", operation)
            && words("resources").any(|entry| means(entry, name))
    })
}

/// How resources are asked about.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Manner<'a> {
    group: &'a str,
    namespaced: bool,
    versions: Vec<String>,
    operations: Vec<&'static str>,
}

/// One rule for all resources of a group that are asked about in the same way.
fn written(asked: BTreeMap<(&str, String), Asked>) -> Vec<Value> {
    let mut rules: BTreeMap<Manner<'_>, Vec<String>> = BTreeMap::new();
    for ((group, name), asked) in asked {
        // In the order of their names in every other rule.
        let operations = OPERATIONS.into_iter().filter(|one| asked.operations.contains(one));
        let manner = Manner {
            group,
            namespaced: asked.namespaced,
            versions: asked.versions.into_iter().collect(),
            operations: operations.collect(),
        };
        rules.entry(manner).or_default().push(name);
    }
    let rule = |(manner, resources): (Manner<'_>, Vec<String>)| {
        let scope = if manner.namespaced { "Namespaced" } else { "Cluster" };
        json!({"apiGroups": [manner.group], "apiVersions": manner.versions,
            "operations": manner.operations, "resources": resources, "scope": scope})
    };
    rules.into_iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(words: &str) -> Vec<String> {
        let words = words.split(' ').filter(|word| !word.is_empty());
        words.map(|word| if word == "core" { String::new() } else { word.to_owned() }).collect()
    }

    /// Each part is words; `core` stands for the core group.
    fn rule(groups: &str, versions: &str, resources: &str, operations: &str) -> Rule {
        Rule {
            groups: owned(groups),
            versions: owned(versions),
            resources: owned(resources),
            operations: owned(operations),
            ..Rule::default()
        }
    }

    fn served() -> Vec<Resource> {
        let one =
            |group: &str, versions: &str, kind: &str, plural: &str, below: &str, namespaced| {
                Resource {
                    group: group.to_owned(),
                    versions: owned(versions),
                    kind: kind.to_owned(),
                    plural: plural.to_owned(),
                    subresources: owned(below),
                    namespaced,
                    writable: plural != "componentstatuses",
                    listable: true,
                }
            };
        vec![
            one("", "v1", "Pod", "pods", "status exec binding ephemeralcontainers", true),
            one("", "v1", "Secret", "secrets", "", true),
            one("", "v1", "Service", "services", "status", true),
            one("", "v1", "Event", "events", "", true),
            one("", "v1", "ComponentStatus", "componentstatuses", "", false),
            one("", "v1", "Namespace", "namespaces", "status finalize", false),
            one("apps", "v1", "Deployment", "deployments", "status scale", true),
            one("example.com", "v1 v2", "Widget", "widgets", "scale", true),
            one("coordination.k8s.io", "v1", "Lease", "leases", "", true),
            one(
                "authorization.k8s.io",
                "v1",
                "SubjectAccessReview",
                "subjectaccessreviews",
                "",
                false,
            ),
            one(
                "admissionregistration.k8s.io",
                "v1",
                "ValidatingWebhookConfiguration",
                "validatingwebhookconfigurations",
                "",
                false,
            ),
        ]
    }

    fn first() -> Value {
        json!({"matchPolicy": "Equivalent", "rules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
             "resources": ["pods", "pods/ephemeralcontainers"], "scope": "Namespaced"},
            {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
             "resources": ["deployments"], "scope": "Namespaced"},
        ]})
    }

    /// Each rule as `GROUP VERSIONS OPERATIONS RESOURCES SCOPE`.
    #[track_caller]
    fn check(wanted: &[Rule], expected: &[&str], problems: usize) {
        let resolved = resolve(wanted, &served(), &first());
        let words = |rule: &Value, key: &str| {
            let words = rule[key].as_array().unwrap().iter();
            words.map(|word| word.as_str().unwrap()).collect::<Vec<_>>().join(",")
        };
        let told: Vec<String> = resolved
            .rules
            .iter()
            .map(|rule| {
                let keys = ["apiGroups", "apiVersions", "operations", "resources"];
                let parts: Vec<String> = keys.iter().map(|key| words(rule, key)).collect();
                format!("{} {}", parts.join(" "), rule["scope"].as_str().unwrap())
            })
            .collect();
        assert_eq!(told, expected);
        assert_eq!(resolved.problems.len(), problems, "{:?}", resolved.problems);
        assert!(!serde_json::to_string(&resolved.rules).unwrap().contains('*'));
    }

    #[test]
    fn what_is_wanted_is_named_and_only_once() {
        check(&[], &[], 0);
        check(&[rule("core", "v1", "pods", "CREATE UPDATE")], &[], 0);
        check(&[rule("core", "v1", "pods", "CREATE DELETE")], &[" v1 DELETE pods Namespaced"], 0);
        check(&[rule("core", "v1", "services", "CREATE")], &[" v1 CREATE services Namespaced"], 0);
        check(&[rule("core", "v2", "services", "CREATE")], &[], 0);
        check(&[rule("example.org", "v1", "gadgets", "CREATE")], &[], 0);
        // Several wishes for one resource are one rule; equal ones share theirs.
        check(
            &[
                rule("core", "v1", "services", "UPDATE"),
                rule("core", "v1", "services namespaces", "CREATE"),
                rule("example.com", "v1", "widgets", "CREATE"),
                rule("example.com", "v2", "widgets", "CREATE"),
            ],
            &[
                " v1 CREATE namespaces Cluster",
                " v1 CREATE,UPDATE services Namespaced",
                "example.com v1,v2 CREATE widgets Namespaced",
            ],
            0,
        );
    }

    #[test]
    fn wildcards_become_what_is_served() {
        check(
            &[rule("*", "*", "*", "CREATE")],
            &[
                " v1 CREATE namespaces Cluster",
                " v1 CREATE services Namespaced",
                "example.com v1,v2 CREATE widgets Namespaced",
            ],
            0,
        );
        check(
            &[rule("core", "*", "pods/*", "*")],
            &[
                " v1 CREATE,UPDATE,DELETE,CONNECT pods/exec Namespaced",
                " v1 DELETE,CONNECT pods,pods/ephemeralcontainers Namespaced",
            ],
            0,
        );
        check(
            &[rule("*", "*", "*/scale", "UPDATE")],
            &[
                "apps v1 UPDATE deployments/scale Namespaced",
                "example.com v1,v2 UPDATE widgets/scale Namespaced",
            ],
            0,
        );
        let scoped = |scope| Rule { scope, ..rule("core", "v1", "*/*", "CREATE") };
        check(&[scoped(Scope::Cluster)], &[" v1 CREATE namespaces,namespaces/finalize Cluster"], 0);
        check(&[scoped(Scope::Namespaced)], &[" v1 CREATE pods/exec,services Namespaced"], 0);
        let kinds = |kinds| Rule { kinds: owned(kinds), ..rule("*", "*", "", "CREATE DELETE") };
        check(
            &[kinds("Widget Pod")],
            &[
                " v1 DELETE pods,pods/ephemeralcontainers Namespaced",
                "example.com v1,v2 CREATE,DELETE widgets Namespaced",
            ],
            0,
        );
    }

    #[test]
    fn what_must_never_be_held_up_is_not_named() {
        check(
            &[
                rule("*", "*", "secrets events leases pods/binding services/status", "*"),
                rule("*", "*", "subjectaccessreviews validatingwebhookconfigurations", "*"),
            ],
            &[],
            7,
        );
        let kinds = Rule { kinds: owned("Secret"), ..rule("core", "*", "", "CREATE") };
        check(&[kinds], &[], 1);
    }

    #[test]
    fn resources_mean_what_the_api_server_takes_them_for() {
        #[track_caller]
        fn check(entry: &str, fits: &str, differs: &str) {
            for name in fits.split(' ').filter(|name| !name.is_empty()) {
                assert!(means(entry, name), "{entry} means {name}");
            }
            for name in differs.split(' ').filter(|name| !name.is_empty()) {
                assert!(!means(entry, name), "{entry} does not mean {name}");
            }
        }
        check("pods", "pods", "pods/exec services");
        check("*", "pods services", "pods/exec");
        check("pods/exec", "pods/exec", "pods services/exec");
        check("pods/*", "pods pods/exec", "services services/exec");
        check("*/scale", "deployments/scale", "deployments deployments/status");
        check("*/*", "pods pods/exec", "");
    }
}
