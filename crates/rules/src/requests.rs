//! Which requests a condition can be true on, by verb and resource: the index of rules on audit records.
use crate::event_view::EventView;
use crate::fields::{self, FieldRef};
use crate::matching::{Test, TextTest};
use crate::program::{Comparison, Compiled, Node, NodeId};
use crate::source::Source;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

/// Names of one set; a longer one narrows too little to be worth its memory.
const MAX_NAMES: usize = 256;

/// Resources that are indexed. A cluster with many operators has some 300; a set of rules that names more is evaluated
/// without index.
const MAX_RESOURCES: usize = 512;

static VERB: LazyLock<FieldRef> = LazyLock::new(|| field("ka.verb"));
static RESOURCE: LazyLock<FieldRef> = LazyLock::new(|| field("ka.target.resource"));

fn field(name: &str) -> FieldRef {
    fields::find(name, None).expect("a field of our own table")
}

/// A set of names; the absent one is empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Names {
    Only(BTreeSet<String>),
    AllBut(BTreeSet<String>),
}

impl Names {
    fn all() -> Self {
        Self::AllBut(BTreeSet::new())
    }

    fn none() -> Self {
        Self::Only(BTreeSet::new())
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::Only(names) => names.contains(name),
            Self::AllBut(names) => !names.contains(name),
        }
    }

    fn not(&self) -> Self {
        match self {
            Self::Only(names) => Self::AllBut(names.clone()),
            Self::AllBut(names) => Self::Only(names.clone()),
        }
    }

    fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Only(a), Self::Only(b)) => Self::Only(a & b),
            (Self::Only(a), Self::AllBut(b)) | (Self::AllBut(b), Self::Only(a)) => {
                Self::Only(a - b)
            }
            // Fewer exclusions are a larger set, which is never wrong.
            (Self::AllBut(a), Self::AllBut(b)) if a.len() + b.len() > MAX_NAMES => self.clone(),
            (Self::AllBut(a), Self::AllBut(b)) => Self::AllBut(a | b),
        }
    }

    fn or(&self, other: &Self) -> Self {
        match self.not().and(&other.not()).not() {
            Self::Only(names) if names.len() > MAX_NAMES => Self::all(),
            names => names,
        }
    }
}

/// On which names a comparison of that field is true, and on which false.
fn of_check(check: &Compiled, field: &FieldRef) -> (Names, Names) {
    let all = (Names::all(), Names::all());
    let (Source::Field { field: found, .. }, Comparison::Constant { test, .. }) =
        (&check.source, &check.rule)
    else {
        return all;
    };
    if found != field {
        return all;
    }
    let only = |names: &[&str]| Names::Only(names.iter().map(|name| (*name).to_owned()).collect());
    let yes = match test {
        Test::Exists => only(&[""]).not(),
        Test::Text(TextTest::Equal(name)) => only(&[name]),
        Test::Text(TextTest::NotEqual(name)) => only(&[name, ""]).not(),
        Test::Text(TextTest::In(names)) if names.len() <= MAX_NAMES => {
            Names::Only(names.iter().cloned().collect())
        }
        _ => return all,
    };
    let no = yes.not();
    (yes, no)
}

/// For every node the names on which it can be true.
fn of_nodes(nodes: &[Node], field: &FieldRef) -> Vec<Names> {
    let mut sets: Vec<(Names, Names)> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let of = |id: &NodeId| &sets[*id as usize];
        let set = match node {
            Node::And { children, .. } => {
                let start = (Names::all(), Names::none());
                children.iter().map(of).fold(start, |(yes, no), (y, n)| (yes.and(y), no.or(n)))
            }
            Node::Or { children, .. } => {
                let start = (Names::none(), Names::all());
                children.iter().map(of).fold(start, |(yes, no), (y, n)| (yes.or(y), no.and(n)))
            }
            Node::Not(child) => {
                let (yes, no) = of(child).clone();
                (no, yes)
            }
            Node::Check(check) => of_check(check, field),
        };
        sets.push(set);
    }
    sets.into_iter().map(|(yes, _)| yes).collect()
}

/// Rules on audit records by the resource they are about, each with the verbs it can be true on.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    by_resource: HashMap<String, Vec<u32>>,
    /// Rules for resources that none names.
    rest: Vec<u32>,
    verbs: HashMap<u32, Names>,
}

impl Requests {
    /// `rules`: index and roots of each, in order.
    pub(crate) fn new(nodes: &[Node], rules: &[(u32, Vec<NodeId>)]) -> Self {
        if rules.is_empty() {
            return Self::default();
        }
        let union = |sets: &[Names], roots: &[NodeId]| {
            roots.iter().fold(Names::none(), |all, root| all.or(&sets[*root as usize]))
        };
        let (verbs, resources) = (of_nodes(nodes, &VERB), of_nodes(nodes, &RESOURCE));
        let wanted: Vec<(u32, Names)> =
            rules.iter().map(|(index, roots)| (*index, union(&resources, roots))).collect();
        let named: BTreeSet<&String> = wanted
            .iter()
            .flat_map(|(_, names)| match names {
                Names::Only(names) | Names::AllBut(names) => names,
            })
            .collect();
        if named.len() > MAX_RESOURCES {
            let rest = rules.iter().map(|(index, _)| *index).collect();
            return Self { rest, ..Self::default() };
        }
        let having = |name: &str| {
            let rules = wanted.iter().filter(|(_, names)| names.has(name));
            rules.map(|(index, _)| *index).collect::<Vec<u32>>()
        };
        let others = wanted.iter().filter(|(_, names)| matches!(names, Names::AllBut(_)));
        Self {
            rest: others.map(|(index, _)| *index).collect(),
            by_resource: named.iter().map(|name| ((*name).clone(), having(name))).collect(),
            verbs: rules.iter().map(|(index, roots)| (*index, union(&verbs, roots))).collect(),
        }
    }

    /// The rules that an event may make true, in order.
    pub(crate) fn candidates(&self, event: &dyn EventView) -> impl Iterator<Item = u32> {
        let text = |field: &FieldRef| {
            event.value(field).map(|value| value.render().into_owned()).unwrap_or_default()
        };
        let (verb, resource) = (text(&VERB), text(&RESOURCE));
        let rules = self.by_resource.get(&resource).unwrap_or(&self.rest);
        rules
            .iter()
            .copied()
            .filter(move |index| self.verbs.get(index).is_none_or(|names| names.has(&verb)))
    }
}

#[cfg(test)]
mod tests {
    use crate::{FieldEvent, RuleSet};

    /// Indices of the rules that a request has evaluated.
    #[track_caller]
    fn check(conditions: &[&str], verb: &str, resource: &str, expected: &[u32]) {
        let rules: String = conditions
            .iter()
            .enumerate()
            .map(|(index, condition)| {
                format!(
                    "- {{rule: r{index}, desc: d, source: k8s_audit, output: o, priority: INFO, condition: {condition:?}}}\n"
                )
            })
            .collect();
        let (set, problems) = RuleSet::load(&[("t.yaml", &rules)]);
        assert_eq!(problems, []);
        let json =
            serde_json::json!({"ka.verb": verb, "ka.target.resource": resource, "ka.stage": "x"});
        let (event, _) = FieldEvent::from_json(&json).unwrap();
        let found: Vec<u32> = set.requests.candidates(&event).collect();
        assert_eq!(found, expected, "{verb} {resource}");
    }

    #[test]
    fn rules_are_found_by_verb_and_resource() {
        let rules = [
            "ka.verb = create and ka.target.resource = pods",
            "ka.verb in (update, patch) and ka.target.resource in (pods, deployments)",
            "not ka.target.resource = pods",
            "ka.target.resource = pods and ka.verb != get",
            "ka.stage exists",
            "(ka.verb = get or ka.stage = y) and ka.target.resource exists",
            "ka.verb startswith cre",
        ];
        check(&rules, "create", "pods", &[0, 3, 4, 5, 6]);
        check(&rules, "get", "pods", &[4, 5, 6]);
        check(&rules, "patch", "deployments", &[1, 2, 4, 5, 6]);
        check(&rules, "list", "secrets", &[2, 4, 5, 6]);
        check(&["ka.verb = create", "ka.target.resource = pods"], "get", "secrets", &[]);
    }
}
