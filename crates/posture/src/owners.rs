//! Who answers for an object: a workload is reported once, at its topmost owner with a pod template.
use crate::objects::{Columns, Objects};
use crate::workload;
use seawall_model::finding::{ControlFinding, State};
use serde_json::Value;

/// Owner references followed upwards; real chains have two links.
const MAX_CHAIN: usize = 8;

/// How an object is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Judged itself. `owner` is a controller above without a pod template of its own, as `Kind/name`.
    Subject { owner: Option<String> },
    /// Another object, of that UID, answers for it.
    Represented { by: String, owner: String },
    /// A pod that is not as its template says, such as with an injected sidecar: judged beside its owner.
    Injected { owner: String },
    /// Its controller has not been seen; `owner` is that controller.
    Waiting { owner: String },
    /// Not judged: gone, or a scaled-down ReplicaSet that a controller keeps for its history.
    Skipped,
    /// Runs no pods: judged by the controls about its kind, where there are any.
    Other,
}

/// The role of the object `uid`, from what is in the store now.
pub fn role(objects: &Objects, uid: &str) -> Role {
    let Some(columns) = objects.columns_of(uid) else { return Role::Skipped };
    if workload::kind(&columns.api_version, &columns.kind).is_none() {
        return Role::Other;
    }
    let (Some(owner), false) = (&columns.owner, columns.mirror) else {
        return Role::Subject { owner: None };
    };
    let named = format!("{}/{}", owner.kind, owner.name);
    if workload::kind(&owner.api_version, &owner.kind).is_none() {
        let history = columns.kind.as_ref() == "ReplicaSet" && columns.replicas == Some(0);
        return if history { Role::Skipped } else { Role::Subject { owner: Some(named) } };
    }
    if objects.columns_of(&owner.uid).is_none() {
        return Role::Waiting { owner: named };
    }
    let (top, top_name) = top(objects, &owner.uid);
    if columns.kind.as_ref() == "Pod" && injected(objects, uid, &owner.uid) {
        return Role::Injected { owner: top_name };
    }
    Role::Represented { by: top, owner: top_name }
}

/// Whether another object that is here answers for a workload, or it is one of the past.
pub(crate) fn represented(objects: &Objects, columns: &Columns) -> bool {
    let Some(owner) = columns.owner.as_ref().filter(|_| !columns.mirror) else { return false };
    let runs_pods = workload::kind(&columns.api_version, &columns.kind).is_some();
    let answered = workload::kind(&owner.api_version, &owner.kind).is_some()
        && objects.columns_of(&owner.uid).is_some();
    let history = columns.kind.as_ref() == "ReplicaSet" && columns.replicas == Some(0);
    runs_pods && (answered || history)
}

/// Says why a pod is reported although its owner is.
pub fn mark_injected(findings: &mut [ControlFinding]) {
    let unexplained = |finding: &&mut ControlFinding| {
        finding.state == State::Unhealthy && finding.reason.is_none()
    };
    for finding in findings.iter_mut().filter(unexplained) {
        finding.reason = Some("injected".to_owned());
    }
}

/// UID and `Kind/name` of the topmost owner with a pod template.
fn top(objects: &Objects, uid: &str) -> (String, String) {
    let mut top = uid.to_owned();
    for _ in 0..MAX_CHAIN {
        let above = objects.columns_of(&top).and_then(|columns| columns.owner.as_ref());
        match above {
            Some(owner)
                if workload::kind(&owner.api_version, &owner.kind).is_some()
                    && objects.columns_of(&owner.uid).is_some() =>
            {
                top = owner.uid.to_string();
            }
            _ => break,
        }
    }
    let name = objects.columns_of(&top).map(|columns| format!("{}/{}", columns.kind, columns.name));
    (top, name.unwrap_or_default())
}

/// Whether a pod differs from its controller's template in what runs in it.
fn injected(objects: &Objects, pod: &str, controller: &str) -> bool {
    let (Some(pod), Some(controller)) = (objects.parse(pod), objects.parse(controller)) else {
        return false;
    };
    let kind = |object: &Value| {
        let text =
            |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        workload::kind(&text("apiVersion"), &text("kind"))
    };
    let spec = |object: &Value| object.pointer(kind(object)?.pod_spec).cloned();
    match (spec(&pod), spec(&controller)) {
        (Some(pod), Some(template)) => normalised(pod) != normalised(template),
        _ => false,
    }
}

/// The variable that the Job controller gives each pod of an indexed Job.
const COMPLETION_INDEX: &str = "JOB_COMPLETION_INDEX";

/// The fields that decide what runs and with which rights, without what the API server, the scheduler and built-in
/// controllers add to every pod: token volume and its mounts, claims of a StatefulSet, the index of an indexed Job,
/// LimitRange defaults.
fn normalised(mut spec: Value) -> Value {
    let mut kept = serde_json::Map::new();
    for key in ["containers", "initContainers", "ephemeralContainers", "volumes"] {
        let Some(items) = spec.get_mut(key).and_then(Value::as_array_mut) else { continue };
        items.retain(|item| {
            let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
            // A claim is filled in by the StatefulSet controller; controls read no claims.
            !(key == "volumes"
                && (name.starts_with("kube-api-access-")
                    || item.get("persistentVolumeClaim").is_some()))
        });
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.shift_remove("resources");
            // The admission plug-in AlwaysPullImages sets it on pods.
            item.shift_remove("imagePullPolicy");
            for (list, key, added) in [
                ("volumeMounts", "mountPath", "/var/run/secrets/kubernetes.io/serviceaccount"),
                ("env", "name", COMPLETION_INDEX),
            ] {
                let Some(members) = item.get_mut(list).and_then(Value::as_array_mut) else {
                    continue;
                };
                members.retain(|member| member.get(key).and_then(Value::as_str) != Some(added));
                if members.is_empty() {
                    item.shift_remove(list);
                }
            }
        }
        if !items.is_empty() {
            kept.insert(key.to_owned(), Value::Array(std::mem::take(items)));
        }
    }
    for key in ["hostNetwork", "hostPID", "hostIPC", "hostUsers", "shareProcessNamespace", "os"] {
        if let Some(value) = spec.get(key).filter(|value| **value != Value::Bool(false)) {
            kept.insert(key.to_owned(), value.clone());
        }
    }
    // The API server writes an empty security context into templates and pods alike, but not for static ones.
    if let Some(context) = spec
        .get("securityContext")
        .filter(|context| context.as_object().is_some_and(|members| !members.is_empty()))
    {
        kept.insert("securityContext".to_owned(), context.clone());
    }
    Value::Object(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(kind: &str, uid: &str, owner: Option<(&str, &str)>, spec: Value) -> Value {
        let version = |kind: &str| match kind {
            "Pod" => "v1",
            "Job" | "CronJob" => "batch/v1",
            "Rollout" => "argoproj.io/v1alpha1",
            _ => "apps/v1",
        };
        let mut metadata = json!({"name": uid, "uid": uid});
        if let Some((kind, uid)) = owner {
            metadata["ownerReferences"] = json!([{"apiVersion": version(kind), "kind": kind, "name": uid, "uid": uid, "controller": true}]);
        }
        json!({"apiVersion": version(kind), "kind": kind, "metadata": metadata, "spec": spec})
    }

    #[track_caller]
    fn check(stored: &[Value], uid: &str, expected: Role) {
        let mut objects = Objects::default();
        for object in stored {
            objects.apply(&serde_json::to_vec(object).unwrap()).unwrap();
        }
        assert_eq!(role(&objects, uid), expected);
    }

    #[test]
    fn roles() {
        let pod_spec = json!({"containers": [{"name": "a", "image": "x", "resources": {}}], "securityContext": {}});
        let templated =
            |replicas: u64| json!({"replicas": replicas, "template": {"spec": pod_spec}});
        let deployment = object("Deployment", "web", None, templated(2));
        let set = object("ReplicaSet", "web-1", Some(("Deployment", "web")), templated(2));
        let mut running = pod_spec.clone();
        running["nodeName"] = json!("n1");
        running["volumes"] = json!([{"name": "kube-api-access-x", "projected": {}}]);
        running["containers"][0]["volumeMounts"] = json!([{"name": "kube-api-access-x", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]);
        running["containers"][0]["resources"] = json!({"limits": {"cpu": "1"}});
        let pod = object("Pod", "web-1-a", Some(("ReplicaSet", "web-1")), running.clone());
        let by = |owner: &str| Role::Represented {
            by: owner.rsplit('/').next().unwrap().to_owned(),
            owner: owner.to_owned(),
        };

        check(
            &[deployment.clone(), set.clone(), pod.clone()],
            "web",
            Role::Subject { owner: None },
        );
        check(&[deployment.clone(), set.clone(), pod.clone()], "web-1", by("Deployment/web"));
        check(&[deployment.clone(), set.clone(), pod.clone()], "web-1-a", by("Deployment/web"));
        check(&[set.clone(), pod.clone()], "web-1-a", by("ReplicaSet/web-1"));
        check(
            std::slice::from_ref(&pod),
            "web-1-a",
            Role::Waiting { owner: "ReplicaSet/web-1".to_owned() },
        );

        let mut sidecar = running.clone();
        sidecar["containers"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "proxy", "image": "mesh"}));
        let injected = object("Pod", "web-1-a", Some(("ReplicaSet", "web-1")), sidecar);
        check(
            &[deployment, set, injected],
            "web-1-a",
            Role::Injected { owner: "Deployment/web".to_owned() },
        );

        let rollout =
            |replicas| object("ReplicaSet", "r-1", Some(("Rollout", "r")), templated(replicas));
        check(&[rollout(1)], "r-1", Role::Subject { owner: Some("Rollout/r".to_owned()) });
        check(&[rollout(0)], "r-1", Role::Skipped);

        let cron = object(
            "CronJob",
            "nightly",
            None,
            json!({"jobTemplate": {"spec": {"template": {"spec": pod_spec}}}}),
        );
        let job = object("Job", "nightly-1", Some(("CronJob", "nightly")), templated(0));
        let ran = object("Pod", "nightly-1-a", Some(("Job", "nightly-1")), running.clone());
        check(&[cron.clone(), job.clone(), ran], "nightly-1-a", by("CronJob/nightly"));
        let mut indexed = running.clone();
        indexed["containers"][0]["env"] = json!([{"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef":
            {"fieldPath": "metadata.labels['batch.kubernetes.io/job-completion-index']"}}}]);
        let ran = object("Pod", "nightly-1-a", Some(("Job", "nightly-1")), indexed);
        check(&[cron, job, ran], "nightly-1-a", by("CronJob/nightly"));

        let mut mirror = object("Pod", "etcd-n1", Some(("Node", "n1")), running);
        mirror["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"});
        check(&[mirror], "etcd-n1", Role::Subject { owner: None });
        check(
            &[json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"uid": "ns"}})],
            "ns",
            Role::Other,
        );
    }
}
