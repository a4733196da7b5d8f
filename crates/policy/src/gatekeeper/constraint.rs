//! Constraints: a template's kind, with match, actions and parameters.
use super::action::{Action, Actions, Point};
use super::matching::Match;
use super::template::Template;
use super::{at, group_version, text};
use crate::vap::{LabelSelector, RuleScope};
use serde_json::{Map, Value};

const GROUP: &str = "constraints.gatekeeper.sh";
/// Characters of a name; RFC 1123.
const MAX_NAME: usize = 253;

/// A constraint that its template takes.
#[derive(Clone, Debug)]
pub struct Constraint {
    pub kind: String,
    pub name: String,
    pub(super) matcher: Option<Match>,
    actions: Actions,
    /// With the defaults of the template's schema; `{}` where there are none.
    pub(super) parameters: Value,
    /// The whole, as CEL sees it.
    pub(super) document: Value,
}

/// Why a constraint is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    /// It does not fit the schema: what `invalid: true` of a suite expects.
    #[error("schema validation failed: {0}")]
    Schema(String),
    #[error("{0}")]
    Invalid(String),
}

/// Whether the document is a constraint of any template.
pub(super) fn is_constraint(document: &Value) -> bool {
    group_version(text(document, &["apiVersion"])).0 == GROUP
}

impl Template {
    /// Checks a constraint as Gatekeeper's webhook does, and fills in defaults.
    pub fn constrain(&self, document: &Value) -> Result<Constraint, ConstraintError> {
        let invalid = |message: String| ConstraintError::Invalid(message);
        let (kind, name) = (text(document, &["kind"]), text(document, &["metadata", "name"]));
        if kind != self.kind {
            return Err(invalid(format!("no ConstraintTemplate {:?}", kind.to_lowercase())));
        }
        let (group, version) = group_version(text(document, &["apiVersion"]));
        if group != GROUP {
            return Err(invalid(format!("unsupported group {group:?} for constraint {name:?}")));
        }
        for selector in ["labelSelector", "namespaceSelector"] {
            selector_is_sound(document, selector).map_err(invalid)?;
        }
        if !is_subdomain(name) {
            return Err(invalid(format!("invalid name: {name:?}")));
        }
        if !matches!(version, "v1beta1" | "v1alpha1") {
            return Err(invalid(format!(
                "unsupported version {version:?} for Constraint {name:?}"
            )));
        }
        self.schema.validate(document).map_err(ConstraintError::Schema)?;
        if let Some(path) = self.schema.unknown(document) {
            return Err(invalid(format!("unknown fields: [{path}]")));
        }
        let mut document = document.clone();
        self.schema.fill(&mut document);
        if let Some(fields) = document.as_object_mut() {
            fields.remove("status");
        }
        let matcher = match at(&document, &["spec", "match"]) {
            None => None,
            Some(spec) => {
                let matcher = serde_json::from_value(spec.clone());
                Some(matcher.map_err(|error| invalid(format!("spec.match: {error}")))?)
            }
        };
        let parameters = at(&document, &["spec", "parameters"]).cloned();
        Ok(Constraint {
            kind: kind.to_owned(),
            name: name.to_owned(),
            matcher,
            actions: Actions::read(&document).map_err(invalid)?,
            parameters: parameters.unwrap_or_else(|| Value::Object(Map::new())),
            document,
        })
    }
}

impl Constraint {
    /// API groups and kinds it is for, `*` for all; none: everything.
    pub fn kinds(&self) -> Vec<(Vec<String>, Vec<String>)> {
        self.matcher.as_ref().map(Match::kinds).unwrap_or_default()
    }

    pub fn scope(&self) -> RuleScope {
        self.matcher.as_ref().map(Match::scope_of).unwrap_or_default()
    }

    /// What its violations do at `point`; nothing if it is not judged there.
    pub fn actions(&self, point: Point) -> Vec<Action> {
        self.actions.at(point)
    }
}

fn selector_is_sound(document: &Value, name: &str) -> Result<(), String> {
    let Some(selector) = at(document, &["spec", "match", name]) else { return Ok(()) };
    let selector: LabelSelector = serde_json::from_value(selector.clone())
        .map_err(|error| format!("spec.match.{name}: {error}"))?;
    match selector.faults().first() {
        Some((field, fault)) => Err(format!("spec.match.{name}.{field}: {fault}")),
        None => Ok(()),
    }
}

/// RFC 1123: labels of lower-case letters, digits and dashes, between dots.
fn is_subdomain(name: &str) -> bool {
    let label = |label: &str| {
        let edge =
            |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        edge(label.bytes().next())
            && edge(label.bytes().last())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.len() <= MAX_NAME && name.split('.').all(label)
}
