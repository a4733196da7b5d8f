//! `spec.match` of constraints. Source: gatekeeper `pkg/mutation/match/match.go`, `pkg/wildcard`.
use super::review::{Namespace, Origin, Review};
use super::{at, group_version, text};
use crate::vap::{LabelSelector, RuleScope};
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Match {
    source: String,
    kinds: Vec<Kinds>,
    scope: String,
    namespaces: Vec<String>,
    excluded_namespaces: Vec<String>,
    label_selector: Option<LabelSelector>,
    namespace_selector: Option<LabelSelector>,
    name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Kinds {
    api_groups: Vec<String>,
    kinds: Vec<String>,
}

/// Why it is not known whether a constraint is for an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unmatched {
    /// The namespace's labels are not at hand.
    Namespace,
    /// The request has no object at all, or `source` is no word.
    Wrong(String),
}

impl Match {
    /// Where its objects stand.
    pub(super) fn scope_of(&self) -> RuleScope {
        match self.scope.as_str() {
            "Cluster" => RuleScope::Cluster,
            "Namespaced" => RuleScope::Namespaced,
            _ => RuleScope::All,
        }
    }

    /// Whether the object or the one before it is meant.
    pub(super) fn matches(&self, review: &Review) -> Result<bool, Unmatched> {
        let mut objects = [&review.object, &review.old_object].into_iter().flatten().peekable();
        if objects.peek().is_none() {
            return Err(Unmatched::Wrong("neither object nor old object are defined".to_owned()));
        }
        for object in objects {
            if self.one(object, review)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// API groups and kinds; an empty list of either stands for all.
    pub(super) fn kinds(&self) -> Vec<(Vec<String>, Vec<String>)> {
        let all = |words: &[String]| match words {
            [] => vec!["*".to_owned()],
            words => words.to_vec(),
        };
        self.kinds.iter().map(|kinds| (all(&kinds.api_groups), all(&kinds.kinds))).collect()
    }

    fn one(&self, object: &Value, review: &Review) -> Result<bool, Unmatched> {
        Ok(self.kind(object)
            && self.scope(object, review)
            && self.namespaces(object, review)
            && self.labels(object)
            && self.namespace_labels(object, review)?
            && self.name(object)
            && self.source(review)?)
    }

    fn kind(&self, object: &Value) -> bool {
        let (group, _) = group_version(text(object, &["apiVersion"]));
        let kind = text(object, &["kind"]);
        let has = |words: &[String], word: &str| {
            words.is_empty() || words.iter().any(|one| one == "*" || one == word)
        };
        self.kinds.is_empty()
            || self
                .kinds
                .iter()
                .any(|kinds| has(&kinds.kinds, kind) && has(&kinds.api_groups, group))
    }

    fn scope(&self, object: &Value, review: &Review) -> bool {
        let inside = !text(object, &["metadata", "namespace"]).is_empty()
            || matches!(review.namespace, Namespace::Object(_));
        match self.scope_of() {
            RuleScope::Cluster => is_namespace(object) || !inside,
            RuleScope::Namespaced => !is_namespace(object) && inside,
            RuleScope::All => true,
        }
    }

    fn namespaces(&self, object: &Value, review: &Review) -> bool {
        let own = text(object, &["metadata", "namespace"]);
        let namespace = match &review.namespace {
            _ if is_namespace(object) => text(object, &["metadata", "name"]),
            Namespace::Object(namespace) => text(namespace, &["metadata", "name"]),
            _ if !own.is_empty() => own,
            // Other objects of the cluster are outside of any.
            _ => return true,
        };
        let any = |globs: &[String]| globs.iter().any(|glob| wildcard(glob, namespace));
        (self.namespaces.is_empty() || any(&self.namespaces)) && !any(&self.excluded_namespaces)
    }

    fn labels(&self, object: &Value) -> bool {
        let labels = at(object, &["metadata", "labels"]);
        self.label_selector.as_ref().is_none_or(|selector| selector.matches(labels))
    }

    fn namespace_labels(&self, object: &Value, review: &Review) -> Result<bool, Unmatched> {
        let Some(selector) = &self.namespace_selector else { return Ok(true) };
        if is_namespace(object) {
            return Ok(selector.matches(at(object, &["metadata", "labels"])));
        }
        match &review.namespace {
            Namespace::Object(namespace) => {
                Ok(selector.matches(at(namespace, &["metadata", "labels"])))
            }
            _ if text(object, &["metadata", "namespace"]).is_empty() => Ok(true),
            _ => Err(Unmatched::Namespace),
        }
    }

    fn name(&self, object: &Value) -> bool {
        let generated = text(object, &["metadata", "generateName"]);
        self.name.is_empty()
            || wildcard(&self.name, text(object, &["metadata", "name"]))
            || (self.name.ends_with('*') && wildcard(&self.name, generated))
    }

    fn source(&self, review: &Review) -> Result<bool, Unmatched> {
        match self.source.as_str() {
            "" | "All" => Ok(true),
            "Original" => Ok(review.origin == Origin::Original),
            "Generated" => Ok(review.origin == Origin::Generated),
            other => Err(Unmatched::Wrong(format!("invalid source field {other:?}"))),
        }
    }
}

pub(super) fn is_namespace(object: &Value) -> bool {
    text(object, &["kind"]) == "Namespace"
        && group_version(text(object, &["apiVersion"])).0.is_empty()
}

/// `*` at either end, or both.
fn wildcard(glob: &str, text: &str) -> bool {
    match (glob.strip_prefix('*'), glob.strip_suffix('*')) {
        (Some(rest), Some(_)) => text.contains(rest.strip_suffix('*').unwrap_or(rest)),
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => glob == text,
    }
}

#[test]
fn wildcards() {
    let check = |glob: &str, text: &str, expected: bool| {
        assert_eq!(wildcard(glob, text), expected, "{glob} {text}")
    };
    check("kube-system", "kube-system", true);
    check("kube-*", "kube-system", true);
    check("*-system", "kube-system", true);
    check("*e-s*", "kube-system", true);
    check("*", "", true);
    check("**", "x", true);
    check("kube-", "kube-system", false);
    check("*-public", "kube-system", false);
}
