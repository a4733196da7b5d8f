//! The documents as they are written. Source: k8s.io/api `admissionregistration/v1/types.go`; the older versions differ
//! in nothing that is read here but a default.
use super::selector::LabelSelector;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PolicySpec {
    pub(super) param_kind: Option<ParamKind>,
    pub(super) match_constraints: Option<MatchResources>,
    #[serde(default)]
    pub(super) validations: Vec<Validation>,
    #[serde(default)]
    pub(super) failure_policy: FailurePolicy,
    #[serde(default)]
    pub(super) audit_annotations: Vec<AuditAnnotation>,
    #[serde(default)]
    pub(super) match_conditions: Vec<Named>,
    #[serde(default)]
    pub(super) variables: Vec<Named>,
}

/// What an error means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum FailurePolicy {
    #[default]
    Fail,
    Ignore,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ParamKind {
    #[serde(default)]
    pub(super) api_version: String,
    #[serde(default)]
    pub(super) kind: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Validation {
    #[serde(default)]
    pub(super) expression: String,
    #[serde(default)]
    pub(super) message: String,
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) message_expression: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AuditAnnotation {
    #[serde(default)]
    pub(super) key: String,
    #[serde(default)]
    pub(super) value_expression: String,
}

/// A match condition or a variable.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) expression: String,
}

/// An absent selector selects everything, as the API server's default does.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MatchResources {
    #[serde(default)]
    pub(super) namespace_selector: LabelSelector,
    #[serde(default)]
    pub(super) object_selector: LabelSelector,
    #[serde(default)]
    pub(super) resource_rules: Vec<Rule>,
    #[serde(default)]
    pub(super) exclude_resource_rules: Vec<Rule>,
    #[serde(default)]
    pub(super) match_policy: MatchPolicy,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum MatchPolicy {
    Exact,
    #[default]
    Equivalent,
}

/// Requests, as admission rules name them; `*` stands for all.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Empty: all.
    #[serde(default)]
    pub resource_names: Vec<String>,
    #[serde(default)]
    pub operations: Vec<String>,
    #[serde(default)]
    pub api_groups: Vec<String>,
    #[serde(default)]
    pub api_versions: Vec<String>,
    /// Plural, with a subresource behind a slash.
    #[serde(default)]
    pub resources: Vec<String>,
    #[serde(default)]
    pub scope: RuleScope,
}

/// Where the objects stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum RuleScope {
    #[default]
    #[serde(rename = "*")]
    All,
    Namespaced,
    Cluster,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BindingSpec {
    #[serde(default)]
    pub(super) policy_name: String,
    pub(super) param_ref: Option<ParamRef>,
    pub(super) match_resources: Option<MatchResources>,
    #[serde(default)]
    pub(super) validation_actions: Vec<Action>,
}

/// What a failed validation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
pub enum Action {
    Deny,
    Warn,
    Audit,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ParamRef {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) namespace: String,
    pub(super) selector: Option<LabelSelector>,
    pub(super) parameter_not_found_action: Option<NotFound>,
}

/// What a binding without params does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum NotFound {
    Allow,
    Deny,
}
