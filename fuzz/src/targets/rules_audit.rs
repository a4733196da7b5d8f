//! Kubernetes audit logs in every wrapping: decoded in one piece and in small ones, and judged by the shipped detections.
use super::texts;
use crate::Target;
use seawall_rules::RuleSet;
use seawall_rules::attack::Attack;
use seawall_rules::audit::{AuditLog, Decoded, Decoder};
use seawall_rules::firing::{Detections, Node};
use std::sync::{Arc, LazyLock};

pub(crate) const TARGET: Target = Target { name: "rules-audit", run, seeds, rounds: 250 };

static DETECTIONS: LazyLock<Detections> = LazyLock::new(|| {
    let entries = seawall_content::detections();
    let files: Vec<_> = entries.iter().map(|entry| (entry.path, entry.text)).collect();
    let (attack, _) = Attack::parse("attack.yaml", seawall_content::ATTACK);
    Detections { rules: Arc::new(RuleSet::load(&files).0), attack: Arc::new(attack) }
});

fn run(bytes: &[u8]) {
    let mut decoder = Decoder::default();
    let whole = decoder.decode(bytes);
    let counts = decoder.counts();
    assert_eq!(whole.problems.len() as u64, counts.faulty);
    let events = whole.events.len() as u64;
    assert!(events + counts.foreign + counts.duplicates <= counts.records);
    assert!(whole.events.iter().all(|one| (1..=counts.records).contains(&one.record)));
    // However the bytes arrive, they say the same.
    let mut decoder = Decoder::default();
    let mut pieces: Vec<Decoded> = bytes.chunks(7).map(|chunk| decoder.push(chunk)).collect();
    pieces.push(decoder.end());
    assert_eq!(decoder.counts(), counts);
    let events: Vec<_> = pieces.into_iter().flat_map(|piece| piece.events).collect();
    assert_eq!(events, whole.events);
    let mut log = AuditLog::new(DETECTIONS.clone());
    for firing in log.judge(bytes, Node::default(), &mut |_| {}).firings {
        assert!(firing.object.is_some() && firing.process.is_empty());
    }
    assert_eq!(log.counts(), counts);
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/d/pods?dryRun=All","verb":"create","user":{"username":"u","groups":["g"]},"sourceIPs":["10.0.0.1"],"objectRef":{"resource":"pods","namespace":"d","name":"x"},"responseStatus":{"code":201},"requestObject":{"spec":{"containers":[{"image":"a:1","securityContext":{"privileged":true},"env":[{"name":"TOKEN","value":"x"}],"args":["--password","y"]}],"volumes":[{"hostPath":{"path":"/etc"}}]}},"stageTimestamp":"2026-11-25T03:00:00.5Z","annotations":{"authorization.k8s.io/decision":"allow"}}"#,
        "{\"kind\":\"EventList\",\"items\":[{\"kind\":\"Event\",\"verb\":\"patch\",\"objectRef\":{\"resource\":\"deployments\"},\"responseStatus\":{\"code\":200},\"requestObject\":[{\"op\":\"add\",\"path\":\"/spec/template/spec/containers/-\",\"value\":{\"securityContext\":{\"privileged\":true}}}]},7,null]}\n{\"kind\":\"Ev\n{}",
        r#"[{"category":"kube-audit","properties":{"log":"{\"kind\":\"Event\",\"verb\":\"create\",\"objectRef\":{\"resource\":\"pods\",\"subresource\":\"exec\"},\"responseStatus\":{\"code\":101}}"}},{"category":"x"},{"records":[{"category":"kube-audit-admin","properties":{}}]}]"#,
        r#"{"messageType":"DATA_MESSAGE","logGroup":"/aws/eks/c/cluster","logStream":"kube-apiserver-audit-1","logEvents":[{"timestamp":1,"message":"{\"kind\":\"Event\",\"verb\":\"get\",\"stage\":7}"},{"message":{"kind":"Event","auditID":"b"}},{"message":"I0101"}]}"#,
        r#"{"insertId":"i","timestamp":"2026-11-25 03:00:00","resource":{"labels":{"cluster_name":"c"}},"protoPayload":{"serviceName":"k8s.io","methodName":"io.k8s.rbac.v1.clusterrolebindings.create","resourceName":"rbac.authorization.k8s.io/v1/clusterrolebindings/x","authorizationInfo":[{"granted":true}],"authenticationInfo":{"principalEmail":"u@x"},"requestMetadata":{"callerIP":"1.2.3.4"},"status":{"code":0},"request":{"roleRef":{"name":"admin"},"subjects":[{"kind":"User","name":"u"}]}}}"#,
    ])
}
