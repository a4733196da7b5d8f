//! Templates in CEL: `K8sNativeValidation`. Source: gatekeeper `pkg/drivers/k8scel`.
use super::constraint::Constraint;
use super::review::{Namespace, Review};
use super::text;
use crate::vap::{Embedded, FailurePolicy};
use serde_json::{Value, json};
use std::sync::Arc;

/// Names that Gatekeeper keeps for itself.
const RESERVED: &str = "gatekeeper_internal_";

#[derive(Clone, Debug)]
pub(super) struct Native {
    embedded: Arc<Embedded>,
    failure: Option<FailurePolicy>,
}

impl Native {
    /// Reads `code[].source`. Errors: reserved names, expressions that do not compile.
    pub(super) fn load(source: &Value, minor: u32) -> Result<Self, Vec<String>> {
        if !source.is_object() {
            return Err(vec!["could not recognize the type".to_owned()]);
        }
        let list =
            |key: &str| source.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let mut faults = Vec::new();
        for condition in list("matchCondition") {
            let name = text(&condition, &["name"]);
            if name.starts_with(RESERVED) {
                faults.push(format!(
                    "{name} is not a valid match condition; cannot have {RESERVED:?} as a prefix"
                ));
            }
        }
        let mut variables = vec![
            json!({"name": "anyObject", "expression":
                "has(request.operation) && request.operation == \"DELETE\" && object == null ? oldObject : object"}),
            json!({"name": "params", "expression":
                "!has(params.spec) ? null : !has(params.spec.parameters) ? null: params.spec.parameters"}),
        ];
        for variable in list("variables") {
            let name = text(&variable, &["name"]);
            if name.starts_with(RESERVED) || matches!(name, "params" | "anyObject") {
                faults.push(format!("{name} is not a valid variable; it is reserved"));
            }
            variables.push(variable);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let spec = json!({
            "failurePolicy": source.get("failurePolicy").cloned().unwrap_or_else(|| "Fail".into()),
            "matchConditions": list("matchCondition"),
            "variables": variables,
            "validations": list("validations"),
        });
        let failure = match text(source, &["failurePolicy"]) {
            "Fail" => Some(FailurePolicy::Fail),
            "Ignore" => Some(FailurePolicy::Ignore),
            _ => None,
        };
        let embedded = Arc::new(Embedded::compile(spec, minor)?);
        Ok(Self { embedded, failure })
    }

    /// As the source names it.
    pub(super) fn failure_policy(&self) -> Option<FailurePolicy> {
        self.failure
    }

    /// The messages of what fails. Error: it asks whether somebody may do something, and nobody is there to ask.
    pub(super) fn judge(
        &self,
        constraint: &Constraint,
        review: &Review,
    ) -> Result<Vec<String>, String> {
        let namespace = match &review.namespace {
            Namespace::Object(namespace) => Some(namespace),
            Namespace::Unknown => None,
        };
        self.embedded.judge(&review.request(), &constraint.document, namespace)
    }
}
