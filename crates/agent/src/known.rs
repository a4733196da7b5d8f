//! The objects that users' policies look up: written by the watch, read by those who judge.
//!
//! Only namespaces and the kinds that policies name are here, parsed: everything else stays as bytes in the store. Kinds
//! that no control looks at are here alone.
use seawall_cluster::{Served, ServedKind};
use seawall_posture::admission::{Answers, Inventory, InventoryRead, Lookup, Needs, Params};
use seawall_posture::objects::Objects;
use seawall_posture::scope::is_namespaced;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
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
/// Namespace, empty where there is none, and name.
type Name = (String, String);

/// Shared between the agent's loop, which writes, and the webhook's judges.
#[derive(Debug, Default)]
pub(crate) struct Known {
    shelf: RwLock<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    needs: Needs,
    /// The needs that the watch follows and what is stored has been gone through for.
    met: Needs,
    /// What the cluster serves; `None` before that is known.
    served: Option<BTreeMap<Kind, ServedKind>>,
    /// All objects of these are stored, or would be if they were needed.
    listed: BTreeSet<Kind>,
    /// Kinds that may not be read, and what to do about it.
    refused: BTreeMap<Kind, String>,
    /// Kinds whose objects are too many; nothing of them is here.
    over: BTreeSet<Kind>,
    watched: BTreeSet<Kind>,
    /// Those of them that are watched for policies alone.
    alone: BTreeSet<Kind>,
    inventory: Inventory,
    /// Bytes and UID of what is here.
    held: BTreeMap<Kind, BTreeMap<Name, Held>>,
    total: usize,
}

#[derive(Debug)]
struct Held {
    bytes: usize,
    uid: String,
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
        self.write().needs = needs;
    }

    /// The needs, where they are others than those that are met.
    pub(crate) fn unmet(&self) -> Option<Needs> {
        let shelf = self.read();
        (shelf.needs != shelf.met).then(|| shelf.needs.clone())
    }

    /// The kinds that the cluster has.
    pub(crate) fn serves(&self, served: &Served) {
        let key = |kind: &ServedKind| (kind.kind.api_version.clone(), kind.kind.kind.clone());
        let kinds = served.all().map(|kind| (key(&kind), kind)).collect();
        self.write().served = Some(kinds);
    }

    /// A kind is watched.
    pub(crate) fn follow(&self, api_version: &str, kind: &str) {
        self.write().watched.insert((api_version.to_owned(), kind.to_owned()));
    }

    /// A kind is watched for policies alone, from its first object on.
    pub(crate) fn follow_alone(&self, api_version: &str, kind: &str) {
        self.end(api_version, kind);
        self.follow(api_version, kind);
        self.write().alone.insert((api_version.to_owned(), kind.to_owned()));
    }

    /// A kind is watched no more: nothing of it is known.
    pub(crate) fn end(&self, api_version: &str, kind: &str) {
        let (key, mut shelf) = ((api_version.to_owned(), kind.to_owned()), self.write());
        shelf.drop_kind(&key);
        shelf.listed.remove(&key);
        shelf.refused.remove(&key);
        shelf.over.remove(&key);
        shelf.watched.remove(&key);
        shelf.alone.remove(&key);
    }

    /// All objects of a kind have come; or they cannot be read any more.
    pub(crate) fn set_listed(&self, api_version: &str, kind: &str, listed: bool) {
        let (key, mut shelf) = ((api_version.to_owned(), kind.to_owned()), self.write());
        if listed {
            shelf.refused.remove(&key);
            shelf.listed.insert(key);
        } else {
            shelf.listed.remove(&key);
        }
    }

    /// A kind may not be read.
    pub(crate) fn refuse(&self, kind: &seawall_cluster::Kind) {
        let (key, mut shelf) = ((kind.api_version.clone(), kind.kind.clone()), self.write());
        shelf.listed.remove(&key);
        shelf.refused.insert(key, right_to(kind));
    }

    /// An object came or changed; `bytes` are those of its JSON.
    pub(crate) fn apply(&self, object: Value, bytes: usize) {
        let kind = kind_of(&object);
        // Most objects are of kinds that nobody looks up.
        if self.read().wants(&kind) {
            self.write().put(kind, object, bytes);
        }
    }

    /// An object of a kind that is watched for policies alone; the watch gives JSON.
    pub(crate) fn apply_alone(&self, bytes: &[u8]) {
        if let Ok(object) = serde_json::from_slice(bytes) {
            self.apply(object, bytes.len());
        }
    }

    pub(crate) fn remove(&self, object: &Value) {
        let kind = kind_of(object);
        if self.read().wants(&kind) {
            self.write().take(&kind, &name_of(object));
        }
    }

    /// An object of a kind that is watched for policies alone is gone.
    pub(crate) fn remove_uid(&self, api_version: &str, kind: &str, uid: &str) {
        let (key, mut shelf) = ((api_version.to_owned(), kind.to_owned()), self.write());
        let mut held = shelf.held.get(&key).into_iter().flatten();
        if let Some(name) = held.find(|(_, held)| held.uid == uid).map(|(name, _)| name.clone()) {
            shelf.take(&key, &name);
        }
    }

    /// Goes through what is stored, for needs that the watch follows from now on.
    pub(crate) fn meet(&self, needs: Needs, objects: &Objects) {
        let mut shelf = self.write();
        let before = std::mem::replace(&mut shelf.met, needs);
        let kinds = shelf.held.keys().chain(&shelf.over).cloned();
        for kind in kinds.collect::<Vec<_>>() {
            // Fewer objects of others may leave room for what was too much.
            let anew = shelf.over.contains(&kind) && !shelf.alone.contains(&kind);
            if anew || !shelf.is_met(&kind) {
                shelf.drop_kind(&kind);
                shelf.over.remove(&kind);
            }
        }
        let here: BTreeSet<Kind> =
            shelf.held.keys().filter(|kind| before.includes(&kind.0, &kind.1)).cloned().collect();
        for (uid, columns) in objects.iter() {
            let kind = (columns.api_version.to_string(), columns.kind.to_string());
            if !here.contains(&kind)
                && shelf.is_met(&kind)
                && !shelf.over.contains(&kind)
                && let Some(object) = objects.parse(uid)
            {
                let bytes = object.to_string().len();
                shelf.put(kind, object, bytes);
            }
        }
    }

    pub(crate) fn met(&self) -> Needs {
        self.read().met.clone()
    }

    /// Whether the watch follows all that `needs` names.
    pub(crate) fn meets(&self, needs: &Needs) -> bool {
        let shelf = self.read();
        let met = &shelf.met;
        needs.kinds.is_subset(&met.kinds)
            && needs.names.is_subset(&met.names)
            && (met.everything || !needs.everything)
    }

    /// What of `needs` is not to be had, and why.
    pub(crate) fn hindrances(&self, needs: &Needs) -> Vec<String> {
        let shelf = self.read();
        let told = shelf.needed(needs).filter_map(|kind| {
            let why = shelf.missing(kind)?;
            Some(format!("{} {} {why}", kind.0, kind.1))
        });
        told.collect()
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
        let found = self.shelf.served.as_ref().map(|served| served.get(&key));
        if found == Some(None) {
            return Params::Unknown;
        }
        if let Some(why) = self.shelf.missing(&key) {
            return Params::NotAtHand(why.to_string());
        }
        let objects: Vec<&Value> = self.shelf.inventory.of_kind(&key.0, &key.1).collect();
        let guessed = || is_namespaced(api_version, kind);
        match found.flatten().map_or_else(guessed, |served| served.namespaced) {
            true => Params::Namespaced(objects),
            false => Params::Cluster(objects),
        }
    }

    fn inventory(&self, reads: &BTreeSet<InventoryRead>) -> Result<&Inventory, String> {
        for read in reads {
            match (&read.group_version, &read.kind) {
                (Some(version), Some(kind)) => self.shelf.has(&(version.clone(), kind.clone()))?,
                (None, Some(kind)) => self.shelf.has_named(kind)?,
                // As in Gatekeeper, which has of all kinds those that are synced.
                _ => {}
            }
        }
        Ok(&self.shelf.inventory)
    }

    fn answers(&self) -> Arc<Answers> {
        self.answers.clone()
    }
}

/// Why the objects of a kind are not all here.
#[derive(Debug)]
enum Missing<'a> {
    /// They are on their way.
    Yet,
    Refused(&'a str),
    TooMany,
    Never,
}

impl fmt::Display for Missing<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Yet => "has not been read yet",
            Self::Refused(right) => right,
            Self::TooMany => {
                "has too many objects to look up: over 16 MiB with all that policies look up"
            }
            Self::Never => "is never read: give the object in the set itself",
        })
    }
}

impl Shelf {
    fn wants(&self, kind: &Kind) -> bool {
        let needed = self.needs.includes(&kind.0, &kind.1) || is_namespace(kind);
        needed && !self.over.contains(kind)
    }

    fn is_met(&self, kind: &Kind) -> bool {
        self.met.includes(&kind.0, &kind.1) || is_namespace(kind)
    }

    /// Of what `needs` names, the kinds that the cluster serves.
    fn needed<'n>(&'n self, needs: &'n Needs) -> impl Iterator<Item = &'n Kind> {
        let served = self.served.iter().flatten();
        served.map(|(kind, _)| kind).filter(|kind| {
            // A name stands for the versions that are watched.
            let named = needs.names.contains(&kind.1) && self.watched.contains(kind);
            named || needs.kinds.contains(*kind)
        })
    }

    fn missing(&self, kind: &Kind) -> Option<Missing<'_>> {
        let served = self.served.as_ref().and_then(|served| served.get(kind));
        if self.over.contains(kind) {
            Some(Missing::TooMany)
        } else if served.is_some_and(|served| !served.listable) {
            Some(Missing::Never)
        } else if let Some(right) = self.refused.get(kind) {
            Some(Missing::Refused(right))
        } else if !self.listed.contains(kind) || !self.is_met(kind) {
            Some(Missing::Yet)
        } else {
            None
        }
    }

    /// Error: its objects are not at hand. What is not served has none.
    fn has(&self, kind: &Kind) -> Result<(), String> {
        let served = self.served.as_ref().is_none_or(|served| served.contains_key(kind));
        match self.missing(kind).filter(|_| served) {
            Some(why) => Err(format!("{} {} {why}", kind.0, kind.1)),
            None => Ok(()),
        }
    }

    /// A kind by its name alone is, as in Gatekeeper, what is synced of that name; here at least one has to be.
    fn has_named(&self, name: &str) -> Result<(), String> {
        let named = Needs { names: [name.to_owned()].into(), ..Needs::default() };
        let all: Vec<&Kind> = self.needed(&named).collect();
        if !self.met.everything && !self.met.names.contains(name) {
            return Err(format!("{name} {}", Missing::Yet));
        }
        let mut refused = None;
        for kind in &all {
            match self.missing(kind) {
                Some(why @ Missing::Yet) => return Err(format!("{} {} {why}", kind.0, kind.1)),
                Some(why) => refused = Some(format!("{} {} {why}", kind.0, kind.1)),
                None => return Ok(()),
            }
        }
        refused.map_or(Ok(()), Err)
    }

    fn put(&mut self, kind: Kind, object: Value, bytes: usize) {
        let name = name_of(&object);
        let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
        let held = Held { bytes, uid: uid.to_owned() };
        let of_kind = self.held.get(&kind);
        let before = of_kind.and_then(|of_kind| of_kind.get(&name)).map_or(0, |held| held.bytes);
        if self.total - before + bytes > MAX_BYTES && !is_namespace(&kind) {
            tracing::warn!(kind = kind.1, "too many objects for policies to look up");
            // Half of a kind's objects would be a wrong answer.
            self.drop_kind(&kind);
            self.over.insert(kind);
            return;
        }
        // An object of the API server has a version and a kind.
        if self.inventory.add(object).is_ok() {
            self.total = self.total - before + bytes;
            self.held.entry(kind).or_default().insert(name, held);
        }
    }

    fn take(&mut self, kind: &Kind, name: &Name) {
        let of_kind = self.held.get_mut(kind);
        if let Some(held) = of_kind.and_then(|of_kind| of_kind.remove(name)) {
            self.total -= held.bytes;
            self.inventory.remove(&kind.0, &kind.1, &name.0, &name.1);
        }
    }

    fn drop_kind(&mut self, kind: &Kind) {
        let held = self.held.remove(kind).unwrap_or_default();
        self.total -= held.values().map(|held| held.bytes).sum::<usize>();
        self.inventory.remove_kind(&kind.0, &kind.1);
    }
}

/// Which right lets a kind be read.
fn right_to(kind: &seawall_cluster::Kind) -> String {
    let group = kind.api_version.split_once('/').map_or("", |(group, _)| group);
    format!(
        "may not be read: grant get, list and watch on apiGroup \"{group}\", resource {}, to the agent; with Helm, in \
         agent.policyReads",
        kind.plural
    )
}

fn kind_of(object: &Value) -> Kind {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("apiVersion"), text("kind"))
}

fn name_of(object: &Value) -> Name {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    (text("/metadata/namespace").to_owned(), text("/metadata/name").to_owned())
}

fn is_namespace(kind: &Kind) -> bool {
    kind.0 == "v1" && kind.1 == "Namespace"
}
