//! Records as sensors send them.
use seawall_model::record::Record;
use seawall_wire::v1;
use serde_json::json;

/// Firings of one detection.
pub fn firings(count: usize) -> Vec<v1::Record> {
    (0..count).map(|number| v1::Record::from(firing(number))).collect()
}

fn firing(number: usize) -> Record {
    let process = json!({"exec_id": "7", "pid": number, "name": "sh", "exe": "/bin/sh", "args": ["sh", "-i"], "cwd": "/",
        "user": null, "uid": 0, "start": 1_795_473_451_540_i64});
    let firing = json!({
        "detection": "SW-D-0001", "title": "Shell joined to an outbound connection", "severity": "high",
        "tactics": ["execution", "command-and-control"], "mitre": ["T1059.004"], "parity": ["K8S.NODE_X"],
        "source": "syscall", "time": 1_795_473_451_540_i64,
        "where": {"cluster": "c", "node": "n", "namespace": "shop", "workload": "Deployment/web", "pod": "web-1",
            "pod_uid": "u", "container": "c", "container_id": "abc", "identity": "complete",
            "image": {"name": "registry.example/shop:1", "digest": "sha256:1", "index_digest": null, "config_digest": null}},
        "process": [process, process, process, process], "actor": null,
        "object": {"kind": "socket", "remote": "203.0.113.9", "port": 4444, "protocol": "tcp"},
        "why": [{"expression": "proc.stdio.remote = true", "value": "true"}],
        "output": "Shell joined to an outbound connection (process=sh command=sh -i pod=web-1)", "remediation": "Isolate the pod.",
        "action": {"mode": "alert", "result": "none"}, "lost_nearby": 0,
    });
    Record::Firing(Box::new(
        serde_json::from_value(firing).expect("the firing has the model's form"),
    ))
}
