//! Every object known at one moment, for controls that need several: by kind, by name, by owner.
//!
//! Built from files or dumps by whoever reads them; controls only look.
use crate::control::group_version;
use crate::exposure::Network;
use crate::native::{self, Powerful};
use crate::rbac::{Access, Library};
use crate::workload;
use seawall_model::finding::Resource;
use serde_json::Value;
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Group and kind; the core group is empty.
pub type GroupKind<'a> = (&'a str, &'a str);

/// One known object; copying it copies a reference.
#[derive(Clone, Copy, Debug)]
pub struct Object<'w> {
    value: &'w Value,
}

/// What a control judges: an object, or something that no object stands for, such as a user.
#[derive(Clone, Debug)]
pub struct Subject<'w> {
    pub resource: Resource,
    pub object: Option<Object<'w>>,
}

/// Objects found by kind, by name, by UID and by owner. Several worlds may stand on one.
#[derive(Debug, Default)]
pub struct Index<'w> {
    objects: Vec<Object<'w>>,
    /// By kind, then group.
    by_kind: HashMap<&'w str, HashMap<&'w str, Vec<usize>>>,
    by_name: HashMap<(GroupKind<'w>, &'w str, &'w str), usize>,
    by_uid: HashMap<&'w str, usize>,
    children: HashMap<&'w str, Vec<usize>>,
}

/// Who may do what, and what follows from it; kept by whoever watches a cluster, else made where it is asked for.
#[derive(Debug, Default)]
pub struct Rights {
    pub(crate) access: Access,
    /// What of roles and bindings was not understood, so that somebody may do more than `access` says.
    pub(crate) problems: Vec<String>,
    powerful: OnceCell<Powerful>,
}

#[derive(Debug)]
enum Held<'w> {
    Own(Box<Rights>),
    Shared(&'w Rights),
}

/// The objects known at one moment.
#[derive(Debug, Default)]
pub struct World<'w> {
    /// What other worlds see too; comes before the own objects.
    base: Option<&'w Index<'w>>,
    own: Index<'w>,
    /// Kinds that cannot be read, and why: `forbidden`, `stale`, `not-collected`.
    unseen: BTreeMap<(String, String), String>,
    whole: bool,
    kubernetes: Option<String>,
    library: OnceCell<Arc<Library>>,
    rights: OnceCell<Held<'w>>,
    network: OnceCell<Network<'w>>,
}

impl<'w> Object<'w> {
    pub fn new(value: &'w Value) -> Self {
        Self { value }
    }

    pub fn value(&self) -> &'w Value {
        self.value
    }

    fn text(&self, pointer: &str) -> &'w str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn api_version(&self) -> &'w str {
        self.text("/apiVersion")
    }

    /// Of the API; empty for the core group.
    pub fn group(&self) -> &'w str {
        group_version(self.api_version()).0
    }

    pub fn kind(&self) -> &'w str {
        self.text("/kind")
    }

    /// Empty for what stands in no namespace, and in files for what names none.
    pub fn namespace(&self) -> &'w str {
        self.text("/metadata/namespace")
    }

    pub fn name(&self) -> &'w str {
        self.text("/metadata/name")
    }

    /// Empty in files.
    pub fn uid(&self) -> &'w str {
        self.text("/metadata/uid")
    }

    pub fn label(&self, key: &str) -> Option<&'w str> {
        self.value.get("metadata")?.get("labels")?.get(key)?.as_str()
    }

    /// The owner reference with `controller: true`.
    pub fn controller(&self) -> Option<&'w Value> {
        let references = self.value.pointer("/metadata/ownerReferences")?.as_array()?;
        references.iter().find(|reference| reference.get("controller") == Some(&Value::Bool(true)))
    }
}

impl<'w> Subject<'w> {
    pub fn of(object: Object<'w>) -> Self {
        Self { resource: workload::resource(object.value), object: Some(object) }
    }
}

impl<'w> Index<'w> {
    /// Of two objects of one kind and name the last one is found by name.
    pub fn new(objects: impl IntoIterator<Item = &'w Value>) -> Self {
        let mut index = Self::default();
        objects.into_iter().for_each(|object| index.push(object));
        index
    }

    fn push(&mut self, value: &'w Value) {
        let object = Object { value };
        let at = self.objects.len();
        let kind = (object.group(), object.kind());
        self.by_kind.entry(kind.1).or_default().entry(kind.0).or_default().push(at);
        self.by_name.insert((kind, object.namespace(), object.name()), at);
        if !object.uid().is_empty() {
            self.by_uid.insert(object.uid(), at);
        }
        let owner = object.controller().and_then(|owner| owner.get("uid")?.as_str());
        if let Some(owner) = owner {
            self.children.entry(owner).or_default().push(at);
        }
        self.objects.push(object);
    }

    fn of_kind<'s>(
        &'s self,
        group: &str,
        kind: &str,
    ) -> impl Iterator<Item = Object<'w>> + use<'s, 'w> {
        let groups = self.by_kind.get(kind).and_then(|groups| groups.get(group));
        let indexes = groups.map_or(&[][..], Vec::as_slice);
        indexes.iter().map(|index| self.objects[*index])
    }

    fn find(&self, kind: GroupKind<'_>, namespace: &str, name: &str) -> Option<Object<'w>> {
        let index = self.by_name.get(&(kind, namespace, name))?;
        Some(self.objects[*index])
    }

    fn by_uid(&self, uid: &str) -> Option<Object<'w>> {
        Some(self.objects[*self.by_uid.get(uid)?])
    }

    fn children<'s>(&'s self, uid: &str) -> impl Iterator<Item = Object<'w>> + use<'s, 'w> {
        let indexes = self.children.get(uid).map_or(&[][..], Vec::as_slice);
        indexes.iter().map(|index| self.objects[*index])
    }
}

impl Rights {
    pub(crate) fn new(access: Access, problems: Vec<String>) -> Self {
        Self { access, problems, powerful: OnceCell::new() }
    }
}

impl<'w> World<'w> {
    /// `whole`: nothing but what is said to be unseen is missing, as in a cluster; among files the absence of an object
    /// proves nothing.
    pub fn new(objects: impl IntoIterator<Item = &'w Value>, whole: bool) -> Self {
        Self { own: Index::new(objects), whole, ..Self::default() }
    }

    /// A whole world that has the objects of `base` too.
    pub fn above(base: &'w Index<'w>, objects: impl IntoIterator<Item = &'w Value>) -> Self {
        Self { base: Some(base), ..Self::new(objects, true) }
    }

    /// Rights that somebody keeps.
    pub fn with_rights(self, rights: &'w Rights) -> Self {
        Self { rights: OnceCell::from(Held::Shared(rights)), ..self }
    }

    /// `1.N` of the cluster, where it is known.
    pub fn with_kubernetes(mut self, version: Option<&str>) -> Self {
        self.kubernetes = version.map(str::to_owned);
        self
    }

    /// Objects of that kind cannot be read.
    pub fn with_unseen(mut self, group: &str, kind: &str, reason: &str) -> Self {
        self.unseen.insert((group.to_owned(), kind.to_owned()), reason.to_owned());
        self
    }

    /// Gives the judges what the content knows; the first time counts.
    pub(crate) fn equip(&self, library: &Arc<Library>) {
        self.library.get_or_init(|| library.clone());
    }

    pub(crate) fn library(&self) -> &Library {
        self.library.get_or_init(Arc::default)
    }

    fn rights(&self) -> &Rights {
        let made = || {
            let (access, problems) = self.library().access(self);
            Held::Own(Box::new(Rights::new(access, problems)))
        };
        match self.rights.get_or_init(made) {
            Held::Own(rights) => rights,
            Held::Shared(rights) => rights,
        }
    }

    /// Who may do what here.
    pub(crate) fn access(&self) -> &Access {
        &self.rights().access
    }

    /// Who reaches which workload here.
    pub fn network(&self) -> &Network<'w> {
        self.network.get_or_init(|| Network::of(self))
    }

    /// Service accounts that could take over the cluster, by namespace.
    pub(crate) fn powerful(&self) -> &Powerful {
        let rights = self.rights();
        rights.powerful.get_or_init(|| native::powerful(&rights.access))
    }

    /// What of roles and bindings was not understood, so that somebody may do more than [`Self::access`] says.
    pub(crate) fn access_problems(&self) -> &[String] {
        &self.rights().problems
    }

    /// `1.N` of the cluster, where it is known.
    pub fn kubernetes(&self) -> Option<&str> {
        self.kubernetes.as_deref()
    }

    /// Whether the absence of an object means that there is none.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Why objects of that kind cannot be read, if they cannot; of any kind of the group for `*`.
    pub fn unseen(&self, group: &str, kind: &str) -> Option<&str> {
        let known = match kind {
            "*" => self.unseen.iter().find(|((of, _), _)| of == group).map(|(_, reason)| reason),
            kind => self.unseen.get(&(group.to_owned(), kind.to_owned())),
        };
        known.map(String::as_str)
    }

    /// Every object, in the order given.
    pub fn objects(&self) -> impl Iterator<Item = Object<'w>> {
        let base = self.base.into_iter().flat_map(|base| &base.objects);
        base.chain(&self.own.objects).copied()
    }

    /// Objects of a kind, whatever their version, in the order given.
    pub fn of_kind<'s>(
        &'s self,
        group: &str,
        kind: &str,
    ) -> impl Iterator<Item = Object<'w>> + use<'s, 'w> {
        let base = self.base.map(|base| base.of_kind(group, kind));
        base.into_iter().flatten().chain(self.own.of_kind(group, kind))
    }

    /// One object by name; the namespace of what stands in none is empty.
    pub fn find(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<Object<'w>> {
        let own = self.own.find((group, kind), namespace, name);
        own.or_else(|| self.base?.find((group, kind), namespace, name))
    }

    pub fn by_uid(&self, uid: &str) -> Option<Object<'w>> {
        self.own.by_uid(uid).or_else(|| self.base?.by_uid(uid))
    }

    /// Objects that the object of that UID controls.
    pub fn children<'s>(&'s self, uid: &str) -> impl Iterator<Item = Object<'w>> + use<'s, 'w> {
        let base = self.base.map(|base| base.children(uid));
        base.into_iter().flatten().chain(self.own.children(uid))
    }

    /// The objects that run pods and answer for themselves: no owner with a pod template is known, and they are no
    /// empty ReplicaSet that a controller keeps for its history.
    pub fn workloads(&self) -> impl Iterator<Item = Object<'w>> {
        self.objects().filter(|object| {
            if workload::kind(object.api_version(), object.kind()).is_none() {
                return false;
            }
            let Some(owner) = object.controller() else { return true };
            let text = |key: &str| owner.get(key).and_then(Value::as_str).unwrap_or_default();
            let represented = workload::kind(text("apiVersion"), text("kind")).is_some()
                && self.by_uid(text("uid")).is_some();
            let history = object.kind() == "ReplicaSet"
                && object.value.pointer("/spec/replicas").and_then(Value::as_u64) == Some(0);
            !represented && !history
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_are_found() {
        let owned = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web-1", "namespace": "shop", "uid": "r",
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "d", "controller": true}]}});
        let objects = [
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop", "labels": {"a": "b"}}}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop", "uid": "d"}}),
            owned,
        ];
        let world = World::new(&objects, false).with_unseen("", "Node", "forbidden");
        let service = world.find("", "Service", "shop", "web").unwrap();
        assert_eq!((service.label("a"), service.uid()), (Some("b"), ""));
        assert!(world.find("", "Service", "other", "web").is_none());
        assert_eq!(world.of_kind("apps", "Deployment").count(), 1);
        assert_eq!(world.of_kind("", "Deployment").count(), 0);
        let children: Vec<_> = world.children("d").map(|object| object.name()).collect();
        assert_eq!(children, ["web-1"]);
        let workloads: Vec<_> = world.workloads().map(|object| object.name()).collect();
        assert_eq!(workloads, ["web"]);
        assert_eq!(
            (world.unseen("", "Node"), world.unseen("", "Pod"), world.is_whole()),
            (Some("forbidden"), None, false)
        );
    }
}
