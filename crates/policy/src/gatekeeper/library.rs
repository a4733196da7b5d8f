//! All templates and constraints at hand.
use super::constraint::{Constraint, ConstraintError, is_constraint};
use super::template::{Template, is_template};
use super::text;
use crate::vap::Document;
use seawall_model::Problem;
use seawall_rego::InventoryRead;
use std::collections::{BTreeMap, BTreeSet};

/// What is loaded. Shared between workers, each of which has a [`super::Judge`] of its own.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// By the kind of their constraints.
    pub(super) templates: BTreeMap<String, Template>,
    /// By kind and name: the order in which Gatekeeper gives results.
    pub(super) constraints: BTreeMap<(String, String), Constraint>,
}

impl Library {
    /// Takes templates and constraints out of `documents` and leaves the rest. Expressions of CEL compile as those of
    /// Kubernetes 1.`minor`. Problems: `policy` for what Gatekeeper would refuse; the others load.
    pub fn load(documents: &[Document], minor: u32) -> (Self, Vec<Problem>) {
        let mut library = Self::default();
        let mut problems = Vec::new();
        for document in documents.iter().filter(|document| is_template(&document.object)) {
            match Template::load(&document.object, minor) {
                Ok(template) => library.add(template),
                Err(errors) => {
                    problems.extend(errors.iter().map(|error| problem(document, error)));
                }
            }
        }
        for document in documents.iter().filter(|document| is_constraint(&document.object)) {
            if let Err(error) = library.constrain(&document.object) {
                problems.push(problem(document, &error.to_string()));
            }
        }
        (library, problems)
    }

    /// Adds a template; one of the same kind goes, with its constraints.
    pub fn add(&mut self, template: Template) {
        self.constraints.retain(|(kind, _), _| *kind != template.kind);
        self.templates.insert(template.kind.clone(), template);
    }

    /// Adds a constraint of a template that is there.
    pub fn constrain(&mut self, document: &serde_json::Value) -> Result<(), ConstraintError> {
        let kind = text(document, &["kind"]);
        let Some(template) = self.templates.get(kind) else {
            let name = kind.to_lowercase();
            return Err(ConstraintError::Invalid(format!("missing ConstraintTemplate {name:?}")));
        };
        let constraint = template.constrain(document)?;
        self.constraints.insert((constraint.kind.clone(), constraint.name.clone()), constraint);
        Ok(())
    }

    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.templates.values()
    }

    pub fn constraints(&self) -> impl Iterator<Item = &Constraint> {
        self.constraints.values()
    }

    /// The template of a constraint.
    pub fn template(&self, constraint: &Constraint) -> Option<&Template> {
        self.templates.get(&constraint.kind)
    }

    /// What its templates read of the inventory.
    pub fn reads(&self) -> BTreeSet<InventoryRead> {
        self.templates.values().flat_map(Template::reads).collect()
    }
}

fn problem(document: &Document, message: &str) -> Problem {
    let object = &document.object;
    let item = format!("{} {}", text(object, &["kind"]), text(object, &["metadata", "name"]));
    let mut problem = Problem::error("policy", message).item(item);
    problem.file.clone_from(&document.file);
    problem.line = document.line;
    problem
}
