//! Risky permissions: patterns from `content/rbac`, and which bindings give whom what they describe.
use super::permission::{Bits, Permission, Universe};
use super::role::Scope;
use super::rule::Rule;
use super::{Access, BindingRef, Chain, Closure, Grant, Subject, in_scope};
use seawall_model::Problem;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Chains told of one binding; each subject of a binding has at least one.
const MAX_TOLD: usize = 32;

/// One risky permission.
#[derive(Clone, Debug, PartialEq)]
pub struct Risk {
    /// Stem of its file: `secrets-read`.
    pub name: String,
    pub title: String,
    /// ATT&CK technique, where one fits.
    pub technique: Option<String>,
    pub why: String,
    /// What whoever has it comes to: one of [`YIELDS`].
    pub yields: String,
    any_of: Vec<Alternative>,
}

impl Risk {
    /// Whether it depends on an object that may exist.
    pub fn needs_objects(&self) -> bool {
        self.any_of.iter().flat_map(|one| &one.grants).any(|clause| clause.only_with.is_some())
    }

    /// Whether it takes several grants, which different bindings may give.
    pub fn is_joint(&self) -> bool {
        self.any_of.iter().any(|one| one.grants.len() > 1)
    }
}

/// What a risky permission leads to; attack paths go on from there.
pub const YIELDS: &[&str] = &[
    "cluster-admin",
    "identity",
    "secrets",
    "code-execution",
    "node",
    "traffic",
    "tampering",
    "destruction",
    "hiding",
];

#[derive(Clone, Debug, PartialEq)]
struct Alternative {
    scope: Reach,
    grants: Vec<Clause>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reach {
    /// A grant in one namespace is enough.
    #[default]
    Any,
    /// The resource belongs to the cluster: what a RoleBinding grants on it has no effect.
    Cluster,
}

/// Holds where any of the verbs is granted on any of the resources. `*` is the literal request, which only a wildcard
/// grants.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Clause {
    verbs: Vec<Arc<str>>,
    #[serde(default = "core_group")]
    api_groups: Vec<Arc<str>>,
    resources: Vec<Arc<str>>,
    /// The objects meant; none means any, and then a rule with `resourceNames` does not count.
    #[serde(default)]
    names: Vec<Arc<str>>,
    /// Verbs that count although a rule has `resourceNames`.
    #[serde(default)]
    despite_names: Vec<Arc<str>>,
    /// The namespace meant.
    namespace: Option<Arc<str>>,
    /// `Kind/namespace/name`: a rule without `resourceNames` counts only where this object is known to exist.
    only_with: Option<String>,
}

fn core_group() -> Vec<Arc<str>> {
    vec!["".into()]
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    title: String,
    technique: Option<String>,
    why: String,
    yields: String,
    any_of: Vec<AlternativeFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlternativeFile {
    #[serde(default)]
    scope: Reach,
    grants: Vec<Clause>,
}

/// All risky permissions, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Risks(Vec<Risk>);

impl Risks {
    /// Reads (path, text) pairs; the name is the file's stem. A file with a problem is left out.
    pub fn load<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> (Self, Vec<Problem>) {
        let (mut risks, mut problems) = (Vec::new(), Vec::new());
        for (file, text) in files {
            match read(file, text) {
                Ok(risk) => risks.push(risk),
                Err(problem) => problems.push(*problem),
            }
        }
        risks.sort_by(|a: &Risk, b| a.name.cmp(&b.name));
        (Self(risks), problems)
    }

    pub fn get(&self, name: &str) -> Option<&Risk> {
        self.0.iter().find(|risk| risk.name == name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Risk> {
        self.0.iter()
    }
}

fn read(file: &str, text: &str) -> Result<Risk, Box<Problem>> {
    let place = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let parsed: File = serde_saphyr::from_str(text).map_err(|error| {
        let at = error.location().map_or((1, 1), |at| (place(at.line()), place(at.column())));
        let message = error.without_snippet().to_string();
        Box::new(Problem::error("permission", message).file(file).at(at.0, at.1))
    })?;
    let refused = |message: String| Box::new(Problem::error("permission", message).file(file));
    if !YIELDS.contains(&parsed.yields.as_str()) {
        let known = YIELDS.join(", ");
        return Err(refused(format!("unknown yield `{}`: expected one of {known}", parsed.yields)));
    }
    let empty = |clause: &Clause| clause.verbs.is_empty() || clause.resources.is_empty();
    if parsed.any_of.is_empty()
        || parsed.any_of.iter().any(|one| one.grants.is_empty() || one.grants.iter().any(empty))
    {
        return Err(refused("a pattern without a grant would hold for everybody".to_owned()));
    }
    let stem = file.rsplit('/').next().unwrap_or(file);
    let any_of = parsed.any_of.into_iter();
    Ok(Risk {
        name: stem.strip_suffix(".yaml").unwrap_or(stem).to_owned(),
        title: parsed.title,
        technique: parsed.technique,
        why: parsed.why.trim_end().to_owned(),
        yields: parsed.yields,
        any_of: any_of.map(|one| Alternative { scope: one.scope, grants: one.grants }).collect(),
    })
}

/// A risk with the numbers of its permissions, per alternative and clause.
#[derive(Debug)]
pub(super) struct Compiled {
    risk: Risk,
    bits: Vec<Vec<Bits>>,
}

impl Compiled {
    pub(super) fn new(risk: &Risk, universe: &mut Universe) -> Self {
        let mut bits_of = |clause: &Clause| {
            let mut bits = Bits::default();
            for verb in &clause.verbs {
                for group in &clause.api_groups {
                    for resource in &clause.resources {
                        let (verb, group, resource) =
                            (verb.clone(), group.clone(), resource.clone());
                        let number = universe.learn(Permission { verb, group, resource });
                        number.into_iter().for_each(|number| bits.insert(number));
                    }
                }
            }
            bits
        };
        let bits = risk.any_of.iter().map(|one| one.grants.iter().map(&mut bits_of).collect());
        Self { bits: bits.collect(), risk: risk.clone() }
    }
}

/// A subject that has a risky permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub subject: Subject,
    /// `None`: in the whole cluster.
    pub namespace: Option<Arc<str>>,
    /// One per part of the pattern.
    pub chains: Vec<Chain>,
}

/// What is asked about one binding.
pub struct Ask<'a> {
    pub risk: &'a str,
    pub binding: &'a BindingRef,
    /// Subjects that are not judged.
    pub skip: &'a dyn Fn(&Subject) -> bool,
    /// Whether the object `Kind/namespace/name` exists.
    pub exists: &'a dyn Fn(&str) -> bool,
}

impl Access {
    /// The subjects of a binding that have a risky permission, to which this binding adds a part. `None` where there
    /// is no such risk.
    pub fn risk_through(&self, ask: &Ask<'_>) -> Option<Vec<Held>> {
        let compiled = self.risks.iter().find(|compiled| compiled.risk.name == ask.risk)?;
        let mut found = Vec::new();
        let Some(binding) = self.bindings.get(ask.binding) else { return Some(found) };
        let Some(role) = self.roles.get(&binding.role) else { return Some(found) };
        let own = &role.effective.scope;
        for (alternative, bits) in compiled.risk.any_of.iter().zip(&compiled.bits) {
            if alternative.scope == Reach::Cluster && ask.binding.0.namespace.is_some() {
                continue;
            }
            if !bits.iter().any(|bits| own.named || own.bits.meets(bits)) {
                continue;
            }
            let subjects: BTreeSet<&Subject> = binding.subjects.iter().collect();
            for subject in subjects.into_iter().filter(|subject| !(ask.skip)(subject)) {
                if found.len() >= MAX_TOLD {
                    return Some(found);
                }
                let known = found.iter().any(|held: &Held| held.subject == *subject);
                if !known {
                    let search = Search { access: self, alternative, bits, ask, subject };
                    found.extend(search.held());
                }
            }
        }
        Some(found)
    }

    /// Whether `subject` has a risky permission in `namespace`, through whatever binding.
    pub fn has_risk(&self, subject: &Subject, risk: &str, namespace: Option<&str>) -> Option<Held> {
        let compiled = self.risks.iter().find(|compiled| compiled.risk.name == risk)?;
        let never = |_: &Subject| false;
        let exists = |_: &str| true;
        let binding = BindingRef(super::Name { namespace: None, name: "".into() });
        let ask = Ask { risk, binding: &binding, skip: &never, exists: &exists };
        let namespace = namespace.map(Arc::from);
        compiled.risk.any_of.iter().zip(&compiled.bits).find_map(|(alternative, bits)| {
            let search = Search { access: self, alternative, bits, ask: &ask, subject };
            let chains = search.chains(namespace.as_ref())?;
            Some(Held { subject: subject.clone(), namespace: namespace.clone(), chains })
        })
    }
}

/// One alternative of one risk, asked of one subject.
struct Search<'a> {
    access: &'a Access,
    alternative: &'a Alternative,
    bits: &'a [Bits],
    ask: &'a Ask<'a>,
    subject: &'a Subject,
}

impl Search<'_> {
    fn held(&self) -> Option<Held> {
        let through = |namespace: Option<Arc<str>>| {
            let chains = self.chains(namespace.as_ref())?;
            let adds = chains.iter().flat_map(|chain| &chain.grant);
            adds.into_iter().any(|grant| grant.binding == *self.ask.binding).then(|| Held {
                subject: self.subject.clone(),
                namespace,
                chains,
            })
        };
        let own = self.ask.binding.0.namespace.clone();
        let first = through(own.clone());
        if first.is_some() || own.is_some() || self.alternative.scope == Reach::Cluster {
            return first;
        }
        // Of the cluster: what is missing may be granted in one namespace.
        let asked = [self.subject.clone()].into_iter().chain(self.subject.implied());
        let closures: Vec<_> =
            asked.filter_map(|subject| self.access.closures.get(&subject)).collect();
        let mut namespaces: BTreeSet<&Arc<str>> =
            closures.iter().flat_map(|closure| closure.namespaces.keys()).collect();
        let meant = self.alternative.grants.iter().filter_map(|clause| clause.namespace.as_ref());
        namespaces.extend(meant);
        namespaces.into_iter().find_map(|namespace| through(Some(namespace.clone())))
    }

    /// A chain for every part, in one scope.
    fn chains(&self, namespace: Option<&Arc<str>>) -> Option<Vec<Chain>> {
        let parts = self.alternative.grants.iter().zip(self.bits);
        parts.map(|(clause, bits)| self.part(clause, bits, namespace)).collect()
    }

    fn part(&self, clause: &Clause, bits: &Bits, namespace: Option<&Arc<str>>) -> Option<Chain> {
        let meant = clause.namespace.as_ref();
        if let (Some(meant), Some(namespace)) = (meant, namespace)
            && meant != namespace
        {
            return None;
        }
        let namespace = meant.or(namespace);
        let plain = clause.only_with.as_ref().is_none_or(|object| (self.ask.exists)(object));
        let asked = [self.subject.clone()].into_iter().chain(self.subject.implied());
        let mut fallback = None;
        for subject in asked {
            let Some(closure) = self.access.closures.get(&subject) else { continue };
            for (scope, of) in scopes(closure, namespace, self.alternative.scope) {
                if !(scope.named || plain && scope.bits.meets(bits)) {
                    continue;
                }
                for grant in self.grants(closure, of, clause, plain) {
                    let own = grant.binding == *self.ask.binding;
                    let chain = Chain { subject: subject.clone(), grant: Some(grant) };
                    // The binding asked about goes first, so that it is told rather than an equal one.
                    if own {
                        return Some(chain);
                    }
                    fallback = fallback.or(Some(chain));
                }
            }
        }
        fallback
    }

    fn grants<'b>(
        &'b self,
        closure: &'b Closure,
        namespace: Option<&'b Arc<str>>,
        clause: &'b Clause,
        plain: bool,
    ) -> impl Iterator<Item = Grant> + 'b {
        let bindings = in_scope(&closure.bindings, namespace);
        bindings
            .flat_map(|binding| self.access.grants_of(binding))
            .filter(move |grant| clause.holds(&grant.rule, plain))
    }
}

fn scopes<'a>(
    closure: &'a Closure,
    namespace: Option<&Arc<str>>,
    reach: Reach,
) -> Vec<(&'a Scope, Option<&'a Arc<str>>)> {
    let mut scopes = vec![(&closure.cluster, None)];
    if let (Some(namespace), Reach::Any) = (namespace, reach) {
        let found = closure.namespaces.get_key_value(namespace);
        scopes.extend(found.map(|(namespace, scope)| (scope, Some(namespace))));
    }
    scopes
}

impl Clause {
    /// Whether a rule grants it. `plain`: rules without names count.
    fn holds(&self, rule: &Rule, plain: bool) -> bool {
        let covers = |verbs: &[Arc<str>]| {
            let mut questions = verbs.iter().flat_map(|verb| {
                self.api_groups.iter().flat_map(move |group| {
                    self.resources.iter().map(move |resource| Permission {
                        verb: verb.clone(),
                        group: group.clone(),
                        resource: resource.clone(),
                    })
                })
            });
            questions.any(|permission| rule.covers(&permission))
        };
        if rule.names.is_empty() {
            return plain && covers(&self.verbs);
        }
        let meant = self.names.iter().any(|name| rule.names.contains(name));
        (meant && covers(&self.verbs)) || covers(&self.despite_names)
    }
}
