//! The agents of this cluster that are ready, as the pods tell that are watched anyway.
use seawall_cluster::Replicas;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// Labels of the chart's agents; they stand in every pod of its Deployment and in no other.
const LABELS: [(&str, &str); 2] =
    [("app.kubernetes.io/name", "seawall"), ("app.kubernetes.io/component", "agent")];
/// As such a pod's bytes have it: only these are parsed a second time.
const MARK: &[u8] = br#""app.kubernetes.io/component":"agent""#;

/// Ready agents by pod.
#[derive(Debug)]
pub(crate) struct Agents {
    namespace: String,
    /// Node by the pod's UID.
    ready: HashMap<String, String>,
    /// The pods have been listed, and can be read.
    known: bool,
}

impl Agents {
    pub(crate) fn new(namespace: String) -> Self {
        Self { namespace, ready: HashMap::new(), known: false }
    }

    /// A pod's JSON.
    pub(crate) fn apply(&mut self, bytes: &[u8]) {
        if !bytes.windows(MARK.len()).any(|window| window == MARK) {
            return;
        }
        let Ok(pod) = serde_json::from_slice::<Value>(bytes) else { return };
        let Some(uid) = pod["metadata"]["uid"].as_str() else { return };
        match ready_on(&pod, &self.namespace) {
            Some(node) => drop(self.ready.insert(uid.to_owned(), node.to_owned())),
            None => drop(self.ready.remove(uid)),
        }
    }

    pub(crate) fn remove(&mut self, uid: &str) {
        self.ready.remove(uid);
    }

    /// Whether pods can be read.
    pub(crate) fn set_known(&mut self, known: bool) {
        self.known = known;
    }

    /// None while it is not known.
    pub(crate) fn replicas(&self) -> Option<Replicas> {
        let nodes: BTreeSet<&String> = self.ready.values().collect();
        self.known.then_some(Replicas { ready: self.ready.len(), nodes: nodes.len() })
    }
}

/// The node of an agent that answers reviews.
fn ready_on<'a>(pod: &'a Value, namespace: &str) -> Option<&'a str> {
    let metadata = &pod["metadata"];
    let labelled = LABELS.iter().all(|(key, value)| metadata["labels"][key] == *value);
    let conditions = pod["status"]["conditions"].as_array()?;
    let is_ready = conditions
        .iter()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    let stays = metadata["deletionTimestamp"].is_null();
    let node = pod["spec"]["nodeName"].as_str().filter(|node| !node.is_empty());
    node.filter(|_| labelled && is_ready && stays && metadata["namespace"] == namespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(uid: &str, node: &str) -> Value {
        json!({"metadata": {"uid": uid, "namespace": "seawall", "labels":
                {"app.kubernetes.io/name": "seawall", "app.kubernetes.io/component": "agent"}},
            "spec": {"nodeName": node},
            "status": {"conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"}]}})
    }

    #[test]
    fn only_ready_agents_count() {
        #[track_caller]
        fn check(change: impl FnOnce(&mut Value), counts: bool) {
            let mut one = pod("u", "a");
            change(&mut one);
            let mut agents = Agents::new("seawall".to_owned());
            agents.set_known(true);
            agents.apply(one.to_string().as_bytes());
            assert_eq!(agents.replicas().unwrap().ready, usize::from(counts), "{one}");
        }
        check(|_| {}, true);
        check(|pod| pod["metadata"]["namespace"] = "shop".into(), false);
        check(|pod| pod["metadata"]["labels"]["app.kubernetes.io/component"] = "hub".into(), false);
        check(|pod| pod["metadata"]["labels"]["app.kubernetes.io/name"] = "x".into(), false);
        check(|pod| pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into(), false);
        check(|pod| pod["status"]["conditions"][1]["status"] = "False".into(), false);
        check(|pod| pod["status"] = json!({}), false);
        check(|pod| pod["spec"] = json!({}), false);
    }

    #[test]
    fn pods_come_and_go() {
        let mut agents = Agents::new("seawall".to_owned());
        let mut apply = |pod: Value| {
            agents.apply(pod.to_string().as_bytes());
            agents.set_known(true);
            agents.replicas().map(|replicas| (replicas.ready, replicas.nodes))
        };
        assert_eq!(apply(pod("u1", "a")), Some((1, 1)));
        assert_eq!(apply(pod("u2", "a")), Some((2, 1)));
        assert_eq!(apply(pod("u3", "b")), Some((3, 2)));
        let mut ending = pod("u3", "b");
        ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        assert_eq!(apply(ending), Some((2, 1)));
        agents.remove("u1");
        assert_eq!(agents.replicas(), Some(Replicas { ready: 1, nodes: 1 }));
        agents.set_known(false);
        assert_eq!(agents.replicas(), None);
    }
}
