//! Objects of the cluster, for policies that look at others than the one they judge.
use super::{group_version, text};
use seawall_rego::{Data, InventoryRead};
use serde_json::{Map, Value};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Bytes that the objects a template reads take as values of the interpreter, about seven times their JSON.
pub const MAX_INVENTORY: usize = 256 << 20;

/// Gatekeeper's `data.inventory`: what is synced. A later object of a name replaces the earlier.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// By `apiVersion`, then kind; none without objects.
    kinds: BTreeMap<String, BTreeMap<String, OfKind>>,
}

/// The objects of one version and kind.
#[derive(Clone, Debug, Default)]
struct OfKind {
    /// By namespace (empty: of the cluster), then name; no namespace without objects.
    objects: BTreeMap<String, BTreeMap<String, Value>>,
    state: State,
}

/// Another with each change of a kind, so that workers know theirs is old; copies share it as long as they are equal.
pub(super) type State = Arc<()>;

impl Inventory {
    /// Takes an object; one that differs in its resource version alone is no change. Errors: it has no version or kind.
    pub fn add(&mut self, object: Value) -> Result<(), String> {
        let word = |path: &[&str]| text(&object, path).to_owned();
        let (api_version, kind) = (word(&["apiVersion"]), word(&["kind"]));
        let (namespace, name) = (word(&["metadata", "namespace"]), word(&["metadata", "name"]));
        if group_version(&api_version).1.is_empty() {
            return Err(format!("resource {name} has no version"));
        }
        if kind.is_empty() {
            return Err(format!("resource {name} has no kind"));
        }
        let of_kind = self.kinds.entry(api_version).or_default().entry(kind).or_default();
        let place = of_kind.objects.entry(namespace).or_default().entry(name);
        let changed = match &place {
            Entry::Occupied(known) => !says_the_same(known.get(), &object),
            Entry::Vacant(_) => true,
        };
        place.insert_entry(object);
        if changed {
            of_kind.state = State::default();
        }
        Ok(())
    }

    /// Takes an object out; whether it was there.
    pub fn remove(&mut self, api_version: &str, kind: &str, namespace: &str, name: &str) -> bool {
        let Some(kinds) = self.kinds.get_mut(api_version) else { return false };
        let Some(of_kind) = kinds.get_mut(kind) else { return false };
        let Some(names) = of_kind.objects.get_mut(namespace) else { return false };
        if names.remove(name).is_none() {
            return false;
        }
        of_kind.state = State::default();
        if names.is_empty() {
            of_kind.objects.remove(namespace);
        }
        if of_kind.objects.is_empty() {
            self.remove_kind(api_version, kind);
        }
        true
    }

    /// Takes all objects of a kind out.
    pub fn remove_kind(&mut self, api_version: &str, kind: &str) {
        if let Some(kinds) = self.kinds.get_mut(api_version) {
            kinds.remove(kind);
            if kinds.is_empty() {
                self.kinds.remove(api_version);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The Namespace of that name.
    pub fn namespace(&self, name: &str) -> Option<&Value> {
        self.kinds.get("v1")?.get("Namespace")?.objects.get("")?.get(name)
    }

    /// Objects of a kind in the order of namespaces and names.
    pub fn of_kind(&self, api_version: &str, kind: &str) -> impl Iterator<Item = &Value> + use<'_> {
        let of_kind = self.kinds.get(api_version).and_then(|kinds| kinds.get(kind));
        of_kind.into_iter().flat_map(|of_kind| of_kind.objects.values().flat_map(BTreeMap::values))
    }

    /// The kinds of which `reads` names something.
    fn read<'i>(
        &'i self,
        reads: &BTreeSet<InventoryRead>,
    ) -> impl Iterator<Item = (&'i str, &'i str, &'i OfKind)> {
        let kinds = self.kinds.iter().flat_map(|(version, kinds)| {
            kinds.iter().map(move |(kind, of_kind)| (version.as_str(), kind.as_str(), of_kind))
        });
        kinds.filter(|(version, kind, _)| reads.iter().any(|read| is_of(read, version, kind)))
    }

    /// Equal to what it was before as long as nothing changes that `reads` names.
    pub(super) fn states(inventories: &[&Self], reads: &BTreeSet<InventoryRead>) -> Vec<State> {
        let read = inventories.iter().flat_map(|inventory| inventory.read(reads));
        read.map(|(_, _, of_kind)| of_kind.state.clone()).collect()
    }

    /// `{cluster, namespace}` with the objects of all `inventories` that `reads` names; of one name the last.
    /// Error: over [`MAX_INVENTORY`].
    pub(super) fn data(
        inventories: &[&Self],
        reads: &BTreeSet<InventoryRead>,
    ) -> Result<Data, String> {
        let mut size = 0;
        let (mut cluster, mut inside) = (Map::new(), Map::new());
        for (version, kind, of_kind) in
            inventories.iter().flat_map(|inventory| inventory.read(reads))
        {
            for (namespace, objects) in &of_kind.objects {
                let outside = namespace.is_empty();
                let read = |read: &InventoryRead| {
                    is_of(read, version, kind) && read.cluster.is_none_or(|only| only == outside)
                };
                if !reads.iter().any(read) {
                    continue;
                }
                size += objects.values().map(weight).sum::<usize>();
                if size > MAX_INVENTORY {
                    let limit = MAX_INVENTORY >> 20;
                    return Err(format!("the objects it reads take over {limit} MiB"));
                }
                let root = if outside { &mut cluster } else { branch(&mut inside, namespace) };
                let copies = objects.iter().map(|(name, object)| (name.clone(), object.clone()));
                branch(branch(root, version), kind).extend(copies);
            }
        }
        let mut inventory = Map::new();
        // Gatekeeper has a branch only once something is synced there.
        for (key, objects) in [("cluster", cluster), ("namespace", inside)] {
            if !objects.is_empty() {
                inventory.insert(key.to_owned(), Value::Object(objects));
            }
        }
        Ok(Data::from_json(&Value::Object(inventory)))
    }
}

fn is_of(read: &InventoryRead, group_version: &str, kind: &str) -> bool {
    read.group_version.as_ref().is_none_or(|wanted| wanted == group_version)
        && read.kind.as_ref().is_none_or(|wanted| wanted == kind)
}

/// Whether two states of an object differ in nothing but the version that the API server counts them by.
fn says_the_same(one: &Value, other: &Value) -> bool {
    const COUNTER: &str = "resourceVersion";
    let without = |object: &Value| {
        let metadata = object.get("metadata").and_then(Value::as_object);
        metadata.map_or(0, |metadata| metadata.len() - usize::from(metadata.contains_key(COUNTER)))
    };
    let (Value::Object(left), Value::Object(right)) = (one, other) else { return one == other };
    let same = |(key, value): (&String, &Value)| match (key.as_str(), value, right.get(key)) {
        ("metadata", Value::Object(own), Some(Value::Object(others))) => own
            .iter()
            .all(|(key, value)| key == COUNTER || others.get(key).is_some_and(|own| own == value)),
        (_, value, found) => found == Some(value),
    };
    left.len() == right.len() && without(one) == without(other) && left.iter().all(same)
}

fn branch<'a>(map: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let entry = map.entry(key.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    match entry {
        Value::Object(map) => map,
        // Only objects are ever put here.
        _ => unreachable!("a branch of the inventory is an object"),
    }
}

/// Bytes of a value in the interpreter: a node, its key, its text.
fn weight(value: &Value) -> usize {
    const NODE: usize = 48;
    NODE + match value {
        Value::String(text) => text.len() + 16,
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(pairs) => {
            pairs.iter().map(|(key, value)| NODE + key.len() + weight(value)).sum()
        }
        _ => 0,
    }
}
