//! A policy inside of another document, whose own rules say what it is for: Gatekeeper's templates in CEL.
use super::compile::{self, Compiled};
use super::judge::judge;
use super::review::{Review, kind, member, remove_nulls, resource, variable};
use super::scope::Inputs;
use super::spec::PolicySpec;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Validations with variables and match conditions; `params` is what holds them.
#[derive(Debug)]
pub(crate) struct Embedded {
    compiled: Compiled,
    failure: super::FailurePolicy,
}

impl Embedded {
    /// `spec` is that of a ValidatingAdmissionPolicy. Errors: every fault with its field.
    pub(crate) fn compile(mut spec: Value, minor: u32) -> Result<Self, Vec<String>> {
        if let Some(spec) = spec.as_object_mut() {
            spec.insert(
                "paramKind".to_owned(),
                serde_json::json!({"apiVersion": "v1", "kind": "Any"}),
            );
        }
        let spec: PolicySpec =
            serde_json::from_value(spec).map_err(|error| vec![error.to_string()])?;
        let faults = |faults: Vec<super::validate::Fault>| -> Vec<String> {
            faults
                .into_iter()
                .map(|(field, told)| format!("{}: {told}", field.trim_start_matches("spec.")))
                .collect()
        };
        let compiled = compile::compile(&spec, minor).map_err(faults)?;
        Ok(Self { compiled, failure: spec.failure_policy })
    }

    /// The messages of what fails. The request need not name a resource. Error: an expression asks the authorizer.
    pub(crate) fn judge(
        &self,
        request: &Map<String, Value>,
        params: &Value,
        namespace: Option<&Value>,
    ) -> Result<Vec<String>, String> {
        let object = |name: &str| {
            let mut object = request.get(name).cloned().unwrap_or_default();
            remove_nulls(&mut object);
            object
        };
        let review = Review {
            uid: member(request, "uid"),
            operation: member(request, "operation"),
            resource: resource(request.get("resource")),
            kind: kind(request.get("kind")),
            subresource: member(request, "subResource"),
            name: member(request, "name"),
            namespace: member(request, "namespace"),
            object: object("object"),
            old_object: object("oldObject"),
            request: variable(request),
        };
        let inputs = Inputs {
            review: &review,
            params: Some(params),
            namespace,
            variables: &self.compiled.variables,
        };
        match judge(&self.compiled, self.failure, inputs, &Arc::default()) {
            Ok(outcome) => Ok(outcome.failed.into_iter().map(|failed| failed.message).collect()),
            Err(_) => {
                Err("the policy asks the authorizer, and there is no user to ask about".to_owned())
            }
        }
    }
}
