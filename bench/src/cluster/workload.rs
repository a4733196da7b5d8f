//! Deployments and what runs of them.
use super::rights::ACCOUNTS;
use super::{NODES, object, uid};
use crate::dice::Dice;
use serde_json::{Value, json};

const TIERS: [&str; 3] = ["front", "back", "data"];

pub(super) fn name(number: usize) -> String {
    format!("app-{number}")
}

pub(super) fn deployment(namespace: &str, number: usize, dice: &mut Dice) -> Value {
    let (name, labels) = (name(number), labels(number, dice));
    let template = json!({"metadata": {"labels": labels, "annotations": {"prometheus.io/scrape": "true"}},
        "spec": pod_spec(number, dice)});
    let mut deployment = object(
        "apps/v1",
        "Deployment",
        Some(namespace),
        &name,
        json!({
        "spec": {"replicas": 1 + dice.roll(3), "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": template}}),
    );
    deployment["metadata"]["labels"] = labels;
    deployment["metadata"]["annotations"] = json!({"owner": format!("{namespace}@example.com"),
        "deployment.kubernetes.io/revision": "3"});
    deployment
}

pub(super) fn pod(namespace: &str, number: usize, dice: &mut Dice) -> Value {
    let body = json!({"spec": pod_spec(number, dice)});
    let mut pod = object("v1", "Pod", Some(namespace), &name(number), body);
    pod["metadata"]["labels"] = labels(number, dice);
    pod["metadata"]["annotations"] = json!({"prometheus.io/scrape": "true"});
    pod
}

/// Its ReplicaSet and that many pods.
pub(super) fn running(deployment: &Value, pods: usize, dice: &mut Dice) -> Vec<Value> {
    if pods == 0 {
        return Vec::new();
    }
    let text =
        |pointer: &str| deployment.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (namespace, name) = (Some(text("/metadata/namespace")), text("/metadata/name"));
    let set = format!("{name}-{:08x}", dice.roll(1 << 30));
    let template = &deployment["spec"]["template"];
    let mut replicas = object(
        "apps/v1",
        "ReplicaSet",
        namespace,
        &set,
        json!({
        "spec": {"replicas": pods, "selector": deployment["spec"]["selector"], "template": template},
        "status": {"replicas": pods, "readyReplicas": pods}}),
    );
    replicas["metadata"]["labels"] = template["metadata"]["labels"].clone();
    replicas["metadata"]["ownerReferences"] = owner("Deployment", name, text("/metadata/uid"));
    let mut objects = vec![replicas];
    for number in 0..pods {
        let mut spec = template["spec"].clone();
        spec["nodeName"] = format!("node-{}", dice.roll(NODES)).into();
        let body = json!({"spec": spec, "status": status(&spec, dice)});
        let mut pod = object("v1", "Pod", namespace, &format!("{set}-{number:05x}"), body);
        pod["metadata"]["labels"] = template["metadata"]["labels"].clone();
        pod["metadata"]["ownerReferences"] =
            owner("ReplicaSet", &set, &uid("ReplicaSet", namespace, &set));
        objects.push(pod);
    }
    objects
}

fn owner(kind: &str, name: &str, uid: &str) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": true, "blockOwnerDeletion": true}])
}

fn status(spec: &Value, dice: &mut Dice) -> Value {
    let conditions = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map(
        |kind| json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": "2026-01-01T00:00:05Z"}),
    );
    let containers = spec["containers"].as_array().into_iter().flatten();
    let mut statuses = Vec::new();
    for container in containers {
        let id = format!("containerd://{:064x}", dice.roll(1 << 40));
        statuses.push(json!({"name": container["name"], "image": container["image"], "ready": true, "restartCount": 0,
            "imageID": format!("registry.example/app@sha256:{:064x}", dice.roll(1 << 40)), "containerID": id,
            "started": true, "state": {"running": {"startedAt": "2026-01-01T00:00:04Z"}}, "lastState": {}}));
    }
    let address = format!("10.2.{}.{}", dice.roll(100), dice.roll(250));
    json!({"phase": "Running", "podIP": address, "qosClass": "Burstable", "startTime": "2026-01-01T00:00:00Z",
        "conditions": conditions, "containerStatuses": statuses})
}

fn labels(number: usize, dice: &mut Dice) -> Value {
    let name = name(number);
    json!({"app": name, "app.kubernetes.io/name": name, "app.kubernetes.io/version": format!("1.{}", dice.roll(9)),
        "app.kubernetes.io/managed-by": "Helm", "tier": dice.pick(&TIERS)})
}

fn pod_spec(number: usize, dice: &mut Dice) -> Value {
    let containers: Vec<Value> =
        (0..1 + dice.roll(3)).map(|index| container(number, index, dice)).collect();
    let mut spec = json!({
        "containers": containers, "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler",
        "terminationGracePeriodSeconds": 30, "serviceAccountName": format!("account-{}", dice.roll(ACCOUNTS)),
        "securityContext": pod_security(dice),
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
            {"name": "conf", "configMap": {"name": name(number), "defaultMode": 420}},
            {"name": "tls", "secret": {"secretName": format!("{}-tls", name(number)), "defaultMode": 288}},
        ],
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {"app": name(number)}}}],
    });
    if dice.roll(4) == 0 {
        spec["initContainers"] = json!([container(number, 9, dice)]);
    }
    if dice.roll(3) == 0 {
        spec["tolerations"] = json!([{"key": "dedicated", "operator": "Equal", "value": "batch", "effect": "NoSchedule"}]);
    }
    if dice.roll(2) == 0 {
        spec["automountServiceAccountToken"] = (dice.roll(3) == 0).into();
    }
    for (name, rarity) in [("hostNetwork", 40), ("hostPID", 60), ("hostIPC", 80)] {
        if dice.roll(rarity) == 0 {
            spec[name] = true.into();
        }
    }
    if dice.roll(25) == 0
        && let Some(volumes) = spec["volumes"].as_array_mut()
    {
        let path = dice.pick(&["/var/log", "/", "/var/run/docker.sock", "/etc", "/data"]);
        volumes.push(json!({"name": "host", "hostPath": {"path": path}}));
    }
    spec
}

fn pod_security(dice: &mut Dice) -> Value {
    match dice.roll(3) {
        0 => json!({}),
        1 => {
            json!({"fsGroup": 2000, "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}})
        }
        _ => {
            json!({"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001, "runAsNonRoot": true,
            "seccompProfile": {"type": "RuntimeDefault"}})
        }
    }
}

fn container(number: usize, index: usize, dice: &mut Dice) -> Value {
    let tag = dice.pick(&["1.4.2", "1.4.2", "2.0", "latest", "sha"]);
    let image = format!(
        "{}/team/app-{number}-{index}",
        dice.pick(&["registry.example", "registry.example", "docker.io"])
    );
    let image = match tag {
        "sha" => format!("{image}@sha256:{:064x}", dice.roll(1 << 40)),
        tag => format!("{image}:{tag}"),
    };
    let mut container = json!({
        "name": format!("c{index}"), "image": image, "imagePullPolicy": dice.pick(&["IfNotPresent", "Always"]),
        "command": ["/app/server"], "args": ["--listen=0.0.0.0:8080", "--config=/etc/app/config.yaml", "--log-level=info"],
        "ports": [{"name": format!("http{index}"), "containerPort": 8080 + index, "protocol": "TCP"}],
        "env": env(number, dice), "securityContext": security(dice), "resources": resources(dice),
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "conf", "mountPath": "/etc/app", "readOnly": true},
            {"name": "tls", "mountPath": "/etc/tls", "readOnly": true}],
    });
    let port = 8080 + index;
    for probe in ["livenessProbe", "readinessProbe"] {
        if dice.roll(4) > 0 {
            container[probe] = json!({"httpGet": {"path": "/healthz", "port": port, "scheme": "HTTP"}, "periodSeconds": 10,
                "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3});
        }
    }
    container
}

fn env(number: usize, dice: &mut Dice) -> Vec<Value> {
    let mut env: Vec<Value> = (0..2 + dice.roll(6))
        .map(|index| json!({"name": format!("SETTING_{index}"), "value": format!("value-{number}-{index}")}))
        .collect();
    env.push(json!({"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}));
    if dice.roll(3) == 0 {
        env.push(json!({"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": name(number), "key": "password"}}}));
    }
    env
}

fn security(dice: &mut Dice) -> Value {
    let mut security = match dice.roll(4) {
        0 => json!({}),
        1 => json!({"allowPrivilegeEscalation": false}),
        _ => {
            json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "runAsNonRoot": true,
            "capabilities": {"drop": ["ALL"]}})
        }
    };
    if dice.roll(50) == 0 {
        security["privileged"] = true.into();
    }
    if dice.roll(20) == 0 {
        security["capabilities"] = json!({"add": [dice.pick(&["NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE", "NET_BIND_SERVICE"])]});
    }
    security
}

fn resources(dice: &mut Dice) -> Value {
    match dice.roll(4) {
        0 => json!({}),
        1 => json!({"requests": {"cpu": "100m", "memory": "128Mi"}}),
        _ => {
            json!({"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "500m", "memory": "256Mi"}})
        }
    }
}
