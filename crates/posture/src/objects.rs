//! The objects of a cluster as compact bytes and columns: a parsed tree would take ten times the memory.
//!
//! Owned by one watcher, which applies and removes; who asks gets a parsed copy of one object at a time.
use crate::control::group_version;
use seawall_model::Problem;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Bytes of one object; etcd refuses requests over 1.5 MiB.
pub const MAX_OBJECT: usize = 8 << 20;
/// Objects held; the largest supported clusters have 150,000 pods.
pub const MAX_OBJECTS: usize = 500_000;
/// What of a status means something to controls or scores: nodes that a DaemonSet is for, versions and addresses of
/// nodes, and addresses that lead to a Service, an Ingress or a Gateway.
const MEANT: [&str; 4] = ["desiredNumberScheduled", "nodeInfo", "addresses", "loadBalancer"];
/// Names are kept once; unused ones are dropped after this many removals.
const SWEEP_EVERY: usize = 1_000;

/// What is read often of an object, without parsing it again.
#[derive(Clone, Debug)]
pub struct Columns {
    pub api_version: Arc<str>,
    pub kind: Arc<str>,
    pub namespace: Option<Arc<str>>,
    pub name: Arc<str>,
    pub owner: Option<Owner>,
    pub labels: Vec<(Arc<str>, Arc<str>)>,
    /// Of the pod spec's containers, each once, in order.
    pub images: Vec<Arc<str>>,
    pub service_account: Option<Arc<str>>,
    pub node: Option<Arc<str>>,
    /// Stands for a static pod of a node.
    pub mirror: bool,
    /// Desired replicas, where the kind has them.
    pub replicas: Option<u64>,
}

/// The owner reference with `controller: true`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub api_version: Arc<str>,
    pub kind: Arc<str>,
    pub name: Arc<str>,
    pub uid: Arc<str>,
}

#[derive(Debug)]
struct Stored {
    bytes: Box<[u8]>,
    /// Of all but what changes without the object's meaning changing: resource version, generation, and of the status all
    /// but [`MEANT`].
    hash: u64,
    columns: Columns,
}

/// What an object's arrival changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub uid: String,
    /// Something besides its status changed.
    pub changed: bool,
    /// As it is now.
    pub object: Value,
    /// As it was, in JSON, where it was here and changed.
    pub before: Option<Box<[u8]>>,
}

/// UIDs of one kind by namespace, which is empty where there is none.
type Places = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

#[derive(Debug, Default)]
pub struct Objects {
    stored: HashMap<Arc<str>, Stored>,
    /// Controlled objects by the UID of their controller, whether that is here or not.
    children: HashMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// By kind.
    places: HashMap<Arc<str>, Places>,
    names: HashSet<Arc<str>>,
    removals: usize,
    bytes: usize,
}

impl Objects {
    /// Takes an object's JSON. Refused: no JSON, no UID, over [`MAX_OBJECT`], a new one over [`MAX_OBJECTS`].
    pub fn apply(&mut self, bytes: &[u8]) -> Result<Applied, Box<Problem>> {
        let refused = |code: &str, message: String| Err(Box::new(Problem::gap(code, message)));
        if bytes.len() > MAX_OBJECT {
            return refused("limit", format!("an object is over {} MiB", MAX_OBJECT >> 20));
        }
        let object: Value = match serde_json::from_slice(bytes) {
            Ok(object) => object,
            Err(error) => return refused("object", format!("an object is no JSON: {error}")),
        };
        let Some(uid) = object.pointer("/metadata/uid").and_then(Value::as_str) else {
            return refused("object", "an object has no UID".to_owned());
        };
        if self.stored.len() >= MAX_OBJECTS && !self.stored.contains_key(uid) {
            return refused("limit", format!("more than {MAX_OBJECTS} objects"));
        }
        let uid = self.name(uid);
        let hash = meaning(&object);
        if let Some(known) = self.stored.get_mut(&uid)
            && known.hash == hash
        {
            self.bytes = self.bytes - known.bytes.len() + bytes.len();
            known.bytes = bytes.into();
            return Ok(Applied { uid: uid.to_string(), changed: false, object, before: None });
        }
        let columns = self.columns(&object);
        self.unlink(&uid);
        if let Some(owner) = &columns.owner {
            self.children.entry(owner.uid.clone()).or_default().insert(uid.clone());
        }
        let stored = Stored { bytes: bytes.into(), hash, columns };
        self.place(&uid, &stored.columns);
        let before = self.stored.insert(uid.clone(), stored).map(|old| old.bytes);
        self.bytes = self.bytes - before.as_ref().map_or(0, |old| old.len()) + bytes.len();
        Ok(Applied { uid: uid.to_string(), changed: true, object, before })
    }

    /// Forgets an object; whether it was there.
    pub fn remove(&mut self, uid: &str) -> bool {
        let Some((uid, _)) =
            self.stored.get_key_value(uid).map(|(uid, stored)| (uid.clone(), stored.hash))
        else {
            return false;
        };
        self.unlink(&uid);
        self.bytes -= self.stored.remove(&uid).map_or(0, |stored| stored.bytes.len());
        self.removals += 1;
        if self.removals.is_multiple_of(SWEEP_EVERY) {
            drop(uid);
            self.names.retain(|name| Arc::strong_count(name) > 1);
        }
        true
    }

    fn place(&mut self, uid: &Arc<str>, columns: &Columns) {
        let namespace = match &columns.namespace {
            Some(namespace) => namespace.clone(),
            None => self.name(""),
        };
        let kinds = self.places.entry(columns.kind.clone()).or_default();
        kinds.entry(namespace).or_default().insert(uid.clone());
    }

    /// UIDs of the objects of a kind, whatever their version: those of one namespace, empty for what stands in none, or
    /// all. `*` is any kind of the group. In order of namespace and UID.
    pub fn of_kind(&self, group: &str, kind: &str, namespace: Option<&str>) -> Vec<&str> {
        let kinds: Vec<&Places> = match kind {
            "*" => self.places.values().collect(),
            kind => self.places.get(kind).into_iter().collect(),
        };
        let sets: Vec<&BTreeSet<Arc<str>>> = match namespace {
            Some(namespace) => kinds.iter().filter_map(|kind| kind.get(namespace)).collect(),
            None => kinds.iter().flat_map(|kind| kind.values()).collect(),
        };
        let of_group = |uid: &&Arc<str>| {
            let version = self.stored.get(*uid).map(|stored| stored.columns.api_version.as_ref());
            version.is_some_and(|version| group_version(version).0 == group)
        };
        sets.into_iter().flatten().filter(of_group).map(AsRef::as_ref).collect()
    }

    /// The namespaces that objects stand in; the empty one where some stand in none.
    pub fn namespaces(&self) -> BTreeSet<Arc<str>> {
        self.places.values().flat_map(BTreeMap::keys).cloned().collect()
    }

    fn unlink(&mut self, uid: &Arc<str>) {
        if let Some(stored) = self.stored.get(uid) {
            let namespace = stored.columns.namespace.as_deref().unwrap_or_default();
            if let Some(places) = self.places.get_mut(&stored.columns.kind)
                && let Some(uids) = places.get_mut(namespace)
            {
                uids.remove(uid);
                if uids.is_empty() {
                    places.remove(namespace);
                }
            }
        }
        let owner = self
            .stored
            .get(uid)
            .and_then(|stored| stored.columns.owner.as_ref())
            .map(|owner| owner.uid.clone());
        if let Some(owner) = owner
            && let Some(siblings) = self.children.get_mut(&owner)
        {
            siblings.remove(uid);
            if siblings.is_empty() {
                self.children.remove(&owner);
            }
        }
    }

    pub fn columns_of(&self, uid: &str) -> Option<&Columns> {
        self.stored.get(uid).map(|stored| &stored.columns)
    }

    /// The object, parsed.
    pub fn parse(&self, uid: &str) -> Option<Value> {
        serde_json::from_slice(&self.stored.get(uid)?.bytes).ok()
    }

    /// The object as it came.
    pub fn json(&self, uid: &str) -> Option<&str> {
        std::str::from_utf8(&self.stored.get(uid)?.bytes).ok()
    }

    /// An object with its names, owner and replicas alone, which costs no parsing.
    pub fn outline(&self, uid: &str) -> Option<Value> {
        let columns = self.columns_of(uid)?;
        let mut metadata = json!({"name": &*columns.name, "uid": uid});
        if let Some(namespace) = &columns.namespace {
            metadata["namespace"] = (&**namespace).into();
        }
        if let Some(Owner { api_version, kind, name, uid }) = &columns.owner {
            metadata["ownerReferences"] = json!([{"apiVersion": &**api_version, "kind": &**kind, "name": &**name,
                "uid": &**uid, "controller": true}]);
        }
        let mut spec = json!({});
        if let Some(replicas) = columns.replicas {
            spec["replicas"] = replicas.into();
        }
        Some(
            json!({"apiVersion": &*columns.api_version, "kind": &*columns.kind, "metadata": metadata, "spec": spec}),
        )
    }

    /// UIDs of the objects that `uid` controls.
    pub fn children(&self, uid: &str) -> impl Iterator<Item = &str> {
        self.children.get(uid).into_iter().flatten().map(AsRef::as_ref)
    }

    /// UIDs with their columns, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Columns)> {
        self.stored.iter().map(|(uid, stored)| (uid.as_ref(), &stored.columns))
    }

    pub fn len(&self) -> usize {
        self.stored.len()
    }

    pub fn is_empty(&self) -> bool {
        self.stored.is_empty()
    }

    /// Bytes of all objects, without columns.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn name(&mut self, text: &str) -> Arc<str> {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        let name: Arc<str> = text.into();
        self.names.insert(name.clone());
        name
    }

    fn columns(&mut self, object: &Value) -> Columns {
        let text = |value: &Value, pointer: &str| {
            value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let (api_version, kind) = (text(object, "/apiVersion"), text(object, "/kind"));
        let pod_spec = crate::workload::kind(&api_version, &kind)
            .and_then(|kind| object.pointer(kind.pod_spec))
            .unwrap_or(&Value::Null);
        let mut images: Vec<Arc<str>> = Vec::new();
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            for container in pod_spec.get(list).and_then(Value::as_array).into_iter().flatten() {
                let image = self.name(&text(container, "/image"));
                if !image.is_empty() && !images.contains(&image) {
                    images.push(image);
                }
            }
        }
        let references = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let controller = references
            .into_iter()
            .flatten()
            .find(|reference| reference.get("controller") == Some(&Value::Bool(true)));
        let owner = controller.map(|reference| Owner {
            api_version: self.name(&text(reference, "/apiVersion")),
            kind: self.name(&text(reference, "/kind")),
            name: self.name(&text(reference, "/name")),
            uid: self.name(&text(reference, "/uid")),
        });
        let labels =
            object.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten();
        let labels = labels
            .map(|(key, value)| (self.name(key), self.name(value.as_str().unwrap_or_default())))
            .collect();
        let mut optional = |pointer: &str, of: &Value| {
            let text = text(of, pointer);
            (!text.is_empty()).then(|| self.name(&text))
        };
        Columns {
            namespace: optional("/metadata/namespace", object),
            service_account: optional("/serviceAccountName", pod_spec),
            node: optional("/nodeName", pod_spec),
            name: self.name(&text(object, "/metadata/name")),
            api_version: self.name(&api_version),
            kind: self.name(&kind),
            mirror: object.pointer("/metadata/annotations/kubernetes.io~1config.mirror").is_some(),
            replicas: object.pointer("/spec/replicas").and_then(Value::as_u64),
            owner,
            labels,
            images,
        }
    }
}

/// A hash of what the object means. `DefaultHasher::new` has fixed keys, so it is the same in every process.
fn meaning(object: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (key, value) in object.as_object().into_iter().flatten() {
        match key.as_str() {
            "status" => {
                for key in MEANT {
                    if let Some(meant) = value.get(key) {
                        (key, meant.to_string()).hash(&mut hasher);
                    }
                }
            }
            "metadata" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    if !matches!(key.as_str(), "resourceVersion" | "generation" | "managedFields") {
                        (key, value.to_string()).hash(&mut hasher);
                    }
                }
            }
            _ => (key, value.to_string()).hash(&mut hasher),
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(value: &Value) -> Vec<u8> {
        serde_json::to_vec(value).unwrap()
    }

    #[test]
    fn only_meaning_counts_as_change() {
        let mut objects = Objects::default();
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"uid": "u", "name": "a", "resourceVersion": "1"},
            "spec": {"nodeName": "n", "containers": [{"image": "x"}, {"image": "x"}], "initContainers": [{"image": "y"}]}});
        assert!(objects.apply(&bytes(&pod)).unwrap().changed);
        let columns = objects.columns_of("u").unwrap();
        assert_eq!(columns.images.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["x", "y"]);
        assert_eq!(columns.node.as_deref(), Some("n"));
        pod["status"] = json!({"phase": "Running"});
        pod["metadata"]["resourceVersion"] = json!("2");
        assert!(!objects.apply(&bytes(&pod)).unwrap().changed);
        assert_eq!(objects.parse("u").unwrap(), pod);
        pod["spec"]["nodeName"] = json!("m");
        assert!(objects.apply(&bytes(&pod)).unwrap().changed);
        assert_eq!(objects.bytes(), bytes(&pod).len());
        assert!(objects.remove("u") && !objects.remove("u") && objects.is_empty());
        assert_eq!(objects.bytes(), 0);
    }

    #[test]
    fn children_follow_their_controller() {
        let mut objects = Objects::default();
        let pod = |owner: &str| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"uid": "p", "ownerReferences": [{"uid": "other"}, {"uid": owner, "controller": true}]}});
        objects.apply(&bytes(&pod("a"))).unwrap();
        objects.apply(&bytes(&pod("b"))).unwrap();
        assert_eq!(
            (objects.children("a").count(), objects.children("b").collect::<Vec<_>>()),
            (0, vec!["p"])
        );
        objects.remove("p");
        assert_eq!(objects.children("b").count(), 0);
    }

    #[test]
    fn refused_with_a_gap() {
        let mut objects = Objects::default();
        for (bytes, code) in [
            (b"{".to_vec(), "object"),
            (b"{}".to_vec(), "object"),
            (vec![b' '; MAX_OBJECT + 1], "limit"),
        ] {
            assert_eq!(objects.apply(&bytes).unwrap_err().code, code);
        }
    }
}
