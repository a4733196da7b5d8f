//! ConstraintTemplates. Source: constraint framework `pkg/apis/templates`, `pkg/client/crds`, `pkg/client/client.go`.
use super::native::Native;
use super::schema::Schema;
use super::{at, group_version, text};
use crate::vap::FailurePolicy;
use seawall_rego::{InventoryRead, Policy, Source, Version};
use serde_json::Value;
use std::collections::BTreeSet;

const GROUP: &str = "templates.gatekeeper.sh";
const TARGET: &str = "admission.k8s.gatekeeper.sh";

/// A template that loads.
#[derive(Clone, Debug)]
pub struct Template {
    pub name: String,
    /// Of its constraints.
    pub kind: String,
    pub(super) engine: Engine,
    /// Of the constraint as a whole.
    pub(super) schema: Schema,
    /// Admission operations it is for; empty: all.
    pub(super) operations: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Engine {
    Rego(Policy),
    Native(Native),
}

/// Whether the document is a ConstraintTemplate of any version.
pub(super) fn is_template(document: &Value) -> bool {
    group_version(text(document, &["apiVersion"])).0 == GROUP
        && text(document, &["kind"]) == "ConstraintTemplate"
}

impl Template {
    /// Loads a template of any version. Errors: one line each, those of Rego with module, line and column.
    pub fn load(document: &Value, minor: u32) -> Result<Self, Vec<String>> {
        let one = |message: String| vec![message];
        if !is_template(document) {
            return Err(one("not a ConstraintTemplate".to_owned()));
        }
        let version = group_version(text(document, &["apiVersion"])).1;
        if !matches!(version, "v1" | "v1beta1" | "v1alpha1") {
            return Err(one(format!(
                "no kind \"ConstraintTemplate\" is registered for version \"{GROUP}/{version}\""
            )));
        }
        let name = text(document, &["metadata", "name"]).to_owned();
        let kind = text(document, &["spec", "crd", "spec", "names", "kind"]).to_owned();
        let targets = at(document, &["spec", "targets"]).and_then(Value::as_array);
        let target = match targets.map(Vec::as_slice) {
            None | Some([]) => {
                return Err(one(
                    "no targets specified: ConstraintTemplate must specify one target".to_owned(),
                ));
            }
            Some([target]) => target,
            Some(_) => {
                return Err(one("multi-target templates are not currently supported".to_owned()));
            }
        };
        if kind.is_empty() {
            return Err(one(format!("ConstraintTemplate {name:?} does not specify CRD Kind")));
        }
        if !name.eq_ignore_ascii_case(&kind) {
            let lower = kind.to_lowercase();
            return Err(one(format!(
                "the ConstraintTemplate's name {name:?} is not equal to the lowercase of CRD's Kind: {lower:?}"
            )));
        }
        if text(target, &["target"]) != TARGET {
            let given = text(target, &["target"]);
            return Err(one(format!("target {given:?} not recognized, known targets [{TARGET}]")));
        }
        let schema = Schema::of_constraint(document, version).map_err(one)?;
        let operations =
            at(target, &["operations"]).and_then(Value::as_array).into_iter().flatten();
        let operations = operations.filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(Self { name, kind, engine: engine(target, minor)?, schema, operations })
    }

    /// What it reads of the inventory; empty for CEL, which reads none.
    pub fn reads(&self) -> BTreeSet<InventoryRead> {
        match &self.engine {
            Engine::Rego(policy) => policy.reads().clone(),
            Engine::Native(_) => BTreeSet::new(),
        }
    }

    /// Admission operations it names; empty: all that it is asked for.
    pub fn operations(&self) -> &[String] {
        &self.operations
    }

    /// What its source in CEL says of errors; Rego says nothing.
    pub fn failure_policy(&self) -> Option<FailurePolicy> {
        match &self.engine {
            Engine::Native(native) => native.failure_policy(),
            Engine::Rego(_) => None,
        }
    }

    /// `rego` or `cel`.
    pub fn engine_name(&self) -> &'static str {
        match &self.engine {
            Engine::Rego(_) => "rego",
            Engine::Native(_) => "cel",
        }
    }

    pub(super) fn is_for(&self, operation: &str) -> bool {
        self.operations.is_empty()
            || self.operations.iter().any(|one| one == "*" || one == operation)
    }
}

/// CEL wins over Rego; Rego at the target's own fields wins over that in `code`.
fn engine(target: &Value, minor: u32) -> Result<Engine, Vec<String>> {
    let code = at(target, &["code"]).and_then(Value::as_array);
    let find = |engine: &str| {
        code.into_iter()
            .flatten()
            .find(|code| text(code, &["engine"]) == engine)
            .and_then(|code| code.get("source"))
    };
    if let Some(source) = find("K8sNativeValidation") {
        return Native::load(source, minor).map(Engine::Native);
    }
    let strings = |value: Option<&Value>| {
        let items = value.and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let direct = text(target, &["rego"]);
    let source = if !direct.is_empty() {
        Source {
            version: Version::V0,
            rego: direct.to_owned(),
            libs: strings(at(target, &["libs"])),
        }
    } else if let Some(source) = find("Rego") {
        let Some(rego) = source.get("rego").and_then(Value::as_str) else {
            return Err(vec!["rego source missing required field: rego".to_owned()]);
        };
        let version = if text(source, &["version"]) == "v1" { Version::V1 } else { Version::V0 };
        Source { version, rego: rego.to_owned(), libs: strings(at(source, &["libs"])) }
    } else {
        let engines: Vec<&str> =
            code.into_iter().flatten().map(|code| text(code, &["engine"])).collect();
        return Err(vec![format!("no engine for this template: it has [{}]", engines.join(", "))]);
    };
    let load = Policy::load(&source);
    load.map(Engine::Rego).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}
