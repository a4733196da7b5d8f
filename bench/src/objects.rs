//! Workloads of a cluster, some of them careless.
use crate::dice::Dice;
use seawall_posture::{Catalogue, Request, Selection};
use serde_json::{Value, json};

/// Every stable control that ships.
pub fn selection() -> Selection {
    let pairs = |entries: Vec<seawall_content::Entry>| {
        entries.into_iter().map(|entry| (entry.path, entry.text)).collect::<Vec<_>>()
    };
    let (catalogue, _) =
        Catalogue::load(pairs(seawall_content::controls()), pairs(seawall_content::frameworks()));
    catalogue.select(&Request::default()).expect("a request without names fits every catalogue")
}

/// Deployments with one to three containers, probes, environment and volumes.
pub fn deployments(count: usize) -> Vec<Value> {
    let mut dice = Dice::new();
    (0..count).map(|number| deployment(number, &mut dice)).collect()
}

fn deployment(number: usize, dice: &mut Dice) -> Value {
    let containers: Vec<Value> = (0..=dice.roll(3))
        .map(|index| {
            json!({
                "name": format!("c{index}"), "image": format!("registry.example/shop/app-{number}:1"),
                "ports": [{"containerPort": 8080}],
                "env": (0..8).map(|n| json!({"name": format!("KEY_{n}"), "value": "value"})).collect::<Vec<_>>(),
                "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
                "resources": {"limits": {"cpu": "500m", "memory": "512Mi"}, "requests": {"cpu": "100m"}},
                "securityContext": {"privileged": dice.roll(4) == 0, "allowPrivilegeEscalation": false},
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            })
        })
        .collect();
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": format!("web-{number}"), "namespace": "shop", "uid": format!("u{number}"), "labels": {"app": "web"}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": containers, "volumes": [{"name": "data", "emptyDir": {}}], "serviceAccountName": "web"},
        }},
    })
}
