//! Objects of a watch, one JSON a line: kept, judged, removed.
use super::posture_manifests::SELECTION;
use super::texts;
use crate::Target;
use seawall_posture::objects::Objects;
use seawall_posture::owners::role;

pub(crate) const TARGET: Target = Target { name: "posture-objects", run, seeds, rounds: 250 };

fn run(bytes: &[u8]) {
    let mut objects = Objects::default();
    let mut uids = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(applied) = objects.apply(line) {
            assert!(!objects.apply(line).expect("it was taken before").changed);
            uids.push(applied.uid);
        }
    }
    for uid in &uids {
        role(&objects, uid);
        let object = objects.parse(uid).expect("it was taken above");
        SELECTION.evaluate(&object, None);
        SELECTION.heal(&object);
        objects.children(uid).for_each(|child| assert!(objects.columns_of(child).is_some()));
    }
    for uid in &uids {
        objects.remove(uid);
    }
    assert!(objects.is_empty() && objects.bytes() == 0);
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        concat!(
            r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop","uid":"d","labels":{"app":"web"}},"spec":{"replicas":2,"template":{"spec":{"serviceAccountName":"s","containers":[{"name":"a","image":"r.example/a:1","securityContext":{"privileged":true}}]}}}}"#,
            "\n",
            r#"{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"web-1","namespace":"shop","uid":"r","ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"web","uid":"d","controller":true}]},"spec":{"replicas":0,"template":{"spec":{"containers":[]}}}}"#,
            "\n",
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-1-x","namespace":"shop","uid":"p","annotations":{"kubernetes.io/config.mirror":"x"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-1","uid":"r","controller":true}]},"spec":{"nodeName":"n","containers":[{"name":"a","image":"r.example/a:1"},{"name":"mesh","image":"m"}],"volumes":[{"name":"h","hostPath":{"path":"/"}}]},"status":{"phase":"Running"}}"#
        ),
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"uid":"a","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"a","uid":"a","controller":true}]},"spec":{"containers":[{"resources":{"limits":{"cpu":"1e3","memory":"1Gi"}}}]}}"#,
    ])
}
