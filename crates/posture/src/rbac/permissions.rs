//! Controls on permissions that are data: `match: {permissions: NAME}`, where `content/rbac/NAME.yaml` is the pattern.
//!
//! Each binding is judged: it fails where somebody it names has the permission and the binding adds to that.
use super::{Ask, BindingRef, Chain, Held, Library, Name, RoleRef, Subject as Who};
use crate::evaluate::Judgement;
use crate::native::{Input, Join, values};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value, json};

/// What `permissions:` of a control file says: the name of a risky permission.
#[derive(Debug)]
pub(crate) struct Permissions {
    risk: String,
    inputs: &'static [Input],
}

const GROUP: &str = "rbac.authorization.k8s.io";

/// Of a permission that takes several grants: they come from any binding and role.
static JOINT: [Input; 4] = [
    Input { group: GROUP, kind: "ClusterRole", join: Join::Every },
    Input { group: GROUP, kind: "Role", join: Join::Every },
    Input { group: GROUP, kind: "ClusterRoleBinding", join: Join::Every },
    Input { group: GROUP, kind: "RoleBinding", join: Join::Every },
];

/// Of a permission that takes one grant: the binding's own role decides, other bindings do not.
static SINGLE: [Input; 4] = [
    Input { group: GROUP, kind: "ClusterRole", join: Join::When(may_be_its_role) },
    Input { group: GROUP, kind: "Role", join: Join::When(may_be_its_role) },
    Input { group: GROUP, kind: "ClusterRoleBinding", join: Join::When(never) },
    Input { group: GROUP, kind: "RoleBinding", join: Join::When(never) },
];

/// The same, where a ConfigMap tells whether the permission means anything.
static SINGLE_WITH_OBJECT: [Input; 5] = [
    Input { group: GROUP, kind: "ClusterRole", join: Join::When(may_be_its_role) },
    Input { group: GROUP, kind: "Role", join: Join::When(may_be_its_role) },
    Input { group: GROUP, kind: "ClusterRoleBinding", join: Join::When(never) },
    Input { group: GROUP, kind: "RoleBinding", join: Join::When(never) },
    Input { group: "", kind: "ConfigMap", join: Join::Every },
];

fn never(_changed: &Value, _subject: &Subject<'_>) -> bool {
    false
}

/// A ClusterRole with labels may be part of any other.
fn may_be_its_role(changed: &Value, subject: &Subject<'_>) -> bool {
    let text = |value: &Value, pointer: &str| {
        value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let labels = changed.pointer("/metadata/labels").and_then(Value::as_object);
    let aggregated =
        text(changed, "/kind") == "ClusterRole" && labels.is_some_and(|all| !all.is_empty());
    let named = subject.object.is_some_and(|binding| {
        text(binding.value(), "/roleRef/name") == text(changed, "/metadata/name")
    });
    aggregated || named
}

impl Permissions {
    /// What is judged.
    pub(crate) const KINDS: [(&'static str, &'static str); 2] =
        [(GROUP, "ClusterRoleBinding"), (GROUP, "RoleBinding")];

    /// Reads the value behind `permissions:`; `Err` says what is wrong.
    pub(crate) fn read(value: &Value, library: &Library) -> Result<Self, String> {
        let risk = value.as_str().and_then(|name| library.risks.get(name));
        let risk =
            risk.ok_or_else(|| format!("there is no risky permission {value} in content/rbac"))?;
        let inputs: &[Input] = match (risk.is_joint(), risk.needs_objects()) {
            (true, _) => &JOINT,
            (false, true) => &SINGLE_WITH_OBJECT,
            (false, false) => &SINGLE,
        };
        Ok(Self { risk: risk.name.clone(), inputs })
    }

    /// What it reads besides its subjects.
    pub(crate) fn inputs(&self) -> &'static [Input] {
        self.inputs
    }

    /// Bindings, those of the cluster first.
    pub(crate) fn subjects<'w>(&self, world: &World<'w>) -> Vec<Subject<'w>> {
        let bindings = Self::KINDS.iter().flat_map(|(group, kind)| world.of_kind(group, kind));
        bindings.map(Subject::of).collect()
    }

    pub(crate) fn judge(
        &self,
        subject: &Subject<'_>,
        world: &World<'_>,
        params: &Map<String, Value>,
    ) -> Judgement {
        let Some(binding) = binding_of(subject) else {
            return Judgement::unknown("error", "the binding has no name");
        };
        let access = world.access();
        let excluded = values(params, "excludedNamespaces");
        let skip = |who: &Who| {
            who.namespace().is_some_and(|namespace| excluded.contains(&namespace))
                || world.library().bootstrap.binds(access, &binding, who)
        };
        let subjects = access.subjects_of(&binding);
        if !subjects.is_empty() && subjects.iter().all(skip) {
            return Judgement::not_applicable("out-of-scope");
        }
        let exists = |object: &str| {
            let mut parts = object.splitn(3, '/');
            let mut part = || parts.next().unwrap_or_default();
            let (kind, namespace, name) = (part(), part(), part());
            world.find("", kind, namespace, name).is_some()
        };
        let ask = Ask { risk: &self.risk, binding: &binding, skip: &skip, exists: &exists };
        let Some(held) = access.risk_through(&ask) else {
            return Judgement::unknown("error", format!("no risky permission {}", self.risk));
        };
        if held.is_empty() {
            return undecided(world, access.role_of(&binding)).unwrap_or_else(Judgement::healthy);
        }
        let mut told: Vec<String> = Vec::new();
        let mut evidence = Vec::new();
        for held in &held {
            told.push(words(held));
            evidence.extend(held.chains.iter().flat_map(|chain| proof(subject, chain)));
        }
        evidence.dedup();
        Judgement::unhealthy(told.join("; "), evidence)
    }
}

/// Why a binding that grants nothing risky as far as is known may still do so.
pub(crate) fn undecided(world: &World<'_>, role: Option<&RoleRef>) -> Option<Judgement> {
    if let Some(problem) = world.access_problems().first() {
        return Some(Judgement::unknown("limit", problem.clone()));
    }
    let role = role.filter(|role| !world.is_whole() && !world.access().has_role(role))?;
    Some(Judgement::unknown("not-collected", format!("{role} is not among these objects")))
}

/// The name of a binding as the access engine has it.
pub(crate) fn binding_of(subject: &Subject<'_>) -> Option<BindingRef> {
    let resource = &subject.resource;
    if resource.name.is_empty() {
        return None;
    }
    let namespace = match resource.kind.as_str() {
        "RoleBinding" => Some(resource.namespace.as_deref().unwrap_or("default").into()),
        _ => None,
    };
    Some(BindingRef(Name { namespace, name: resource.name.as_str().into() }))
}

fn words(held: &Held) -> String {
    let chains: Vec<String> = held.chains.iter().map(Chain::to_string).collect();
    chains.join(" and ")
}

/// The subject and the role as the binding names them, and the rule where it stands.
pub(crate) fn proof(subject: &Subject<'_>, chain: &Chain) -> Vec<Evidence> {
    let Some(grant) = &chain.grant else { return Vec::new() };
    let mut found = Vec::new();
    if binding_of(subject).as_ref() == Some(&grant.binding)
        && let Some(object) = subject.object
    {
        let listed = object.value().get("subjects").and_then(Value::as_array);
        let same = |value: &Value| {
            Who::read(value, grant.binding.0.namespace.as_deref()).as_ref() == Some(&chain.subject)
        };
        for (index, value) in
            listed.into_iter().flatten().enumerate().filter(|(_, value)| same(value))
        {
            found.push(Evidence { path: format!("/subjects/{index}"), value: value.clone() });
        }
        let role = object.value().get("roleRef").cloned().unwrap_or_default();
        found.push(Evidence { path: "/roleRef".to_owned(), value: role });
    } else {
        let path = grant.binding.to_string().replace(' ', "/");
        found.push(Evidence { path, value: json!(chain.subject.to_string()) });
    }
    let path = format!("{}/rules/{}", grant.source.to_string().replace(' ', "/"), grant.index);
    found.push(Evidence { path, value: grant.rule.value() });
    found
}
