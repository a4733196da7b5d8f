//! The versioned protobuf between hub and agents, and its way from and to `model`.
//!
//! ```text
//! agent ─Hello, Batch{sequence, records}, Heartbeat─► hub
//! agent ◄─Ack{sequence}, Desired───────────────────── hub
//! ```
//!
//! Enumerations of `model` travel as their lower-case words: a newer agent's word is one unreadable record,
//! counted and acknowledged, never a broken stream.

mod decode;
mod encode;

pub use decode::Unreadable;

/// Generated from `proto/seawall.proto`.
#[expect(clippy::allow_attributes, clippy::large_enum_variant, reason = "generated code")]
pub mod v1 {
    tonic::include_proto!("seawall.v1");
}

/// A batch over this many encoded bytes is split by the agent and refused by the hub: it bounds one transaction.
pub const MAX_BATCH_BYTES: usize = 4 << 20;

/// One record over this many encoded bytes is dropped and counted; the largest seen, the inventory of a 3,000
/// package image with layers, has 1.1 MB.
pub const MAX_RECORD_BYTES: usize = 3 << 20;

/// Records in one batch.
pub const MAX_BATCH_RECORDS: usize = 500;

/// `config_json` of one `Desired` has at most so many bytes: half of the frame that agents take.
pub const MAX_DESIRED_BYTES: usize = 2 << 20;

/// Texts of all policy sets of one `Desired`, before JSON quotes them.
pub const MAX_DESIRED_SET_BYTES: usize = 1 << 20;

/// Policies of one `Desired`: an agent holds every request against all that fit.
pub const MAX_DESIRED_POLICIES: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::record::Record;
    use serde_json::{Value, json};

    /// Through the wire and back nothing is lost.
    #[track_caller]
    fn check(record: Record) {
        let wire = v1::Record::from(record.clone());
        let bytes = prost::Message::encode_to_vec(&wire);
        let decoded: v1::Record = prost::Message::decode(bytes.as_slice()).unwrap();
        assert_eq!(Record::try_from(decoded).unwrap(), record);
    }

    fn value<T: serde::de::DeserializeOwned>(json: Value) -> T {
        serde_json::from_value(json).unwrap()
    }

    fn firing() -> Value {
        json!({
            "detection": "SW-D-0001", "title": "Shell joined to an outbound connection", "severity": "high",
            "tactics": ["execution", "command-and-control"], "mitre": ["T1059.004"], "parity": ["K8S.NODE_X"],
            "source": "syscall", "time": 1_795_473_451_540_i64,
            "where": {"cluster": "c", "node": "n", "namespace": "shop", "workload": "Deployment/web", "pod": "web-1",
                "pod_uid": "u", "container": "c", "container_id": "abc", "identity": "complete",
                "image": {"name": "reg/shop:1", "digest": "sha256:1", "index_digest": null, "config_digest": null}},
            "process": [{"exec_id": "18446744073709551615", "pid": 7, "name": "sh", "exe": "/bin/sh",
                "args": ["sh", "-i"], "cwd": "/", "user": null, "uid": 0, "start": 1}],
            "actor": {"user": "u", "groups": ["g"], "address": "192.0.2.1", "user_agent": null},
            "object": {"kind": "socket", "remote": "203.0.113.9", "port": 4444, "protocol": "tcp"},
            "why": [{"expression": "proc.stdio.remote = true", "value": "true"}],
            "output": "o", "remediation": "r", "action": {"mode": "alert", "result": "none"}, "lost_nearby": 3
        })
    }

    #[test]
    fn every_record_survives_the_wire() {
        check(Record::Firing(Box::new(value(firing()))));
        check(Record::Inventory(Box::new(value(json!({
            "target": {"kind": "image", "name": "a:1", "digest": null, "index_digest": null, "config_digest": "sha256:c"},
            "distro": {"id": "debian", "version": "12", "name": null}, "platform": "linux/amd64",
            "layers": [{"diff_id": "sha256:d", "created_by": "RUN x", "size": 5, "base": true}],
            "packages": [{"ecosystem": "debian", "name": "libc6", "version": "2.36", "purl": "pkg:deb/debian/libc6@2.36",
                "arch": "amd64", "source": {"name": "glibc", "version": "2.36"}, "locations": ["var/lib/dpkg/status"],
                "owner": null, "layer": 0, "third_party": false}],
            "problems": [{"kind": "gap", "code": "truncated", "message": "m", "help": null, "file": "f", "line": 3,
                "column": null, "item": null}],
            "extractor_version": 1
        })))));
        check(Record::Assessment(Box::new(value(json!({
            "resource": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web", "uid": "u"},
            "owner": null, "labels": [["app", "web"]], "images": ["a:1"], "deleted": false,
            "findings": [{"control": "SW-C-0017", "title": "t", "severity": "medium", "state": "unhealthy",
                "reason": null, "resource": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop",
                "name": "web", "uid": "u"}, "source": null, "message": "m", "frameworks": ["pss-restricted@1.36"],
                "evidence": [{"path": "/spec", "value": null}],
                "fix": [{"op": "add", "path": "/spec", "value": false}], "exemption": null, "engine": "cel"}],
            "weight_tenths": 33, "healthy": ["SW-C-0001", "SW-C-0002"], "not_applicable": {"windows": ["SW-C-0003"]},
            "problems": [], "observed": 9
        })))));
        let image = value(
            json!({"name": "a:1", "digest": null, "index_digest": null, "config_digest": null}),
        );
        let container = seawall_model::asset::RunningContainer {
            id: "c".into(),
            name: None,
            image,
            namespace: Some("shop".into()),
            pod: None,
            pod_uid: None,
            workload: None,
        };
        check(Record::Running { containers: vec![container], observed: 1 });
        check(Record::Capabilities(vec![value(
            json!({"name": "exec", "state": "partial", "tier": "B", "reason": "no LSM"}),
        )]));
        check(Record::Sync { since: 4 });
        check(Record::Decision(Box::new(value(json!({
            "time": 7, "verdict": "denied", "operation": "CREATE",
            "resource": {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "web-1", "uid": null},
            "owner": "ReplicaSet/web", "user": "u", "groups": ["g"], "agent": "agent-0",
            "controls": [{"control": "SW-C-0001", "title": "t", "severity": "high", "action": "deny",
                "assignment": "01920000-0000-7000-8000-000000000000", "message": "m", "paths": ["/spec"],
                "fix": [{"op": "remove", "path": "/spec"}], "already_failing": false}]
        })))));
        check(Record::Trial(value(json!({
            "set": "01890a5d-ac96-774b-bcce-b302099a8057", "version": 2, "time": 5, "took": 7,
            "objects": {"judged": 9, "refused": 1, "warned": 0, "undecided": 1},
            "requests": {"judged": 0, "refused": 0, "warned": 0, "undecided": 0},
            "samples": [{"policy": "K8sRequiredLabels/owner", "outcome": "refused", "message": "no owner", "user": null,
                "resource": {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "web"}}],
            "problems": ["error[policy]: K8sGone x: missing ConstraintTemplate"],
        }))));
        check(Record::Gap(value(
            json!({"from": 1, "to": 2, "requests": null, "reason": "restart"}),
        )));
        check(Record::AuditSeen { last: 3, events: 9 });
        let facts = value(json!({
            "node": "n", "provider": "eks", "files": {"cni": [{"path": "/p", "mode": "0600", "uid": 0, "gid": 0,
            "owner": "root:root"}]}, "kubelet": {"flags": {"v": "2"}, "config": {"readOnlyPort": 0}},
            "controlPlane": {"origin": "sensor", "etcd": {"flags": {}}}, "problems": []
        }));
        check(Record::Node { facts: Box::new(facts), assessment: None });
    }

    #[test]
    fn an_unknown_word_names_its_field() {
        let Record::Firing(firing) = Record::Firing(Box::new(value(firing()))) else {
            unreachable!()
        };
        let mut wire = v1::Firing::from(*firing);
        wire.severity = "apocalyptic".into();
        let error = seawall_model::alert::Firing::try_from(wire).unwrap_err();
        assert_eq!(error.to_string(), "firing.severity: unknown word `apocalyptic`");
    }
}
