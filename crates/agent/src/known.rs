//! The objects that users' policies look up: written by the watch, read by those who judge.
//!
//! Only namespaces and the kinds that policies name are here, parsed: everything else stays as bytes in the store.
use seawall_posture::admission::{Answers, Inventory, InventoryRead, Lookup, Needs, Params};
use seawall_posture::objects::Objects;
use seawall_posture::scope::is_namespaced;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::time::Instant;

/// Bytes of JSON; parsed they take some fifteen times that, and each judge holds a third form, seven times as large, for
/// each template that reads them. So much fits into the 512 MiB that the chart gives.
const MAX_BYTES: usize = 4 << 20;
/// How long a watch may lag behind the API server before a policy that looks at a namespace is not judged.
const WATCH_LAG: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// `apiVersion` and kind.
type Kind = (String, String);

/// Shared between the agent's loop, which writes, and the webhook's judges.
#[derive(Debug, Default)]
pub(crate) struct Known {
    shelf: RwLock<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    needs: Needs,
    /// Needs have changed, and what is stored has not been gone through since.
    to_fill: bool,
    /// What the cluster serves; `None` before that is known.
    served: Option<BTreeSet<Kind>>,
    /// All objects of these are stored, or would be if they were needed.
    listed: BTreeSet<Kind>,
    /// Kinds whose objects are too many; nothing of them is here.
    over: BTreeSet<Kind>,
    inventory: Inventory,
    /// Bytes of what is here, by kind, then namespace and name.
    bytes: BTreeMap<Kind, BTreeMap<(String, String), usize>>,
    total: usize,
}

impl Known {
    fn read(&self) -> RwLockReadGuard<'_, Shelf> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shelf> {
        self.shelf.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What policies look up from now on.
    pub(crate) fn need(&self, needs: Needs) {
        let mut shelf = self.write();
        if shelf.needs != needs {
            shelf.needs = needs;
            shelf.to_fill = true;
        }
    }

    /// Kinds that the cluster has.
    pub(crate) fn serves(&self, kinds: impl IntoIterator<Item = Kind>) {
        self.write().served = Some(kinds.into_iter().collect());
    }

    /// All objects of a kind have come; or they cannot be read any more.
    pub(crate) fn set_listed(&self, api_version: &str, kind: &str, listed: bool) {
        let (key, mut shelf) = ((api_version.to_owned(), kind.to_owned()), self.write());
        if listed {
            shelf.listed.insert(key);
        } else {
            shelf.listed.remove(&key);
        }
    }

    /// An object came or changed; `bytes` are those of its JSON.
    pub(crate) fn apply(&self, object: Value, bytes: usize) {
        let kind = kind_of(&object);
        // Most objects are of kinds that nobody looks up.
        if self.read().wants(&kind) {
            self.write().put(kind, object, bytes);
        }
    }

    pub(crate) fn remove(&self, object: &Value) {
        let kind = kind_of(object);
        if self.read().wants(&kind) {
            self.write().take(&kind, object);
        }
    }

    /// Goes through what is stored if other kinds are needed than before.
    pub(crate) fn fill(&self, objects: &Objects) {
        let mut shelf = self.write();
        if !std::mem::take(&mut shelf.to_fill) {
            return;
        }
        shelf.clear();
        for (uid, columns) in objects.iter() {
            let kind = (columns.api_version.to_string(), columns.kind.to_string());
            if shelf.wants(&kind)
                && let Some(object) = objects.parse(uid)
            {
                let bytes = object.to_string().len();
                shelf.put(kind, object, bytes);
            }
        }
    }

    /// Waits for a namespace that was made a moment ago and the watch has not told of yet.
    pub(crate) fn wait_for_namespace(&self, name: &str, deadline: Instant) {
        let end = deadline.min(Instant::now() + WATCH_LAG);
        while self.read().inventory.namespace(name).is_none() && Instant::now() < end {
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// As policies see it, for the time of one judgement.
    pub(crate) fn seen(&self, answers: Arc<Answers>) -> Seen<'_> {
        Seen { shelf: self.read(), answers }
    }
}

/// The cluster as policies see it; nothing changes while one judges.
pub(crate) struct Seen<'k> {
    shelf: RwLockReadGuard<'k, Shelf>,
    answers: Arc<Answers>,
}

impl Lookup for Seen<'_> {
    fn namespace(&self, name: &str) -> Option<&Value> {
        self.shelf.inventory.namespace(name)
    }

    fn params(&self, api_version: &str, kind: &str) -> Params<'_> {
        let key = (api_version.to_owned(), kind.to_owned());
        if self.shelf.served.as_ref().is_some_and(|served| !served.contains(&key)) {
            return Params::Unknown;
        }
        if self.shelf.missing(&key).is_some() {
            return Params::NotAtHand;
        }
        let objects: Vec<&Value> = self.shelf.inventory.of_kind(&key.0, &key.1).collect();
        let inside = |object: &&Value| object.pointer("/metadata/namespace").is_some();
        match objects.first() {
            Some(first) if inside(first) => Params::Namespaced(objects),
            Some(_) => Params::Cluster(objects),
            None if is_namespaced(api_version, kind) => Params::Namespaced(objects),
            None => Params::Cluster(objects),
        }
    }

    fn inventory(&self, reads: &BTreeSet<InventoryRead>) -> Result<&Inventory, String> {
        for read in reads {
            let (Some(version), Some(kind)) = (&read.group_version, &read.kind) else {
                // As in Gatekeeper, which has of all kinds those that are synced.
                continue;
            };
            let key = (version.clone(), kind.clone());
            let served = self.shelf.served.as_ref().is_none_or(|served| served.contains(&key));
            if served && let Some(why) = self.shelf.missing(&key) {
                return Err(format!("{version} {kind} {why}"));
            }
        }
        Ok(&self.shelf.inventory)
    }

    fn answers(&self) -> Arc<Answers> {
        self.answers.clone()
    }
}

impl Shelf {
    fn wants(&self, kind: &Kind) -> bool {
        let needed = self.needs.everything || self.needs.kinds.contains(kind) || is_namespace(kind);
        needed && !self.over.contains(kind)
    }

    /// Why the objects of a kind are not all here.
    fn missing(&self, kind: &Kind) -> Option<&'static str> {
        if self.over.contains(kind) {
            Some("has too many objects to look up")
        } else if !self.listed.contains(kind) {
            Some("is not watched: give the object in the set itself")
        } else if self.to_fill || !self.wants(kind) {
            Some("is not looked up yet")
        } else {
            None
        }
    }

    fn put(&mut self, kind: Kind, object: Value, bytes: usize) {
        self.take(&kind, &object);
        if self.total + bytes > MAX_BYTES && !is_namespace(&kind) {
            tracing::warn!(kind = kind.1, "too many objects for policies to look up");
            self.forget(kind);
            return;
        }
        let name = name_of(&object);
        // An object of the API server has a version and a kind.
        if self.inventory.add(object).is_ok() {
            self.total += bytes;
            self.bytes.entry(kind).or_default().insert(name, bytes);
        }
    }

    fn take(&mut self, kind: &Kind, object: &Value) {
        let name = name_of(object);
        let of_kind = self.bytes.get_mut(kind);
        if let Some(bytes) = of_kind.and_then(|of_kind| of_kind.remove(&name)) {
            self.total -= bytes;
            self.inventory.remove(&kind.0, &kind.1, &name.0, &name.1);
        }
    }

    /// Half of a kind's objects would be a wrong answer.
    fn forget(&mut self, kind: Kind) {
        for ((namespace, name), bytes) in self.bytes.remove(&kind).unwrap_or_default() {
            self.total -= bytes;
            self.inventory.remove(&kind.0, &kind.1, &namespace, &name);
        }
        self.over.insert(kind);
    }

    fn clear(&mut self) {
        self.inventory = Inventory::default();
        self.bytes.clear();
        self.over.clear();
        self.total = 0;
    }
}

fn kind_of(object: &Value) -> Kind {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("apiVersion"), text("kind"))
}

/// Namespace, empty where there is none, and name.
fn name_of(object: &Value) -> (String, String) {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    (text("/metadata/namespace").to_owned(), text("/metadata/name").to_owned())
}

fn is_namespace(kind: &Kind) -> bool {
    kind.0 == "v1" && kind.1 == "Namespace"
}
