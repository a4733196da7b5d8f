//! Users' own policies in scans: what an API server would refuse today, told as findings beside those of controls.
//!
//! A policy that is for pods alone is held against the template of each workload too, and reported there. Where nobody
//! asks, there is no user: what a policy asks the authorizer is not applicable.
use crate::control::{group_version, plural};
use crate::workload;
use seawall_model::finding::{ControlFinding, Source, State};
use seawall_model::{Problem, Severity};
use seawall_policy::gatekeeper::{self, Action, Namespace, Origin, Point};
use seawall_policy::vap::{Lookup, Params, Policies, Review, Verdict};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

pub use seawall_policy::gatekeeper::Expansion;
pub use seawall_policy::vap::Document;

/// N of the newest Kubernetes `1.N`, whose functions expressions may use where nobody says which server it is.
pub const NEWEST_MINOR: u32 = 37;

/// Policies that loaded, each with its own bindings.
#[derive(Debug, Default)]
pub struct UserPolicies {
    pub(crate) vap: Vec<Vap>,
    pub(crate) gatekeeper: gatekeeper::Library,
}

/// One ValidatingAdmissionPolicy with its bindings.
#[derive(Debug)]
pub(crate) struct Vap {
    /// `ValidatingAdmissionPolicy/NAME`, as findings name their control.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) severity: Severity,
    /// Holds the one.
    pub(crate) policies: Policies,
}

/// The objects of one scan, as policies look them up, and the interpreters that judge them one after another.
pub(crate) struct Known<'a> {
    inventory: gatekeeper::Inventory,
    interpreters: RefCell<gatekeeper::Judge>,
    point: Point,
    namespaces: HashMap<&'a str, &'a Value>,
    /// By `apiVersion` and kind.
    kinds: HashMap<(&'a str, &'a str), Vec<&'a Value>>,
}

pub(crate) const POLICY: &str = "ValidatingAdmissionPolicy";
pub(crate) const BINDING: &str = "ValidatingAdmissionPolicyBinding";

impl UserPolicies {
    /// Takes policies and bindings out of `documents` and leaves the rest. Expressions compile as Kubernetes
    /// 1.`minor` compiles them. Problems: `policy` for what an API server would refuse; the others load.
    pub fn load(documents: &[Document], minor: u32) -> (Self, Vec<Problem>) {
        let (mut loaded, mut problems) = (Self::default(), Vec::new());
        let of_kind = |wanted: &'static str| {
            documents.iter().filter(move |document| text(&document.object, "/kind") == wanted)
        };
        for policy in of_kind(POLICY) {
            let name = text(&policy.object, "/metadata/name");
            let names = |binding: &&Document| text(&binding.object, "/spec/policyName") == name;
            let bindings: Vec<&Document> = of_kind(BINDING).filter(names).collect();
            let own: Vec<Document> =
                std::iter::once(policy).chain(bindings.iter().copied()).cloned().collect();
            let (policies, told) = Policies::load(&own, minor);
            problems.extend(told);
            if !policies.is_empty() {
                let severity = severity(&bindings);
                let id = format!("{POLICY}/{name}");
                loaded.vap.push(Vap { id, name: name.to_owned(), severity, policies });
            }
        }
        let (gatekeeper, told) = gatekeeper::Library::load(documents, minor);
        problems.extend(told);
        loaded.gatekeeper = gatekeeper;
        (loaded, problems)
    }

    pub fn is_empty(&self) -> bool {
        self.vap.is_empty() && self.gatekeeper.constraints().next().is_none()
    }

    /// Ids and titles, by which exemptions and forms know them.
    pub(crate) fn ids(&self) -> impl Iterator<Item = (&str, &str, Severity)> {
        self.vap.iter().map(|vap| (vap.id.as_str(), vap.name.as_str(), vap.severity))
    }

    /// One finding per policy that is for the object, or for the pods it makes.
    pub(crate) fn judge(
        &self,
        object: &Value,
        source: Option<&Source>,
        known: &Known<'_>,
    ) -> Vec<ControlFinding> {
        let own = review(object);
        let pod = pod(object).as_ref().and_then(review);
        let judge = |vap: &Vap| {
            let verdicts = own.iter().chain(&pod).map(|review| vap.policies.review(review, known));
            // The object itself speaks first; its pods only where it is not meant.
            let (state, reason, message) =
                verdicts.filter_map(|verdict| outcome(&verdict)).next()?;
            Some(ControlFinding {
                control: vap.id.clone(),
                title: vap.name.clone(),
                severity: vap.severity,
                state,
                reason: reason.map(str::to_owned),
                resource: workload::resource(object),
                source: source.cloned(),
                message,
                frameworks: Vec::new(),
                evidence: Vec::new(),
                fix: Vec::new(),
                exemption: None,
                engine: "cel".to_owned(),
            })
        };
        let mut found: Vec<ControlFinding> = self.vap.iter().filter_map(judge).collect();
        found.extend(self.constrained(object, source, known));
        found
    }

    /// Constraints that the object, or a pod it makes, violates or that cannot tell; each once.
    fn constrained(
        &self,
        object: &Value,
        source: Option<&Source>,
        known: &Known<'_>,
    ) -> Vec<ControlFinding> {
        if self.gatekeeper.constraints().next().is_none() {
            return Vec::new();
        }
        let mut found: Vec<ControlFinding> = Vec::new();
        let pod = pod(object);
        for (judged, origin) in std::iter::once((object, Origin::Original))
            .chain(pod.iter().map(|pod| (pod, Origin::Generated)))
        {
            let namespace = match known.namespaces.get(text(judged, "/metadata/namespace")) {
                Some(namespace) => Namespace::Object((*namespace).clone()),
                None => Namespace::Unknown,
            };
            let Ok(review) = gatekeeper::Review::of_object(judged, namespace, origin) else {
                continue;
            };
            let limits = gatekeeper::Limits::default();
            let mut interpreters = known.interpreters.borrow_mut();
            let outcome = interpreters.review(
                &self.gatekeeper,
                &review,
                &known.inventory,
                known.point,
                &limits,
            );
            let mut add = |id: String,
                           title: &str,
                           actions: &[Action],
                           state,
                           reason: Option<&str>,
                           message: String,
                           engine: &str| {
                if let Some(known) = found.iter_mut().find(|finding| finding.control == id) {
                    if known.state == state
                        && !known.message.iter().any(|told| told.contains(&message))
                    {
                        known.message =
                            known.message.take().map(|told| format!("{told}; {message}"));
                    }
                    return;
                }
                found.push(ControlFinding {
                    control: id,
                    title: title.to_owned(),
                    severity: of_action(actions.first()),
                    state,
                    reason: reason.map(str::to_owned),
                    resource: workload::resource(object),
                    source: source.cloned(),
                    message: Some(message),
                    frameworks: Vec::new(),
                    evidence: Vec::new(),
                    fix: Vec::new(),
                    exemption: None,
                    engine: engine.to_owned(),
                });
            };
            for one in outcome.violations {
                let id = format!("{}/{}", one.kind, one.name);
                add(id, &one.name, &one.actions, State::Unhealthy, None, one.message, one.engine);
            }
            for one in outcome.undecided {
                let id = format!("{}/{}", one.kind, one.name);
                add(
                    id,
                    &one.name,
                    &one.actions,
                    State::Unknown,
                    Some(one.reason),
                    one.message,
                    "rego",
                );
            }
        }
        found
    }
}

/// The severest first, as constraints have them.
pub(crate) fn of_action(action: Option<&Action>) -> Severity {
    match action {
        Some(Action::Deny) => Severity::High,
        Some(Action::Warn) => Severity::Medium,
        Some(Action::Audit) | None => Severity::Low,
    }
}

/// `None`: the policy is not for what was reviewed.
fn outcome(verdict: &Verdict) -> Option<(State, Option<&'static str>, Option<String>)> {
    let messages = |error: bool| {
        let told: Vec<&str> = verdict
            .failures
            .iter()
            .filter(|failure| failure.error == error)
            .map(|failure| failure.message.as_str())
            .collect();
        (!told.is_empty()).then(|| told.join("; "))
    };
    if let Some(told) = messages(false) {
        return Some((State::Unhealthy, None, Some(told)));
    }
    // A denial without a failure is a policy that could not be run.
    let denial = verdict.denials.first().map(|denial| denial.message.clone());
    if let Some(told) = messages(true).or(denial) {
        return Some((State::Unknown, Some("error"), Some(told)));
    }
    if let Some(undecided) = verdict.undecided.first() {
        return Some((State::Unknown, Some("not-collected"), Some(undecided.reason.clone())));
    }
    if !verdict.questions.is_empty() {
        let message = "it asks what a user may do, and a scan has none".to_owned();
        return Some((State::NotApplicable, Some("out-of-scope"), Some(message)));
    }
    (!verdict.judged.is_empty()).then_some((State::Healthy, None, None))
}

/// By what the bindings do: a policy that refuses is meant more seriously than one that warns.
fn severity(bindings: &[&Document]) -> Severity {
    let does = |action: &str| {
        bindings.iter().any(|binding| {
            let actions = binding.object.pointer("/spec/validationActions");
            actions.and_then(Value::as_array).into_iter().flatten().any(|own| own == action)
        })
    };
    match bindings.is_empty() || does("Deny") {
        true => Severity::High,
        false if does("Warn") => Severity::Medium,
        false => Severity::Low,
    }
}

/// The request that would create the object.
pub(crate) fn creation(object: &Value) -> Value {
    let (group, version) = group_version(text(object, "/apiVersion"));
    let kind = text(object, "/kind");
    let namespaced = crate::scope::is_namespaced(text(object, "/apiVersion"), kind);
    // Files leave it to whoever applies them, who in doubt is in `default`.
    let namespace = match text(object, "/metadata/namespace") {
        "" if kind == "Namespace" => text(object, "/metadata/name"),
        "" if namespaced => "default",
        named => named,
    };
    json!({
        "uid": "", "operation": "CREATE", "userInfo": {},
        "kind": {"group": group, "version": version, "kind": kind},
        "resource": {"group": group, "version": version, "resource": plural(kind)},
        "name": text(object, "/metadata/name"), "namespace": namespace, "object": object,
    })
}

fn review(object: &Value) -> Option<Review> {
    Review::of(creation(object).as_object()?).ok()
}

/// A pod as the workload makes them.
pub(crate) fn pod(object: &Value) -> Option<Value> {
    let kind = workload::kind(text(object, "/apiVersion"), text(object, "/kind"))?;
    if kind.kind == "Pod" {
        return None;
    }
    let mut metadata = object.pointer(kind.pod_meta).cloned().unwrap_or_else(|| json!({}));
    let members = metadata.as_object_mut()?;
    members
        .insert("generateName".to_owned(), json!(text(object, "/metadata/name").to_owned() + "-"));
    if let Some(namespace) = object.pointer("/metadata/namespace") {
        members.insert("namespace".to_owned(), namespace.clone());
    }
    let spec = object.pointer(kind.pod_spec)?;
    Some(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}))
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

impl<'a> Known<'a> {
    /// `live`: the objects are those of a cluster, where constraints are audited; else the command line's.
    pub(crate) fn new(
        objects: impl Iterator<Item = &'a Value>,
        live: bool,
        policies: Option<&UserPolicies>,
    ) -> Self {
        let mut known = Self {
            inventory: gatekeeper::Inventory::default(),
            interpreters: RefCell::default(),
            point: if live { Point::Audit } else { Point::Gator },
            namespaces: HashMap::new(),
            kinds: HashMap::new(),
        };
        let reads = policies.is_some_and(|policies| !policies.gatekeeper.reads().is_empty());
        for object in objects {
            if reads {
                // What has no kind or version is in no inventory.
                let _left_out = known.inventory.add(object.clone());
            }
            let kind = (text(object, "/apiVersion"), text(object, "/kind"));
            if kind == ("v1", "Namespace") {
                known.namespaces.insert(text(object, "/metadata/name"), object);
            }
            known.kinds.entry(kind).or_default().push(object);
        }
        let name = |object: &&Value| {
            (
                text(object, "/metadata/namespace").to_owned(),
                text(object, "/metadata/name").to_owned(),
            )
        };
        known.kinds.values_mut().for_each(|objects| objects.sort_by_key(name));
        known
    }
}

impl Lookup for Known<'_> {
    fn namespace(&self, name: &str) -> Option<&Value> {
        self.namespaces.get(name).copied()
    }

    fn params(&self, api_version: &str, kind: &str) -> Params<'_> {
        let objects = self.kinds.get(&(api_version, kind)).cloned().unwrap_or_default();
        let inside = |object: &&Value| object.pointer("/metadata/namespace").is_some();
        let namespaced = match objects.first() {
            Some(first) => inside(first),
            None => crate::scope::is_namespaced(api_version, kind),
        };
        if namespaced { Params::Namespaced(objects) } else { Params::Cluster(objects) }
    }

    fn answers(&self) -> Arc<seawall_cel::authz::Answers> {
        Arc::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(resources: &str, expression: &str, more: Value) -> Value {
        let mut policy = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": POLICY, "metadata": {"name": "p"},
            "spec": {"failurePolicy": "Ignore", "matchConstraints": {"resourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"],
                "operations": ["CREATE"], "resources": [resources]}]},
                "validations": [{"expression": expression, "message": "no"}]},
        });
        for (key, value) in more.as_object().unwrap() {
            policy["spec"][key] = value.clone();
        }
        policy
    }

    /// State and reason of the policy's finding on `object`; empty without one.
    #[track_caller]
    fn check(policy: Value, object: &Value, expected: &str) {
        let (policies, problems) = UserPolicies::load(&[Document::from(policy.clone())], 34);
        assert!(problems.iter().all(|problem| problem.code == "unbound"), "{problems:?}");
        let known = Known::new(std::iter::once(object), false, Some(&policies));
        let found = policies.judge(object, None, &known);
        let told: Vec<String> = found
            .iter()
            .map(|finding| {
                assert_eq!(
                    (finding.control.as_str(), finding.severity),
                    ("ValidatingAdmissionPolicy/p", Severity::High)
                );
                format!("{} {}", finding.state.as_str(), finding.reason.as_deref().unwrap_or("-"))
            })
            .collect();
        assert_eq!(told.join(", "), expected, "{policy}");
    }

    #[test]
    fn states() {
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"replicas": 2, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"hostPID": true}}}});
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}});
        let none = || json!({});
        check(
            policy("deployments", "object.spec.replicas < 2", none()),
            &deployment,
            "unhealthy -",
        );
        check(policy("deployments", "object.spec.replicas < 3", none()), &deployment, "healthy -");
        check(policy("deployments", "true", none()), &service, "");
        // For pods alone: held against the template, reported on the owner.
        check(policy("pods", "!object.spec.hostPID", none()), &deployment, "unhealthy -");
        check(
            policy("pods", "object.metadata.namespace == 'shop'", none()),
            &deployment,
            "healthy -",
        );
        // failurePolicy passes errors over; a scan does not.
        check(policy("deployments", "object.spec.gone == 1", none()), &deployment, "unknown error");
        let condition =
            json!({"matchConditions": [{"name": "c", "expression": "object.spec.replicas > 5"}]});
        check(policy("deployments", "false", condition), &deployment, "");
        check(
            policy("deployments", "namespaceObject.metadata.name == 'shop'", none()),
            &deployment,
            "unknown not-collected",
        );
        check(
            policy(
                "deployments",
                "authorizer.group('').resource('pods').check('get').allowed()",
                none(),
            ),
            &deployment,
            "not_applicable out-of-scope",
        );
        let params = json!({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}});
        check(policy("deployments", "true", params), &deployment, "healthy -");
    }

    #[test]
    fn constraints_are_judged_on_templates_too() {
        let template = json!({"apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "k8snohost"},
            "spec": {"crd": {"spec": {"names": {"kind": "K8sNoHost"}}}, "targets": [{"target": "admission.k8s.gatekeeper.sh",
                "rego": "package k8snohost\nviolation[{\"msg\": msg}] { input.review.object.spec.hostPID; msg := \"hostPID\" }"}]}});
        let constraint = json!({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "K8sNoHost", "metadata": {"name": "none"},
            "spec": {"enforcementAction": "warn", "match": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}}});
        let documents = [Document::from(template), Document::from(constraint)];
        let (policies, problems) = UserPolicies::load(&documents, 34);
        assert_eq!(problems, []);
        let web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"template": {"spec": {"hostPID": true}}}});
        let found =
            policies.judge(&web, None, &Known::new(std::iter::once(&web), false, Some(&policies)));
        let told: Vec<_> = found
            .iter()
            .map(|finding| {
                (
                    finding.control.as_str(),
                    finding.resource.kind.as_str(),
                    finding.state,
                    finding.severity,
                    finding.engine.as_str(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [("K8sNoHost/none", "Deployment", State::Unhealthy, Severity::Medium, "rego")]
        );
    }

    #[test]
    fn bindings_say_how_serious_it_is() {
        for (actions, expected) in [
            (&["Deny"][..], Severity::High),
            (&["Audit", "Deny"], Severity::High),
            (&["Warn", "Audit"], Severity::Medium),
            (&["Audit"], Severity::Low),
        ] {
            let binding = Document::from(json!({"spec": {"validationActions": actions}}));
            assert_eq!(severity(&[&binding]), expected);
        }
    }
}
