//! The eight kinds that run pods, and one object seen through the prelude's variables.
use crate::cel::types::{self, Mismatch};
use crate::cel::values;
use crate::pointer;
use cel::Value as CelValue;
use seawall_model::finding::Resource;
use serde_json::Value;
use std::cell::OnceCell;
use std::sync::Arc;

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
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Resource {
        api_version: text("/apiVersion").unwrap_or_default(),
        kind: text("/kind").unwrap_or_default(),
        namespace: text("/metadata/namespace"),
        name: text("/metadata/name").or_else(|| text("/metadata/generateName")).unwrap_or_default(),
        uid: text("/metadata/uid"),
    }
}

/// One element of a list and where it stands in the object.
#[derive(Clone, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) pointer: String,
    pub(crate) json: &'a Value,
    pub(crate) value: CelValue,
}

/// One object, its variables computed once for all controls.
pub struct View<'a> {
    object: &'a Value,
    kind: Option<&'static Kind>,
    cel_object: OnceCell<CelValue>,
    pod_spec: OnceCell<CelValue>,
    pod_meta: OnceCell<CelValue>,
    mismatches: OnceCell<Vec<Mismatch>>,
    lists: [OnceCell<Vec<Element<'a>>>; 4],
}

/// The pod spec's own lists, in the order of [`View::lists`].
pub(crate) const OWN_LISTS: [&str; 4] =
    ["containers", "initContainers", "ephemeralContainers", "volumes"];

/// The own lists that a list of the prelude is made of: `containers` are the regular, init and ephemeral ones.
pub(crate) fn own_lists(list: &str) -> &'static [usize] {
    match list {
        "containers" => &[0, 1, 2],
        "mainContainers" => &[0],
        "initContainers" => &[1],
        "ephemeralContainers" => &[2],
        "volumes" => &[3],
        _ => &[],
    }
}

impl<'a> View<'a> {
    /// Of any object, or of a document of facts.
    pub fn new(object: &'a Value) -> Self {
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        let kind = kind(text("apiVersion"), text("kind"));
        let (cel_object, pod_spec, pod_meta) = Default::default();
        let (mismatches, lists) = Default::default();
        Self { object, kind, cel_object, pod_spec, pod_meta, mismatches, lists }
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
        self.object.pointer(self.kind?.pod_spec)
    }

    pub(crate) fn cel_object(&self) -> CelValue {
        self.cel_object.get_or_init(|| values::of(self.object)).clone()
    }

    /// Where the pod spec is not as the API has it; a missing pod spec is one too.
    pub(crate) fn mismatches(&self) -> &[Mismatch] {
        self.mismatches.get_or_init(|| match self.pod_spec() {
            Some(spec) if spec.is_object() => {
                types::mismatches(spec, "PodSpec", self.pod_spec_pointer())
            }
            _ => Vec::new(),
        })
    }

    /// Containers and volumes, without looking into them.
    pub(crate) fn count_elements(&self) -> usize {
        let list = |name: &&str| self.pod_spec()?.get(*name)?.as_array();
        OWN_LISTS.iter().filter_map(list).map(Vec::len).sum()
    }

    fn own_list(&self, index: usize) -> &[Element<'a>] {
        self.lists[index].get_or_init(|| {
            let pointer = pointer::join(self.pod_spec_pointer(), [OWN_LISTS[index]]);
            let items = self.object.pointer(&pointer).and_then(Value::as_array);
            let element = |(index, json)| Element {
                pointer: format!("{pointer}/{index}"),
                json,
                value: values::of(json),
            };
            items.into_iter().flatten().enumerate().map(element).collect()
        })
    }

    /// The elements of a prelude list.
    pub(crate) fn elements(&self, list: &str) -> Vec<&Element<'a>> {
        own_lists(list).iter().flat_map(|index| self.own_list(*index)).collect()
    }

    /// A prelude variable. Absent metadata is an empty map, so that controls read absence the same everywhere.
    pub(crate) fn variable(&self, name: &str) -> CelValue {
        let part = |pointer: Option<&str>| {
            pointer
                .and_then(|pointer| self.object.pointer(pointer))
                .map_or_else(|| values::of(&Value::Object(Default::default())), values::of)
        };
        match name {
            "podSpec" => {
                self.pod_spec.get_or_init(|| part(self.kind.map(|kind| kind.pod_spec))).clone()
            }
            "podMeta" => {
                self.pod_meta.get_or_init(|| part(self.kind.map(|kind| kind.pod_meta))).clone()
            }
            "isWindows" => {
                let os = self.pod_spec().and_then(|spec| spec.pointer("/os/name"));
                CelValue::Bool(os.and_then(Value::as_str) == Some("windows"))
            }
            list => CelValue::List(Arc::new(
                self.elements(list).into_iter().map(|element| element.value.clone()).collect(),
            )),
        }
    }
}
