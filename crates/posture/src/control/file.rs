//! The shape of a control file, before anything in it is checked.
use super::Lifecycle;
use seawall_model::Severity;
use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct File {
    pub(super) id: Spanned<String>,
    pub(super) title: String,
    pub(super) severity: Severity,
    pub(super) lifecycle: Lifecycle,
    pub(super) score_group: Spanned<String>,
    pub(super) base_score: Option<f64>,
    pub(super) covers: Vec<String>,
    pub(super) frameworks: BTreeMap<String, Vec<String>>,
    pub(super) description: String,
    pub(super) remediation: String,
    #[serde(rename = "match")]
    pub(super) matches: Spanned<Value>,
    #[serde(default)]
    pub(super) params: BTreeMap<String, ParamFile>,
    #[serde(default)]
    pub(super) unless: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(super) validations: Vec<ValidationFile>,
    #[serde(default)]
    pub(super) fix: Vec<FixFile>,
    #[serde(default)]
    pub(super) tests: Vec<Spanned<TestFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParamFile {
    #[serde(rename = "type")]
    pub(super) kind: Spanned<String>,
    pub(super) default: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValidationFile {
    pub(super) expression: Spanned<String>,
    pub(super) path: Spanned<String>,
    pub(super) message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FixFile {
    pub(super) op: Spanned<String>,
    pub(super) path: Spanned<String>,
    pub(super) value: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TestFile {
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) params: Map<String, Value>,
    pub(super) kubernetes: Option<String>,
    pub(super) fails: Option<Value>,
    pub(super) passes: Option<Value>,
    pub(super) not_applicable: Option<Value>,
    pub(super) unknown: Option<Value>,
}
