//! The objects that an assignment is about, as far as a binding's selectors can say it.
use seawall_model::admission::Narrowing;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Set by the API server itself on every Namespace.
const NAME: &str = "kubernetes.io/metadata.name";

/// Namespaces by name. Objects of the cluster are in what names only those left out.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Names {
    Only(BTreeSet<String>),
    But(BTreeSet<String>),
}

impl Names {
    fn without(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Only(own), Self::Only(out)) => Self::Only(own - out),
            (Self::Only(own), Self::But(kept)) => Self::Only(own & kept),
            (Self::But(own), Self::Only(out)) => Self::But(own | out),
            (Self::But(own), Self::But(kept)) => Self::Only(kept - own),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Only(names) if names.is_empty())
    }
}

/// What an assignment is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    namespaces: Names,
    pub(super) labels: BTreeMap<String, String>,
    /// Empty: all.
    pub(super) kinds: BTreeSet<String>,
}

impl Region {
    /// Selectors know names, no patterns but the one for all.
    pub(super) fn of(narrowing: &Narrowing) -> Result<Self, String> {
        let patterns = narrowing.namespaces.iter().chain(&narrowing.excluded_namespaces);
        if let Some(pattern) = patterns.filter(|name| *name != "*").find(|name| name.contains('*'))
        {
            return Err(format!("the pattern `{pattern}` of namespaces is no name"));
        }
        let names = |list: &[String]| match list.iter().any(|name| name == "*") {
            true => Names::But(BTreeSet::new()),
            false => Names::Only(list.iter().cloned().collect()),
        };
        let named = match narrowing.namespaces.is_empty() {
            true => Names::But(BTreeSet::new()),
            false => names(&narrowing.namespaces),
        };
        let labels: BTreeMap<String, String> = narrowing.labels.iter().cloned().collect();
        if narrowing.labels.iter().any(|(key, value)| labels[key] != *value) {
            return Err("its labels contradict each other".to_owned());
        }
        let namespaces = named.without(&names(&narrowing.excluded_namespaces));
        Ok(Self { namespaces, labels, kinds: narrowing.kinds.iter().cloned().collect() })
    }

    pub(super) fn leave_out(&mut self, spared: &BTreeSet<String>) {
        self.namespaces = self.namespaces.without(&Names::Only(spared.clone()));
    }

    /// Leaves to a nearer assignment what that is about.
    pub(super) fn yield_to(&mut self, nearer: &Self) -> Result<(), String> {
        let left = self.namespaces.without(&nearer.namespaces);
        if left != self.namespaces && !(nearer.labels.is_empty() && nearer.kinds.is_empty()) {
            return Err("a nearer assignment is narrowed by labels or kinds".to_owned());
        }
        self.namespaces = left;
        Ok(())
    }

    /// Whether both can be about one object.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let kinds = self.kinds.is_empty()
            || other.kinds.is_empty()
            || !self.kinds.is_disjoint(&other.kinds);
        kinds && self.namespaces.without(&other.namespaces) != self.namespaces
    }

    pub(super) fn is_empty(&self) -> bool {
        self.namespaces.is_empty()
    }

    /// Whether objects without a namespace are in it.
    pub(super) fn has_cluster_objects(&self) -> bool {
        matches!(self.namespaces, Names::But(_))
    }

    /// `matchExpressions` of a selector of namespaces.
    pub(super) fn namespace_expressions(&self) -> Value {
        match &self.namespaces {
            Names::Only(names) => json!([{"key": NAME, "operator": "In", "values": names}]),
            Names::But(names) if names.is_empty() => json!([]),
            Names::But(names) => json!([{"key": NAME, "operator": "NotIn", "values": names}]),
        }
    }
}

#[test]
fn names_are_sets() {
    let only = |names: &str| Names::Only(names.split(' ').map(str::to_owned).collect());
    let but = |names: &str| Names::But(names.split(' ').map(str::to_owned).collect());
    #[track_caller]
    fn check(own: &Names, other: &Names, expected: &Names) {
        assert_eq!(own.without(other), *expected);
    }
    check(&only("a b"), &only("b c"), &only("a"));
    check(&only("a b"), &but("b c"), &only("b"));
    check(&but("a"), &only("b"), &but("a b"));
    check(&but("a"), &but("a b"), &only("b"));
    assert!(only("a").without(&but("b")).is_empty());
}

#[test]
fn regions_meet_where_one_object_can_be_in_both() {
    #[track_caller]
    fn check(one: Value, other: Value, expected: bool) {
        let region = |value| Region::of(&serde_json::from_value(value).unwrap()).unwrap();
        let (one, other) = (region(one), region(other));
        assert_eq!((one.meets(&other), other.meets(&one)), (expected, expected));
    }
    check(json!({}), json!({}), true);
    check(json!({"namespaces": ["a"]}), json!({}), true);
    check(json!({"namespaces": ["a"]}), json!({"namespaces": ["b"]}), false);
    check(json!({"namespaces": ["a"]}), json!({"excluded_namespaces": ["a"]}), false);
    check(json!({"excluded_namespaces": ["*"]}), json!({}), false);
    check(json!({"kinds": ["Pod"]}), json!({"kinds": ["Job"]}), false);
}
