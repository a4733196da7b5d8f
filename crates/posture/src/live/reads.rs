//! What is read of the watched objects before several controls judge: parsed once, as little as they need.
use super::{RBAC, RBAC_KINDS};
use crate::catalogue::Chosen;
use crate::native::{Input, Join, Through};
use crate::objects::Objects;
use crate::owners::represented;
use crate::world::{GroupKind, Object};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The kinds that controls of one flush read.
#[derive(Default)]
pub(super) struct Reads {
    /// Of every namespace.
    shared: BTreeSet<GroupKind<'static>>,
    /// Of one namespace.
    near: BTreeSet<GroupKind<'static>>,
    /// Of one namespace, and of others what is led to.
    through: Vec<(GroupKind<'static>, &'static Through)>,
}

impl Reads {
    pub(super) fn of<'c>(controls: impl Iterator<Item = &'c Chosen>) -> Self {
        let mut reads = Self::default();
        for control in controls {
            for Input { group, kind, join } in control.control.inputs() {
                // Who may do what is kept as it changes; no role is read again for it.
                if *group == RBAC && RBAC_KINDS.contains(kind) {
                    continue;
                }
                match join {
                    Join::Namespace => _ = reads.near.insert((group, kind)),
                    Join::Every
                    | Join::When(_)
                    | Join::Holding(_)
                    | Join::Names
                    | Join::First(_) => _ = reads.shared.insert((group, kind)),
                    Join::Through(through) => {
                        reads.near.insert((group, kind));
                        let same = |(known, other): &(GroupKind<'_>, &Through)| {
                            *known == (*group, *kind) && std::ptr::eq(*other, *through)
                        };
                        if !reads.through.iter().any(same) {
                            reads.through.push(((group, kind), through));
                        }
                    }
                }
            }
            reads.near.extend(control.control.subject_kinds());
        }
        reads.near.retain(|kind| !reads.shared.contains(kind));
        reads.through.retain(|(kind, _)| !reads.shared.contains(kind));
        reads
    }

    /// The parsed objects that every namespace sees, and the UIDs of those among them that another leads to.
    pub(super) fn shared(&self, objects: &Objects) -> (Vec<Value>, HashSet<String>) {
        let all = self.shared.iter();
        let mut values: Vec<Value> =
            all.flat_map(|(group, kind)| load(objects, group, kind, None)).collect();
        let mut led = HashSet::new();
        for ((group, kind), through) in &self.through {
            let leaders = leaders(objects, through);
            if leaders.is_empty() {
                continue;
            }
            for value in load(objects, group, kind, None) {
                if leaders.iter().any(|leader| (through.leads)(leader, &value))
                    && led.insert(Object::new(&value).uid().to_owned())
                {
                    values.push(value);
                }
            }
        }
        (values, led)
    }

    /// The parsed objects of one namespace, or of all for what belongs to none, without those that all see.
    pub(super) fn near(&self, objects: &Objects, scope: &str, led: &HashSet<String>) -> Vec<Value> {
        let scope = Some(scope).filter(|name| !name.is_empty());
        let mut own: Vec<Value> =
            self.near.iter().flat_map(|(group, kind)| load(objects, group, kind, scope)).collect();
        own.retain(|value| !led.contains(Object::new(value).uid()));
        own
    }
}

/// Whether it is one of the objects that [`Join::First`] is about.
type Fits = fn(&Value) -> bool;

/// The kinds that controls which see everything at once read.
#[derive(Default)]
pub(super) struct Whole {
    kinds: BTreeSet<GroupKind<'static>>,
    /// With the texts that one of must be in an object.
    holding: BTreeMap<GroupKind<'static>, Vec<&'static str>>,
    names: BTreeSet<GroupKind<'static>>,
    first: Vec<(GroupKind<'static>, Fits)>,
}

impl Whole {
    pub(super) fn add(&mut self, inputs: &'static [Input], subjects: Vec<GroupKind<'static>>) {
        for Input { group, kind, join } in inputs {
            match join {
                Join::Holding(texts) => {
                    self.holding.entry((group, kind)).or_default().extend(*texts);
                }
                Join::Names => _ = self.names.insert((group, kind)),
                Join::First(fits) => self.first.push(((group, kind), *fits)),
                _ => _ = self.kinds.insert((group, kind)),
            }
        }
        self.kinds.extend(subjects);
    }

    /// Each object once, as whole as it is read.
    pub(super) fn load(mut self, objects: &Objects) -> Vec<Value> {
        self.holding.retain(|kind, _| !self.kinds.contains(kind));
        self.names.retain(|kind| !self.kinds.contains(kind));
        self.first.retain(|(kind, _)| !self.kinds.contains(kind));
        let all = self.kinds.iter();
        let mut values: Vec<Value> =
            all.flat_map(|(group, kind)| load(objects, group, kind, None)).collect();
        let mut loaded = HashSet::new();
        for ((group, kind), texts) in &self.holding {
            for uid in answering(objects, group, kind, None) {
                let json = objects.json(uid).unwrap_or_default();
                if texts.iter().any(|text| json.contains(text)) {
                    loaded.insert(uid);
                    values.extend(objects.parse(uid));
                }
            }
        }
        for ((group, kind), fits) in &self.first {
            // One after the other, as all of them together would not fit beside what is kept.
            let mut uids = answering(objects, group, kind, None).into_iter();
            let first = uids.find_map(|uid| Some((uid, objects.parse(uid).filter(fits)?)));
            if let Some((uid, value)) = first
                && loaded.insert(uid)
            {
                values.push(value);
            }
        }
        for (group, kind) in &self.names {
            let mut uids = answering(objects, group, kind, None);
            uids.retain(|uid| !loaded.contains(uid));
            values.extend(uids.into_iter().filter_map(|uid| objects.outline(uid)));
        }
        values
    }
}

/// The objects that make others matter outside of their namespaces.
pub(super) fn leaders(objects: &Objects, through: &Through) -> Vec<Value> {
    load(objects, through.group, through.kind, None)
}

/// The parsed objects of a kind, of one scope or of all, that answer for themselves.
pub(super) fn load(objects: &Objects, group: &str, kind: &str, scope: Option<&str>) -> Vec<Value> {
    let uids = answering(objects, group, kind, scope);
    uids.into_iter().filter_map(|uid| objects.parse(uid)).collect()
}

/// Whether one of these texts stands in a value, as key or string.
pub(super) fn holds(value: &Value, texts: &[&str]) -> bool {
    let any = |held: &str| texts.iter().any(|text| held.contains(text));
    match value {
        Value::String(held) => any(held),
        Value::Array(items) => items.iter().any(|item| holds(item, texts)),
        Value::Object(members) => {
            members.iter().any(|(key, member)| any(key) || holds(member, texts))
        }
        _ => false,
    }
}

/// UIDs of the objects of a kind, of one scope or of all, that answer for themselves.
pub(super) fn answering<'o>(
    objects: &'o Objects,
    group: &str,
    kind: &str,
    scope: Option<&str>,
) -> Vec<&'o str> {
    let namespaces = group.is_empty() && kind == "Namespace";
    let mut uids = objects.of_kind(group, kind, if namespaces { None } else { scope });
    uids.retain(|uid| {
        objects.columns_of(uid).is_some_and(|columns| {
            let inside = !namespaces || scope.is_none_or(|scope| scope == columns.name.as_ref());
            inside && !represented(objects, columns)
        })
    });
    uids
}
