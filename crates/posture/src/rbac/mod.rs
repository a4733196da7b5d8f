//! Who may do what: roles, bindings and subjects joined as the API server's RBAC authorizer joins them.
//!
//! ```text
//! Role, ClusterRole ─aggregate─► rules, bits ─┐
//! RoleBinding, ClusterRoleBinding ─roleRef────┴─union─► scopes of each subject ─► can, risks
//! ```
//!
//! Owned by whoever collects objects, who alone calls [`Access::update`]. A change recomputes the scopes of the
//! subjects that it reaches and no others.
mod bootstrap;
mod library;
mod permission;
mod permissions;
mod risk;
mod role;
mod rule;
mod subject;

pub use bootstrap::Bootstrap;
pub(crate) use library::FOLDER;
pub use library::Library;
pub(crate) use permissions::{Permissions, binding_of, proof, undecided};
pub use risk::{Ask, Held, Risk, Risks, YIELDS};
pub use rule::Rule;
pub use subject::{ALL_ACCOUNTS, ANONYMOUS, AUTHENTICATED, MASTERS, Subject, UNAUTHENTICATED};

use permission::{Permission, Universe};
use role::{Role, Scope};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

/// Roles and bindings of each kind that are kept; the largest clusters known have 50,000.
pub const MAX_OBJECTS: usize = 500_000;

/// No namespace: of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    pub namespace: Option<Arc<str>>,
    pub name: Arc<str>,
}

/// A Role, or a ClusterRole where it has no namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleRef(pub Name);

/// A RoleBinding, or a ClusterRoleBinding where it has no namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BindingRef(pub Name);

#[derive(Debug)]
struct Binding {
    role: RoleRef,
    subjects: Vec<Subject>,
}

/// What one subject is granted itself, its groups apart.
#[derive(Debug, Default)]
struct Closure {
    bindings: BTreeSet<BindingRef>,
    cluster: Scope,
    namespaces: BTreeMap<Arc<str>, Scope>,
}

/// Roles and bindings as they are now.
#[derive(Debug, Default)]
pub struct Access {
    universe: Universe,
    roles: BTreeMap<RoleRef, Role>,
    bindings: BTreeMap<BindingRef, Binding>,
    by_role: HashMap<RoleRef, BTreeSet<BindingRef>>,
    closures: BTreeMap<Subject, Closure>,
    risks: Vec<risk::Compiled>,
}

/// What became of an object.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Role, ClusterRole, RoleBinding or ClusterRoleBinding; other kinds are passed over.
    Set(&'a Value),
    Gone {
        kind: &'a str,
        namespace: Option<&'a str>,
        name: &'a str,
    },
}

/// A question to the authorizer. `resource` is `pods` or `pods/log`; an empty `name` means no particular object.
#[derive(Clone, Copy, Debug)]
pub enum Question<'a> {
    Resource {
        verb: &'a str,
        group: &'a str,
        resource: &'a str,
        namespace: Option<&'a str>,
        name: &'a str,
    },
    Url {
        verb: &'a str,
        path: &'a str,
    },
}

/// Why the answer is yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The subject itself, or the group through which it comes.
    pub subject: Subject,
    /// `None` for `system:masters`, whom the API server asks nothing.
    pub grant: Option<Grant>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub binding: BindingRef,
    /// That the binding refers to.
    pub role: RoleRef,
    /// Where the rule stands: `role`, or one that it aggregates.
    pub source: RoleRef,
    /// 0-based, in the source's `rules`.
    pub index: usize,
    pub rule: Arc<Rule>,
}

impl Access {
    /// Nobody may do anything yet. The risks have to be known before the roles, whose wildcards cover them.
    pub fn new(risks: &Risks) -> Self {
        let mut access = Self::default();
        let compile = |risk| risk::Compiled::new(risk, &mut access.universe);
        access.risks = risks.iter().map(compile).collect();
        access
    }

    /// Applies changes and returns the subjects that they reach: those whose permissions may differ now, a group
    /// standing for all its members. Problems: roles with an unreadable selector, objects over the limit.
    pub fn update<'a>(
        &mut self,
        changes: impl IntoIterator<Item = Change<'a>>,
    ) -> (BTreeSet<Subject>, Vec<String>) {
        let mut reached = Reached::default();
        for change in changes {
            match change {
                Change::Set(object) => self.set(object, &mut reached),
                Change::Gone { kind, namespace, name } => {
                    let name = Name { namespace: namespace.map(Arc::from), name: name.into() };
                    match kind {
                        "Role" | "ClusterRole" => {
                            self.replace_role(RoleRef(name), None, &mut reached)
                        }
                        "RoleBinding" | "ClusterRoleBinding" => {
                            self.replace_binding(BindingRef(name), None, &mut reached);
                        }
                        _ => {}
                    }
                }
            }
        }
        self.settle(&mut reached);
        (reached.subjects, reached.problems)
    }

    fn set(&mut self, object: &Value, reached: &mut Reached) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let group = text("/apiVersion").and_then(|version| version.split_once('/'));
        let (Some(("rbac.authorization.k8s.io", _)), Some(name)) = (group, text("/metadata/name"))
        else {
            return;
        };
        let kind = text("/kind").unwrap_or_default();
        let namespace = match kind {
            // The API server puts an object of a file without a namespace into this one.
            "Role" | "RoleBinding" => Some(text("/metadata/namespace").unwrap_or("default")),
            _ => None,
        };
        let name = Name { namespace: namespace.map(Arc::from), name: name.into() };
        if self.roles.len().max(self.bindings.len()) >= MAX_OBJECTS {
            reached
                .problems
                .push(format!("{kind} {name}: more than {MAX_OBJECTS} roles or bindings"));
            return;
        }
        match kind {
            "Role" | "ClusterRole" => {
                let mut problems = Vec::new();
                let role = Role::read(object, &mut problems);
                let told = problems.into_iter().map(|problem| format!("{kind} {name}: {problem}"));
                reached.problems.extend(told);
                self.replace_role(RoleRef(name), Some(role), reached);
            }
            "RoleBinding" | "ClusterRoleBinding" => {
                let role = text("/roleRef/name").unwrap_or_default();
                // A ClusterRoleBinding cannot refer to a Role; no role is in the namespace without a name.
                let of = match text("/roleRef/kind") {
                    Some("Role") => Some(name.namespace.clone().unwrap_or_default()),
                    _ => None,
                };
                let role = RoleRef(Name { namespace: of, name: role.into() });
                let subjects =
                    object.get("subjects").and_then(Value::as_array).into_iter().flatten();
                let subjects =
                    subjects.filter_map(|value| Subject::read(value, namespace)).collect();
                self.replace_binding(BindingRef(name), Some(Binding { role, subjects }), reached);
            }
            _ => {}
        }
    }

    fn replace_role(&mut self, name: RoleRef, role: Option<Role>, reached: &mut Reached) {
        let mut labels: Vec<Value> = role.iter().map(|role| role.labels.clone()).collect();
        let before = match role {
            Some(role) => self.roles.insert(name.clone(), role),
            None => self.roles.remove(&name),
        };
        labels.extend(before.map(|role| role.labels));
        reached.roles.entry(name).or_default().extend(labels);
    }

    fn replace_binding(
        &mut self,
        name: BindingRef,
        binding: Option<Binding>,
        reached: &mut Reached,
    ) {
        if let Some(before) = self.bindings.remove(&name) {
            if let Some(siblings) = self.by_role.get_mut(&before.role) {
                siblings.remove(&name);
                if siblings.is_empty() {
                    self.by_role.remove(&before.role);
                }
            }
            for subject in before.subjects {
                if let Some(closure) = self.closures.get_mut(&subject) {
                    closure.bindings.remove(&name);
                }
                reached.touch(subject, &name);
            }
        }
        let Some(binding) = binding else { return };
        self.by_role.entry(binding.role.clone()).or_default().insert(name.clone());
        for subject in &binding.subjects {
            self.closures.entry(subject.clone()).or_default().bindings.insert(name.clone());
            reached.touch(subject.clone(), &name);
        }
        self.bindings.insert(name, binding);
    }

    /// Recomputes the roles that changed and those that aggregate them, then the scopes of whoever is bound to them.
    fn settle(&mut self, reached: &mut Reached) {
        let mut stale = BTreeSet::new();
        for (name, labels) in &reached.roles {
            stale.extend(role::dependants(&self.roles, name, labels));
        }
        for name in &stale {
            let effective = role::effective(&self.roles, name, &mut self.universe);
            if effective.scope.cut {
                reached.problems.push(format!("{name}: has more rules than are read"));
            }
            if let Some(role) = self.roles.get_mut(name) {
                role.effective = Arc::new(effective);
            }
            for binding in self.by_role.get(name).into_iter().flatten() {
                for subject in
                    self.bindings.get(binding).into_iter().flat_map(|found| &found.subjects)
                {
                    reached.touch(subject.clone(), binding);
                }
            }
        }
        for (subject, scopes) in &reached.scopes {
            self.recompute(subject, scopes);
        }
    }

    fn recompute(&mut self, subject: &Subject, scopes: &BTreeSet<Option<Arc<str>>>) {
        let Some(closure) = self.closures.get_mut(subject) else { return };
        if closure.bindings.is_empty() {
            self.closures.remove(subject);
            return;
        }
        for namespace in scopes {
            let mut scope = Scope::default();
            let mut bound = false;
            for binding in in_scope(&closure.bindings, namespace.as_ref()) {
                bound = true;
                let role = self.bindings.get(binding).and_then(|found| self.roles.get(&found.role));
                role.into_iter().for_each(|role| scope.union(&role.effective.scope));
            }
            match namespace {
                None => closure.cluster = scope,
                Some(namespace) if bound => _ = closure.namespaces.insert(namespace.clone(), scope),
                Some(namespace) => _ = closure.namespaces.remove(namespace),
            }
        }
    }

    /// Whether `subject` may, and why. Its implied groups are asked too; `groups` are further ones it is in.
    pub fn can(
        &self,
        subject: &Subject,
        groups: &[Subject],
        question: &Question<'_>,
    ) -> Option<Chain> {
        let implied = subject.implied();
        let all = || [subject].into_iter().chain(groups).chain(&implied);
        let masters = |subject: &&Subject| matches!(subject, Subject::Group(name) if name.as_ref() == MASTERS);
        if let Some(subject) = all().find(masters) {
            return Some(Chain { subject: subject.clone(), grant: None });
        }
        all().find_map(|subject| {
            let grant = self.granted(subject, question)?;
            Some(Chain { subject: subject.clone(), grant: Some(grant) })
        })
    }

    fn granted(&self, subject: &Subject, question: &Question<'_>) -> Option<Grant> {
        let closure = self.closures.get(subject)?;
        let (permission, namespace, name) = match *question {
            Question::Url { verb, path } => {
                if !closure.cluster.urls {
                    return None;
                }
                return self.first(closure, None, |rule| rule.grants_url(verb, path));
            }
            Question::Resource { verb, group, resource, namespace, name } => {
                let (verb, group, resource) = (verb.into(), group.into(), resource.into());
                (Permission { verb, group, resource }, namespace, name)
            }
        };
        let number = self.universe.number(&permission);
        let may = |scope: &Scope| {
            number.is_some_and(|number| scope.bits.contains(number))
                || scope.open
                || (scope.named && !name.is_empty())
        };
        let grants = |rule: &Rule| rule.grants(&permission, name);
        if may(&closure.cluster)
            && let Some(grant) = self.first(closure, None, grants)
        {
            return Some(grant);
        }
        let (namespace, scope) = closure.namespaces.get_key_value(namespace?)?;
        if may(scope) { self.first(closure, Some(namespace), grants) } else { None }
    }

    /// The first rule, in the order of bindings and rules, that `grants` accepts.
    fn first(
        &self,
        closure: &Closure,
        namespace: Option<&Arc<str>>,
        grants: impl Fn(&Rule) -> bool,
    ) -> Option<Grant> {
        in_scope(&closure.bindings, namespace)
            .find_map(|name| self.grants_of(name).find(|grant| grants(&grant.rule)))
    }

    /// What a binding grants, rule by rule.
    pub fn grants_of<'a>(&'a self, name: &'a BindingRef) -> impl Iterator<Item = Grant> + 'a {
        let role = self.bindings.get(name).and_then(|binding| {
            Some((binding.role.clone(), self.roles.get(&binding.role)?.effective.clone()))
        });
        let count = role.as_ref().map_or(0, |(_, effective)| effective.rules.len());
        (0..count).filter_map(move |at| {
            let (role, effective) = role.as_ref()?;
            let granted = &effective.rules[at];
            Some(Grant {
                binding: name.clone(),
                role: role.clone(),
                source: granted.role.clone(),
                index: granted.index,
                rule: granted.rule.clone(),
            })
        })
    }

    pub fn subjects_of(&self, name: &BindingRef) -> &[Subject] {
        self.bindings.get(name).map_or(&[], |binding| &binding.subjects)
    }

    /// The bindings that name `subject` itself, its groups apart.
    pub fn bindings_of(&self, subject: &Subject) -> impl Iterator<Item = &BindingRef> {
        self.closures.get(subject).into_iter().flat_map(|closure| &closure.bindings)
    }

    pub fn role_of(&self, name: &BindingRef) -> Option<&RoleRef> {
        self.bindings.get(name).map(|binding| &binding.role)
    }

    pub fn has_role(&self, name: &RoleRef) -> bool {
        self.roles.contains_key(name)
    }

    /// All bindings in order, those of the cluster first.
    pub fn bindings(&self) -> impl Iterator<Item = &BindingRef> {
        self.bindings.keys()
    }

    /// Everybody whom a binding names.
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.closures.keys()
    }
}

/// The bindings of one scope: a namespace's, or without one the cluster's.
fn in_scope<'a>(
    bindings: &'a BTreeSet<BindingRef>,
    namespace: Option<&Arc<str>>,
) -> impl Iterator<Item = &'a BindingRef> {
    let start = BindingRef(Name { namespace: namespace.cloned(), name: "".into() });
    let namespace = namespace.cloned();
    bindings.range(start..).take_while(move |name| name.0.namespace == namespace)
}

#[derive(Default)]
struct Reached {
    roles: BTreeMap<RoleRef, Vec<Value>>,
    subjects: BTreeSet<Subject>,
    scopes: BTreeMap<Subject, BTreeSet<Option<Arc<str>>>>,
    problems: Vec<String>,
}

impl Reached {
    fn touch(&mut self, subject: Subject, binding: &BindingRef) {
        self.scopes.entry(subject.clone()).or_default().insert(binding.0.namespace.clone());
        self.subjects.insert(subject);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl fmt::Display for RoleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.0.namespace.is_some() { "Role" } else { "ClusterRole" };
        write!(f, "{kind} {}", self.0)
    }
}

impl fmt::Display for BindingRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.0.namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
        write!(f, "{kind} {}", self.0)
    }
}

impl fmt::Display for Chain {
    /// `ServiceAccount shop/web → RoleBinding shop/web → Role shop/web → rule 1: get pods`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(grant) = &self.grant else {
            return write!(f, "{}, who may do everything", self.subject);
        };
        write!(f, "{} → {} → {}", self.subject, grant.binding, grant.role)?;
        if grant.source != grant.role {
            write!(f, " → {}", grant.source)?;
        }
        write!(f, " → rule {}: {}", grant.index + 1, grant.rule.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn role(namespace: Option<&str>, name: &str, rules: Value) -> Value {
        let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
            "metadata": {"namespace": namespace, "name": name}, "rules": rules})
    }

    fn binding(namespace: Option<&str>, name: &str, role: (&str, &str), subject: Value) -> Value {
        let kind = if namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"namespace": namespace, "name": name},
            "roleRef": {"kind": role.0, "name": role.1}, "subjects": [subject]})
    }

    fn get<'a>(resource: &'a str, namespace: Option<&'a str>) -> Question<'a> {
        Question::Resource { verb: "get", group: "", resource, namespace, name: "" }
    }

    fn pods() -> Value {
        json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}])
    }

    #[track_caller]
    fn check(access: &Access, subject: &Subject, question: &Question<'_>, expected: &str) {
        let told =
            access.can(subject, &[], question).map_or("no".to_owned(), |chain| chain.to_string());
        assert_eq!(told, expected);
    }

    #[test]
    fn chains() {
        let mut access = Access::default();
        let objects = [
            role(Some("shop"), "reader", pods()),
            role(
                None,
                "reader",
                json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, {"verbs": ["get"], "nonResourceURLs": ["/metrics"]}]),
            ),
            binding(
                Some("shop"),
                "own",
                ("Role", "reader"),
                json!({"kind": "ServiceAccount", "name": "web", "namespace": "shop"}),
            ),
            binding(
                Some("shop"),
                "wide",
                ("ClusterRole", "reader"),
                json!({"kind": "User", "name": "dev"}),
            ),
            binding(
                None,
                "paths",
                ("ClusterRole", "reader"),
                json!({"kind": "Group", "name": "system:serviceaccounts:ops"}),
            ),
        ];
        let (reached, problems) = access.update(objects.iter().map(Change::Set));
        assert_eq!((reached.len(), problems.len()), (3, 0));
        let (web, dev) = (Subject::account("shop", "web"), Subject::user("dev"));
        check(
            &access,
            &web,
            &get("pods", Some("shop")),
            "ServiceAccount shop/web → RoleBinding shop/own → Role shop/reader → rule 1: get pods",
        );
        check(&access, &web, &get("pods", Some("ops")), "no");
        check(&access, &web, &get("pods", None), "no");
        check(
            &access,
            &dev,
            &get("nobody-named-this", Some("shop")),
            "User dev → RoleBinding shop/wide → ClusterRole reader → rule 1: * * of *",
        );
        check(&access, &dev, &Question::Url { verb: "get", path: "/metrics" }, "no");
        let ops = Subject::account("ops", "x");
        check(
            &access,
            &ops,
            &Question::Url { verb: "get", path: "/metrics" },
            "Group system:serviceaccounts:ops → ClusterRoleBinding paths → ClusterRole reader → rule 2: get /metrics",
        );
        check(
            &access,
            &Subject::group(MASTERS),
            &get("pods", None),
            "Group system:masters, who may do everything",
        );
    }

    #[test]
    fn aggregation_follows_labels_and_survives_circles() {
        let mut access = Access::default();
        let aggregate = |name: &str, own: &str, selected: &str| {
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name, "labels": {"to": own}}, "rules": [{"verbs": ["old"], "apiGroups": [""], "resources": ["pods"]}],
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"to": selected}}]}})
        };
        let mut leaf = role(None, "leaf", pods());
        leaf["metadata"]["labels"] = json!({"to": "b"});
        let dev = json!({"kind": "User", "name": "dev"});
        let objects = [
            aggregate("a", "b", "a"),
            aggregate("b", "a", "b"),
            leaf.clone(),
            binding(None, "dev", ("ClusterRole", "a"), dev),
        ];
        access.update(objects.iter().map(Change::Set));
        let user = Subject::user("dev");
        check(
            &access,
            &user,
            &get("pods", None),
            "User dev → ClusterRoleBinding dev → ClusterRole a → ClusterRole leaf → rule 1: get pods",
        );
        let old = Question::Resource {
            verb: "old",
            group: "",
            resource: "pods",
            namespace: None,
            name: "",
        };
        check(&access, &user, &old, "no");
        leaf["metadata"]["labels"] = json!({});
        let (reached, _) = access.update([Change::Set(&leaf)]);
        assert_eq!(reached, BTreeSet::from([user.clone()]));
        check(&access, &user, &get("pods", None), "no");
    }

    #[test]
    fn changes_leave_what_a_fresh_start_would_find() {
        let mut incremental = Access::default();
        let mut objects: BTreeMap<String, Value> = BTreeMap::new();
        let mut seed = 7_u64;
        let mut dice = move |sides: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % sides
        };
        let places = [None, Some("a"), Some("b")];
        for _ in 0..400 {
            let place = places[dice(3) as usize];
            let name = format!("x{}", dice(4));
            let verb = ["get", "list", "*"][dice(3) as usize];
            let resource = ["pods", "secrets", "*"][dice(3) as usize];
            let rules = json!([{"verbs": [verb], "apiGroups": [""], "resources": [resource]}]);
            let to = if place.is_some() && dice(2) == 0 { "Role" } else { "ClusterRole" };
            let object = match dice(2) {
                0 => role(place, &name, rules),
                _ => binding(
                    place,
                    &name,
                    (to, &format!("x{}", dice(4))),
                    json!({"kind": "User", "name": format!("u{}", dice(3))}),
                ),
            };
            let kind = object["kind"].as_str().unwrap().to_owned();
            let key = format!("{kind}/{place:?}/{name}");
            if dice(4) == 0 {
                objects.remove(&key);
                incremental.update([Change::Gone { kind: &kind, namespace: place, name: &name }]);
            } else {
                incremental.update([Change::Set(&object)]);
                objects.insert(key, object);
            }
            let mut fresh = Access::default();
            fresh.update(objects.values().map(Change::Set));
            for user in 0..3 {
                let user = Subject::user(&format!("u{user}"));
                for (verb, resource) in [("get", "pods"), ("list", "secrets"), ("watch", "secrets")]
                {
                    for namespace in places {
                        let question =
                            Question::Resource { verb, group: "", resource, namespace, name: "" };
                        assert_eq!(
                            incremental.can(&user, &[], &question),
                            fresh.can(&user, &[], &question)
                        );
                    }
                }
            }
        }
    }
}
