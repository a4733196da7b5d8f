//! What a control is about: workloads, kinds of the API, facts, or several objects at once.
use crate::cel::types;
use crate::workload::View;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What one control judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matches {
    /// The eight kinds that run pods, through the prelude.
    Workloads,
    /// Objects of other kinds, each as a whole.
    Resources(Constraints),
    /// A document that is no object of the API.
    Facts(Facts),
    /// Whatever its Rust code is about, among all objects.
    World,
}

/// Documents about machines and managed clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Facts {
    /// Files, processes and kubelet configuration of one node, as the sensor collects them.
    Node,
    /// Arguments and files of the control plane.
    ControlPlane,
    /// `az aks show`.
    Aks,
    /// `aws eks describe-cluster`.
    Eks,
    /// `gcloud container clusters describe`.
    Gke,
}

impl Facts {
    /// As control files write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::ControlPlane => "control-plane",
            Self::Aks => "aks",
            Self::Eks => "eks",
            Self::Gke => "gke",
        }
    }
}

/// `matchConstraints` of a ValidatingAdmissionPolicy, as far as they speak of kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Constraints {
    pub resource_rules: Vec<ResourceRule>,
    #[serde(default)]
    pub exclude_resource_rules: Vec<ResourceRule>,
}

/// `NamedRuleWithOperations` of `admissionregistration.k8s.io/v1`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceRule {
    pub api_groups: Vec<String>,
    pub api_versions: Vec<String>,
    pub operations: Vec<String>,
    pub resources: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource_names: Vec<String>,
}

impl Constraints {
    /// Whether `object` is of a kind they are about.
    pub fn fit(&self, object: &Value) -> bool {
        self.fit_view(&View::new(object))
    }

    pub(crate) fn fit_view(&self, view: &View<'_>) -> bool {
        let resource = view.resource();
        self.fit_plural(&resource.api_version, view.plural(), &resource.name)
    }

    pub(crate) fn fit_kind(&self, api_version: &str, kind: &str, name: &str) -> bool {
        self.fit_plural(api_version, &plural(kind), name)
    }

    fn fit_plural(&self, api_version: &str, plural: &str, name: &str) -> bool {
        let (group, version) = group_version(api_version);
        let fits = |rule: &ResourceRule| rule.fits(group, version, plural, name);
        self.resource_rules.iter().any(fits) && !self.exclude_resource_rules.iter().any(fits)
    }

    /// The struct that every object they are about is; none where there are several, or a kind the table lacks.
    pub(crate) fn only_struct(&self) -> Option<&'static str> {
        let mut wanted = 0;
        let mut names: Vec<&'static str> = Vec::new();
        for rule in &self.resource_rules {
            wanted += rule.api_groups.len() * rule.api_versions.len() * rule.resources.len();
            for known in types::kinds() {
                let (group, version) = group_version(known.api_version);
                if rule.fits(group, version, known.plural, "") && !names.contains(&known.name) {
                    names.push(known.name);
                }
            }
        }
        match names.as_slice() {
            [name] if wanted == 1 => Some(name),
            _ => None,
        }
    }
}

impl ResourceRule {
    fn fits(&self, group: &str, version: &str, plural: &str, name: &str) -> bool {
        let any = |list: &[String], wanted: &str| {
            list.iter().any(|entry| entry == "*" || entry == wanted)
        };
        let resource = |entry: &String| match entry.split_once('/') {
            None => entry == "*" || entry == plural,
            // The object itself is meant where any subresource is; `pods/exec` is no object.
            Some((resource, subresource)) => {
                subresource == "*" && (resource == "*" || resource == plural)
            }
        };
        any(&self.api_groups, group)
            && any(&self.api_versions, version)
            && self.resources.iter().any(resource)
            && (self.resource_names.is_empty() || any(&self.resource_names, name))
    }
}

/// Group and version of an `apiVersion`; the core group is empty.
pub(crate) fn group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// The name in URLs of a kind: the table's, else that of apimachinery's `meta.UnsafeGuessKindToResource`, which holds
/// for most custom resources; after it, `x` takes `es`, as their authors write it (`sandboxes`).
pub(crate) fn plural(kind: &str) -> String {
    if let Some(known) = types::kinds().iter().find(|known| known.kind == kind) {
        return known.plural.to_owned();
    }
    let lower = kind.to_lowercase();
    match lower.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if lower.ends_with(['s', 'x']) => lower + "es",
        None => lower + "s",
    }
}

#[test]
fn kinds_are_told_by_their_plural() {
    let constraints = |groups: &[&str], resources: &[&str]| {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        Constraints {
            resource_rules: vec![ResourceRule {
                api_groups: owned(groups),
                api_versions: owned(&["v1"]),
                operations: owned(&["CREATE"]),
                resources: owned(resources),
                resource_names: Vec::new(),
            }],
            exclude_resource_rules: Vec::new(),
        }
    };
    let object = |api_version: &str, kind: &str| serde_json::json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}});
    let policy = object("networking.k8s.io/v1", "NetworkPolicy");
    let ingress = object("networking.k8s.io/v1", "Ingress");
    let network = constraints(&["networking.k8s.io"], &["networkpolicies", "ingresses"]);
    assert!(network.fit(&policy) && network.fit(&ingress));
    assert!(!network.fit(&object("networking.k8s.io/v1beta1", "Ingress")));
    assert!(!network.fit(&object("v1", "Ingress")));
    assert!(constraints(&[""], &["endpoints"]).fit(&object("v1", "Endpoints")));
    assert!(constraints(&["*"], &["*/*"]).fit(&ingress));
    assert!(!constraints(&[""], &["pods/exec"]).fit(&object("v1", "Pod")));
    let mut excluded = network;
    excluded.exclude_resource_rules = constraints(&["*"], &["ingresses"]).resource_rules;
    assert!(excluded.fit(&policy) && !excluded.fit(&ingress));
}
