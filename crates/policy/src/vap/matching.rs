//! Which requests a policy or binding is about. Source: k8s.io/apiserver `policy/matching` and
//! `webhook/predicates`.
use super::params::Lookup;
use super::review::{Resource, Review};
use super::spec::{MatchPolicy, MatchResources, Rule, RuleScope};
use serde_json::Value;

/// Whether a request is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Match {
    Yes,
    No,
    /// It cannot be told, for this reason.
    Unknown(String),
}

impl MatchResources {
    pub(super) fn matches(&self, review: &Review, lookup: &dyn Lookup) -> Match {
        let namespace = self.namespace(review, lookup);
        if namespace == Match::No || !self.object(review) {
            return Match::No;
        }
        if self.any_rule(&self.exclude_resource_rules, review) == Match::Yes {
            return Match::No;
        }
        if !self.resource_rules.is_empty() {
            match self.any_rule(&self.resource_rules, review) {
                Match::Yes => {}
                other => return other,
            }
        }
        namespace
    }

    fn namespace(&self, review: &Review, lookup: &dyn Lookup) -> Match {
        let namespaces = review.resource.resource == "namespaces";
        if (review.namespace.is_empty() && !namespaces) || self.namespace_selector.is_empty() {
            return Match::Yes;
        }
        let own = namespaces
            && review.subresource.is_empty()
            && matches!(review.operation.as_str(), "CREATE" | "UPDATE");
        let matched = if own {
            self.namespace_selector.matches(review.object.pointer("/metadata/labels"))
        } else {
            let Some(namespace) = lookup.namespace(&review.namespace) else {
                let told = format!("the namespace {} is not at hand", review.namespace);
                return Match::Unknown(told);
            };
            self.namespace_selector.matches(namespace.pointer("/metadata/labels"))
        };
        if matched { Match::Yes } else { Match::No }
    }

    fn object(&self, review: &Review) -> bool {
        let selected = |object: &&Value| {
            !object.is_null() && self.object_selector.matches(object.pointer("/metadata/labels"))
        };
        self.object_selector.is_empty() || review.objects().iter().any(selected)
    }

    fn any_rule(&self, rules: &[Rule], review: &Review) -> Match {
        if rules.iter().any(|rule| rule.matches(review, &review.resource)) {
            return Match::Yes;
        }
        if self.match_policy == MatchPolicy::Exact {
            return Match::No;
        }
        for rule in rules {
            for version in &rule.api_versions {
                let Some(other) = equivalent(&review.resource, version) else { continue };
                if rule.matches(review, &other) {
                    let Resource { group, version, resource } = other;
                    let told = format!(
                        "the object would have to be converted to {group}/{version} {resource}"
                    );
                    return Match::Unknown(told);
                }
            }
        }
        Match::No
    }
}

/// The same resource in another served version, which only the API server can convert to. Groups without a dot, and
/// Kubernetes' own, serve one version of nearly everything; custom resources serve as many as they list.
fn equivalent(resource: &Resource, version: &str) -> Option<Resource> {
    let of = |group: &str| {
        Some(Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            resource: resource.resource.clone(),
        })
    };
    if version == resource.version || version == "*" {
        return None;
    }
    match (resource.group.as_str(), resource.resource.as_str()) {
        ("autoscaling", "horizontalpodautoscalers") if matches!(version, "v1" | "v2") => {
            of("autoscaling")
        }
        (group, _) if group.contains('.') && !group.ends_with(".k8s.io") => of(group),
        _ => None,
    }
}

impl Rule {
    fn matches(&self, review: &Review, resource: &Resource) -> bool {
        let named = self.resource_names.is_empty() || self.resource_names.contains(&review.name);
        self.in_scope(review, resource)
            && listed(&self.operations, &review.operation)
            && listed(&self.api_groups, &resource.group)
            && listed(&self.api_versions, &resource.version)
            && self.has_resource(&resource.resource, &review.subresource)
            && named
    }

    fn in_scope(&self, review: &Review, resource: &Resource) -> bool {
        let namespace = resource.group.is_empty()
            && resource.version == "v1"
            && resource.resource == "namespaces";
        let cluster = namespace || review.namespace.is_empty();
        match self.scope {
            RuleScope::All => true,
            RuleScope::Namespaced => !cluster,
            RuleScope::Cluster => cluster,
        }
    }

    fn has_resource(&self, resource: &str, subresource: &str) -> bool {
        self.resources.iter().any(|listed| {
            let (name, sub) = listed.split_once('/').unwrap_or((listed, ""));
            (name == "*" || name == resource) && (sub == "*" || sub == subresource)
        })
    }
}

fn listed(items: &[String], asked: &str) -> bool {
    items.iter().any(|item| item == "*" || item == asked)
}
