//! Objects of the cluster, for policies that look at others than the one they judge.
use super::{group_version, text};
use seawall_rego::{Data, InventoryRead};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Bytes that the objects a template reads take as values of the interpreter, about seven times their JSON.
pub const MAX_INVENTORY: usize = 256 << 20;

/// Gatekeeper's `data.inventory`: what is synced. A later object of a name replaces the earlier.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// Namespace (empty: of the cluster), group and version, kind, name.
    objects: BTreeMap<(String, String, String, String), Value>,
    /// Another with each change, so that workers know theirs is old; copies share it as long as they are equal.
    state: Arc<()>,
}

impl Inventory {
    /// Errors: the object has no version or kind.
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
        self.state = Arc::default();
        self.objects.insert((namespace, api_version, kind, name), object);
        Ok(())
    }

    /// Takes an object out; whether it was there.
    pub fn remove(&mut self, api_version: &str, kind: &str, namespace: &str, name: &str) -> bool {
        let key = [namespace, api_version, kind, name].map(str::to_owned);
        let found = self.objects.remove(&key.into()).is_some();
        if found {
            self.state = Arc::default();
        }
        found
    }

    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The Namespace of that name.
    pub fn namespace(&self, name: &str) -> Option<&Value> {
        self.objects.get(&(String::new(), "v1".to_owned(), "Namespace".to_owned(), name.to_owned()))
    }

    /// Objects of a kind in the order of namespaces and names.
    pub fn of_kind<'i, 'k>(
        &'i self,
        api_version: &'k str,
        kind: &'k str,
    ) -> impl Iterator<Item = &'i Value> + use<'i, 'k> {
        let of = self
            .objects
            .iter()
            .filter(move |((_, version, own, _), _)| version == api_version && own == kind);
        of.map(|(_, object)| object)
    }

    pub(super) fn state(&self) -> &Arc<()> {
        &self.state
    }

    /// `{cluster, namespace}` with the objects of all `inventories` that `reads` names; of one name the last.
    /// Error: over [`MAX_INVENTORY`].
    pub(super) fn data(
        inventories: &[&Self],
        reads: &BTreeSet<InventoryRead>,
    ) -> Result<Data, String> {
        let mut size = 0;
        let (mut cluster, mut inside) = (Map::new(), Map::new());
        let objects = inventories.iter().flat_map(|inventory| &inventory.objects);
        for ((namespace, group_version, kind, name), object) in objects {
            let outside = namespace.is_empty();
            let read = |read: &InventoryRead| {
                read.cluster.is_none_or(|cluster| cluster == outside)
                    && read.group_version.as_ref().is_none_or(|wanted| wanted == group_version)
                    && read.kind.as_ref().is_none_or(|wanted| wanted == kind)
            };
            if !reads.iter().any(read) {
                continue;
            }
            size += weight(object);
            if size > MAX_INVENTORY {
                return Err(format!("the objects it reads take over {} MiB", MAX_INVENTORY >> 20));
            }
            let root = if outside { &mut cluster } else { branch(&mut inside, namespace) };
            branch(branch(root, group_version), kind).insert(name.clone(), object.clone());
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
