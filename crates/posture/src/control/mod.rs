//! Control files: YAML text to a checked [`Control`], or problems with their places.
mod file;
mod load;
mod matches;

pub(crate) use load::load;
pub use matches::{Constraints, Facts, Matches, ResourceRule};
pub(crate) use matches::{group_version, plural};

use crate::cel::Expression;
use crate::native::Native;
use crate::path::FieldPath;
use crate::rbac::{Library, Permissions};
use crate::workload::{self, View};
use seawall_model::Severity;
use seawall_model::finding::State;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Whether findings count in scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    Stable,
    Preview,
}

/// A framework a control belongs to; without a version, to each of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub framework: String,
    pub version: Option<String>,
    /// Section numbers, as the framework writes them.
    pub sections: Vec<String>,
}

/// What one control demands of an object, compiled.
#[derive(Debug)]
pub struct Control {
    /// Path of the file it came from.
    pub file: String,
    /// `SW-C-0017`.
    pub id: String,
    pub title: String,
    pub severity: Severity,
    pub lifecycle: Lifecycle,
    pub score_group: String,
    /// Weight in risk scores where it is not the severity's.
    pub base_score: Option<f64>,
    /// Keys of the checklist it answers.
    pub covers: Vec<String>,
    pub frameworks: Vec<Membership>,
    pub description: String,
    pub remediation: String,
    /// Defaults of the parameters.
    pub params: Map<String, Value>,
    pub matches: Matches,
    pub(crate) judge: Judge,
    pub(crate) fix: Vec<FixOp>,
    pub(crate) tests: Vec<TestCase>,
    /// What the content knows of permissions, shared by all controls.
    pub(crate) library: Arc<Library>,
}

/// How a control comes to its judgement.
#[derive(Debug)]
pub(crate) enum Judge {
    /// Of one object, in CEL.
    Expressions(Rules),
    /// Of a subject among all objects, in Rust.
    Native(&'static Native),
    /// Of permissions, by data.
    Permissions(Permissions),
}

/// Conditions on one object.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Reason word and the condition under which the control does not apply.
    pub(crate) unless: Vec<(String, Expression)>,
    pub(crate) validations: Vec<Validation>,
}

#[derive(Debug)]
pub(crate) struct Validation {
    pub(crate) expression: Expression,
    pub(crate) path: FieldPath,
    pub(crate) message: String,
}

/// A change that heals, in terms of [`FieldPath`]s.
#[derive(Clone, Debug)]
pub(crate) struct FixOp {
    pub(crate) path: FieldPath,
    /// `None` removes.
    pub(crate) value: Option<Value>,
}

#[derive(Debug)]
pub(crate) struct TestCase {
    pub(crate) name: Option<String>,
    pub(crate) params: Map<String, Value>,
    /// `1.N` of the cluster the case happens in.
    pub(crate) kubernetes: Option<String>,
    pub(crate) expect: Expect,
    /// A part of a pod spec, a whole object, a document of facts, or objects and the subject's name.
    pub(crate) fragment: Value,
    pub(crate) line: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Fails,
    Passes,
    NotApplicable,
    Unknown,
}

impl Expect {
    pub(crate) fn state(self) -> State {
        match self {
            Self::Fails => State::Unhealthy,
            Self::Passes => State::Healthy,
            Self::NotApplicable => State::NotApplicable,
            Self::Unknown => State::Unknown,
        }
    }
}

impl Control {
    /// The engine that findings name.
    pub fn engine(&self) -> &'static str {
        match self.judge {
            Judge::Expressions(_) => "cel",
            Judge::Native(_) | Judge::Permissions(_) => "native",
        }
    }

    /// Whether it is about that object, alone.
    pub(crate) fn concerns(&self, view: &View<'_>) -> bool {
        match &self.matches {
            Matches::Workloads => view.kind().is_some(),
            Matches::Resources(constraints) => constraints.fit_view(view),
            Matches::Facts(_) | Matches::World => false,
        }
    }

    /// The same of whatever has that kind and name.
    pub(crate) fn concerns_kind(&self, api_version: &str, kind: &str, name: &str) -> bool {
        match &self.matches {
            Matches::Workloads => workload::kind(api_version, kind).is_some(),
            Matches::Resources(constraints) => constraints.fit_kind(api_version, kind, name),
            Matches::Facts(_) | Matches::World => false,
        }
    }

    /// Its conditions, where it has them.
    pub(crate) fn rules(&self) -> Option<&Rules> {
        match &self.judge {
            Judge::Expressions(rules) => Some(rules),
            Judge::Native(_) | Judge::Permissions(_) => None,
        }
    }
}
