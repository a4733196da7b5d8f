//! Records from agents: what can be read survives the way back and forth unchanged.
use crate::Target;
use prost::Message;
use seawall_model::record::Record;
use seawall_wire::v1;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) const TARGET: Target = Target { name: "wire-record", run, seeds, rounds: 20_000 };

fn run(bytes: &[u8]) {
    let _ = v1::Batch::decode(bytes);
    let Ok(wire) = v1::Record::decode(bytes) else { return };
    let Ok(record) = Record::try_from(wire) else { return };
    let again = v1::Record::from(record.clone()).encode_to_vec();
    let again = v1::Record::decode(again.as_slice()).expect("it was encoded above");
    assert_eq!(Record::try_from(again), Ok(record));
}

fn value<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).expect("the seed has the model's form")
}

fn seeds() -> Vec<Vec<u8>> {
    let image =
        json!({"name": "a:1", "digest": "sha256:1", "index_digest": null, "config_digest": null});
    let resource =
        json!({"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "web", "uid": "u"});
    let firing = json!({
        "detection": "SW-D-0001", "title": "t", "severity": "high", "tactics": ["execution"], "mitre": ["T1059.004"],
        "parity": [], "source": "syscall", "time": 1_795_473_451_540_i64, "where": {"cluster": "c", "node": "n",
        "namespace": "shop", "workload": "Deployment/web", "pod": "web-1", "pod_uid": "u", "container": "c",
        "container_id": "abc", "identity": "complete", "image": image},
        "process": [{"exec_id": "18446744073709551615", "pid": 7, "name": "sh", "exe": "/bin/sh", "args": ["sh", "-i"],
        "cwd": "/", "user": null, "uid": 0, "start": 1}],
        "actor": {"user": "u", "groups": ["g"], "address": "192.0.2.1", "user_agent": null},
        "object": {"kind": "socket", "remote": "203.0.113.9", "port": 4444, "protocol": "tcp"},
        "why": [{"expression": "proc.stdio.remote = true", "value": "true"}],
        "output": "o", "remediation": "r", "action": {"mode": "alert", "result": "none"}, "lost_nearby": 3,
    });
    let inventory = json!({
        "target": {"kind": "node", "name": "n"}, "distro": {"id": "debian", "version": "12", "name": null},
        "platform": "linux/amd64", "layers": [{"diff_id": "sha256:d", "created_by": "RUN x", "size": 5, "base": true}],
        "packages": [{"ecosystem": "debian", "name": "libc6", "version": "2.36", "purl": "pkg:deb/debian/libc6@2.36",
        "arch": "amd64", "source": {"name": "glibc", "version": "2.36"}, "locations": ["var/lib/dpkg/status"],
        "owner": null, "layer": 0, "third_party": false}],
        "problems": [{"kind": "gap", "code": "c", "message": "m", "help": null, "file": "f", "line": 3, "column": null,
        "item": null}], "extractor_version": 1,
    });
    let assessment = json!({
        "resource": resource, "owner": null, "labels": [["app", "web"]], "images": ["a:1"], "deleted": false,
        "findings": [{"control": "SW-C-0017", "title": "t", "severity": "medium", "state": "unhealthy", "reason": null,
        "resource": resource, "source": null, "message": "m", "frameworks": ["pss-restricted@1.36"],
        "evidence": [{"path": "/spec", "value": {"cpu": 0.1}}], "fix": [{"op": "add", "path": "/spec", "value": false}],
        "exemption": null, "engine": "cel"}], "healthy": ["SW-C-0001"], "not_applicable": {"windows": ["SW-C-0002"]},
        "weight_tenths": 33, "problems": [], "observed": 9,
    });
    let container = json!({"id": "c", "name": null, "image": image, "namespace": "shop", "pod": null, "pod_uid": null,
        "workload": null});
    let records = [
        Record::Firing(Box::new(value(firing))),
        Record::Inventory(Box::new(value(inventory))),
        Record::Assessment(Box::new(value(assessment))),
        Record::Running { containers: vec![value(container)], observed: 1 },
        Record::Capabilities(vec![value(
            json!({"name": "exec", "state": "partial", "tier": "B", "reason": "no LSM"}),
        )]),
        Record::Sync { since: 4 },
    ];
    records.map(|record| v1::Record::from(record).encode_to_vec()).into()
}
