//! The eight kinds that run pods, and one object seen through the prelude's variables.
use crate::cel::types::{self, Mismatch};
use crate::control::plural;
use crate::pointer;
use crate::refused::refused;
use seawall_cel::{List, Value as CelValue};
use seawall_model::finding::Resource;
use serde_json::Value;
use std::cell::{OnceCell, RefCell, RefMut};
use std::rc::Rc;
use std::sync::LazyLock;

/// What an absent part of an object reads as.
static NOTHING: LazyLock<Value> = LazyLock::new(|| Value::Object(serde_json::Map::new()));

/// A kind with a pod spec; pointers lead into the object.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// Resource name in URLs.
    pub plural: &'static str,
    pub pod_spec: &'static str,
    pub pod_meta: &'static str,
}

const fn template(api_version: &'static str, kind: &'static str, plural: &'static str) -> Kind {
    Kind {
        api_version,
        kind,
        plural,
        pod_spec: "/spec/template/spec",
        pod_meta: "/spec/template/metadata",
    }
}

/// What `match: workloads` means.
pub static WORKLOADS: [Kind; 8] = [
    Kind {
        api_version: "v1",
        kind: "Pod",
        plural: "pods",
        pod_spec: "/spec",
        pod_meta: "/metadata",
    },
    template("v1", "ReplicationController", "replicationcontrollers"),
    template("apps/v1", "Deployment", "deployments"),
    template("apps/v1", "StatefulSet", "statefulsets"),
    template("apps/v1", "DaemonSet", "daemonsets"),
    template("apps/v1", "ReplicaSet", "replicasets"),
    template("batch/v1", "Job", "jobs"),
    Kind {
        api_version: "batch/v1",
        kind: "CronJob",
        plural: "cronjobs",
        pod_spec: "/spec/jobTemplate/spec/template/spec",
        pod_meta: "/spec/jobTemplate/spec/template/metadata",
    },
];

/// The workload kind of that version, if it is one.
pub fn kind(api_version: &str, kind: &str) -> Option<&'static Kind> {
    WORKLOADS.iter().find(|workload| workload.kind == kind && workload.api_version == api_version)
}

/// Name, namespace and UID as findings carry them; missing parts are empty.
pub fn resource(object: &Value) -> Resource {
    let text =
        |pointer: &str| pointer::get(object, pointer).and_then(Value::as_str).map(str::to_owned);
    Resource {
        api_version: text("/apiVersion").unwrap_or_default(),
        kind: text("/kind").unwrap_or_default(),
        namespace: text("/metadata/namespace"),
        name: text("/metadata/name").or_else(|| text("/metadata/generateName")).unwrap_or_default(),
        uid: text("/metadata/uid"),
    }
}

/// One element of a list: the list's pointer, its place there, and its value.
#[derive(Clone, Debug)]
pub(crate) struct Element<'a> {
    list: Rc<str>,
    index: usize,
    pub(crate) json: &'a Value,
}

impl<'a> Element<'a> {
    /// The elements of the list at `pointer`.
    pub(crate) fn all(pointer: &str, items: &'a [Value]) -> Vec<Self> {
        let list: Rc<str> = pointer.into();
        let element = |(index, json)| Self { list: list.clone(), index, json };
        items.iter().enumerate().map(element).collect()
    }

    pub(crate) fn pointer(&self) -> String {
        format!("{}/{}", self.list, self.index)
    }
}

/// One object, its variables computed once for all controls.
pub struct View<'a> {
    object: &'a Value,
    kind: Option<&'static Kind>,
    pod_spec: Option<&'a Value>,
    pod_meta: &'a Value,
    resource: OnceCell<Resource>,
    plural: OnceCell<String>,
    refused: OnceCell<Vec<String>>,
    scratch: RefCell<Option<Value>>,
    mismatches: OnceCell<Vec<Mismatch>>,
    lists: [OnceCell<Vec<Element<'a>>>; LISTS.len()],
    values: [OnceCell<CelValue<'a>>; LISTS.len()],
}

/// The lists of the prelude, each with the own lists of the pod spec that it is made of.
const LISTS: [(&str, &[usize]); 5] = [
    ("containers", &[0, 1, 2]),
    ("mainContainers", &[0]),
    ("initContainers", &[1]),
    ("ephemeralContainers", &[2]),
    ("volumes", &[3]),
];

/// The pod spec's own lists, in the order of [`View::lists`].
pub(crate) const OWN_LISTS: [&str; 4] =
    ["containers", "initContainers", "ephemeralContainers", "volumes"];

impl<'a> View<'a> {
    /// Of any object, or of a document of facts.
    pub fn new(object: &'a Value) -> Self {
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        let kind = kind(text("apiVersion"), text("kind"));
        let (resource, plural, refused, scratch) = Default::default();
        let (mismatches, lists, values) = Default::default();
        Self {
            object,
            kind,
            pod_spec: kind.and_then(|kind| pointer::get(object, kind.pod_spec)),
            pod_meta: kind.and_then(|kind| pointer::get(object, kind.pod_meta)).unwrap_or(&NOTHING),
            resource,
            plural,
            refused,
            scratch,
            mismatches,
            lists,
            values,
        }
    }

    /// Of a copy of `other`'s object with fixes in it, which make nothing malformed.
    pub(crate) fn healed(object: &'a Value, other: &View<'_>) -> Self {
        let view = Self::new(object);
        if other.mismatches().is_empty() {
            view.mismatches.get_or_init(Vec::new);
        }
        view
    }

    /// A copy of the object, made once, for trying fixes on; who changes it leaves it as it was.
    pub(crate) fn scratch(&self) -> RefMut<'_, Value> {
        RefMut::map(self.scratch.borrow_mut(), |scratch| {
            scratch.get_or_insert_with(|| self.object.clone())
        })
    }

    /// The object's names.
    pub(crate) fn resource(&self) -> &Resource {
        self.resource.get_or_init(|| resource(self.object))
    }

    /// Why the API server would refuse it as it is.
    pub(crate) fn refused(&self) -> &[String] {
        self.refused.get_or_init(|| refused(self))
    }

    /// The name of its kind in URLs.
    pub(crate) fn plural(&self) -> &str {
        self.plural.get_or_init(|| plural(&self.resource().kind))
    }

    pub fn object(&self) -> &'a Value {
        self.object
    }

    /// The workload kind, where it is one of a known version.
    pub fn kind(&self) -> Option<&'static Kind> {
        self.kind
    }

    /// Pointer of the pod spec; of the object where it has none.
    pub(crate) fn pod_spec_pointer(&self) -> &'static str {
        self.kind.map_or("", |kind| kind.pod_spec)
    }

    pub fn pod_spec(&self) -> Option<&'a Value> {
        self.pod_spec
    }

    /// Where the object is not as the API has it.
    pub(crate) fn mismatches(&self) -> &[Mismatch] {
        self.mismatches.get_or_init(|| {
            let Resource { api_version, kind, .. } = self.resource();
            let known = types::kind(api_version, kind);
            known.map(|known| types::mismatches(self.object, known.name, "")).unwrap_or_default()
        })
    }

    /// Containers and volumes, without looking into them.
    pub(crate) fn count_elements(&self) -> usize {
        let list = |name: &&str| self.pod_spec()?.get(*name)?.as_array();
        OWN_LISTS.iter().filter_map(list).map(Vec::len).sum()
    }

    /// The elements of a prelude list.
    pub(crate) fn elements(&self, list: &str) -> &[Element<'a>] {
        let Some(at) = LISTS.iter().position(|(name, _)| *name == list) else { return &[] };
        self.lists[at].get_or_init(|| {
            let elements = LISTS[at].1.iter().flat_map(|own| {
                let pointer = pointer::join(self.pod_spec_pointer(), [OWN_LISTS[*own]]);
                let items = self.own_list(*own).unwrap_or_default();
                Element::all(&pointer, items)
            });
            elements.collect()
        })
    }

    fn own_list(&self, own: usize) -> Option<&'a [Value]> {
        Some(self.pod_spec()?.get(OWN_LISTS[own])?.as_array()?.as_slice())
    }

    /// A prelude variable. Absent metadata is an empty map, so that controls read absence the same everywhere.
    pub(crate) fn variable(&self, name: &str) -> Option<CelValue<'a>> {
        Some(match name {
            "podSpec" => CelValue::json(self.pod_spec.unwrap_or(&NOTHING)),
            "podMeta" => CelValue::json(self.pod_meta),
            "isWindows" => {
                let os = self.pod_spec().and_then(|spec| pointer::get(spec, "/os/name"));
                CelValue::Bool(os.and_then(Value::as_str) == Some("windows"))
            }
            list => {
                let at = LISTS.iter().position(|(name, _)| *name == list)?;
                self.values[at].get_or_init(|| self.list(at)).clone()
            }
        })
    }

    fn list(&self, at: usize) -> CelValue<'a> {
        let parts = LISTS[at].1.iter().filter_map(|own| self.own_list(*own)).map(List::Json);
        CelValue::List(parts.fold(List::Json(&[]), |list, part| list.concat(&part)))
    }
}
