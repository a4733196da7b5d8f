//! What sets of policies need of a cluster: objects they look up, and the requests they are for.
use super::sets::{Place, PolicyOf, Sets};
use seawall_model::admission::PolicyAction;
use seawall_policy::gatekeeper::Constraint;
use seawall_policy::vap::{self, RuleScope};
use std::collections::BTreeSet;

/// Operations that a webhook of Gatekeeper's is asked about unless its templates name others.
pub(super) const DEFAULT_OPERATIONS: [&str; 2] = ["CREATE", "UPDATE"];

/// Objects that policies look up; Namespaces besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// (`apiVersion`, kind).
    pub kinds: BTreeSet<(String, String)>,
    /// Kinds of any group and version: Gatekeeper's templates often name no more.
    pub names: BTreeSet<String>,
    /// A template computes what it reads: all that is synced.
    pub everything: bool,
}

/// Requests that a policy is for. `*` stands for all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    pub groups: Vec<String>,
    pub versions: Vec<String>,
    pub resources: Resources,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`, `*`.
    pub operations: Vec<String>,
    pub scope: RuleScope,
}

/// Which resources, as their policy names them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resources {
    /// Plural, with a subresource behind a slash.
    Plural(Vec<String>),
    /// Kinds, of which discovery knows the plural.
    Kinds(Vec<String>),
}

impl Needs {
    pub fn includes(&self, api_version: &str, kind: &str) -> bool {
        let is_named = || {
            let named = |(version, own): &(String, String)| version == api_version && own == kind;
            self.names.contains(kind) || self.kinds.iter().any(named)
        };
        self.everything || is_named()
    }
}

impl Sets {
    /// What all sets look up that are not off.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        for place in self.in_force() {
            let policies = &self.sets[place.set].policies;
            match &place.policy {
                PolicyOf::Vap(at) => {
                    let facts = policies.vap[*at].policies.facts();
                    let kinds = facts.filter_map(|facts| facts.param_kind);
                    needs
                        .kinds
                        .extend(kinds.map(|(version, kind)| (version.to_owned(), kind.to_owned())));
                }
                PolicyOf::Constraint(constraint) => {
                    let template = policies.gatekeeper.template(constraint);
                    for read in template.into_iter().flat_map(|template| template.reads()) {
                        match (read.group_version, read.kind) {
                            (Some(version), Some(kind)) => {
                                needs.kinds.insert((version, kind));
                            }
                            (None, Some(kind)) => {
                                needs.names.insert(kind);
                            }
                            _ => needs.everything = true,
                        }
                    }
                }
            }
        }
        needs
    }

    /// What the policies are for of all sets that are not off, each once. Bindings narrow it further, and what a rule
    /// excludes stands in none.
    pub fn rules(&self) -> Vec<Rule> {
        let mut rules = BTreeSet::new();
        for place in self.in_force() {
            let policies = &self.sets[place.set].policies;
            match &place.policy {
                PolicyOf::Vap(at) => {
                    let facts = policies.vap[*at].policies.facts();
                    rules.extend(facts.flat_map(|facts| facts.rules).map(of_policy));
                }
                PolicyOf::Constraint(constraint) => {
                    let template = policies.gatekeeper.template(constraint);
                    let operations = template.map(|template| template.operations());
                    rules.extend(of_constraint(constraint, operations.unwrap_or_default()));
                    let made = &self.sets[place.set].expansions;
                    let makers = made.iter().flat_map(|expansion| expansion.makers());
                    rules.extend(makers.map(|[groups, versions, kinds]| Rule {
                        groups: groups.clone(),
                        versions: versions.clone(),
                        resources: Resources::Kinds(kinds.clone()),
                        operations: DEFAULT_OPERATIONS.map(str::to_owned).to_vec(),
                        scope: RuleScope::All,
                    }));
                }
            }
        }
        rules.into_iter().collect()
    }

    fn in_force(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(|place| self.sets[place.set].ceiling != PolicyAction::Off)
    }
}

fn of_policy(rule: &vap::Rule) -> Rule {
    Rule {
        groups: rule.api_groups.clone(),
        versions: rule.api_versions.clone(),
        resources: Resources::Plural(rule.resources.clone()),
        operations: rule.operations.clone(),
        scope: rule.scope,
    }
}

fn of_constraint(constraint: &Constraint, operations: &[String]) -> Vec<Rule> {
    let all = || vec!["*".to_owned()];
    let kinds = match constraint.kinds() {
        kinds if kinds.is_empty() => vec![(all(), all())],
        kinds => kinds,
    };
    let operations = match operations {
        [] => DEFAULT_OPERATIONS.map(str::to_owned).to_vec(),
        named => named.to_vec(),
    };
    let rule = |(groups, kinds)| Rule {
        groups,
        versions: all(),
        resources: Resources::Kinds(kinds),
        operations: operations.clone(),
        scope: constraint.scope(),
    };
    kinds.into_iter().map(rule).collect()
}
