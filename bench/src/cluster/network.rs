//! What leads to workloads, and what keeps others from them.
use super::object;
use super::workload::name;
use crate::dice::Dice;
use serde_json::{Value, json};

/// A Service for two workloads in three, an Ingress for every tenth, a budget for every fourth.
pub(super) fn of_workload(namespace: &str, number: usize, dice: &mut Dice) -> Vec<Value> {
    let (name, mut objects) = (name(number), Vec::new());
    if dice.roll(3) > 0 {
        let kind = dice.pick(&[
            "ClusterIP",
            "ClusterIP",
            "ClusterIP",
            "ClusterIP",
            "NodePort",
            "LoadBalancer",
        ]);
        let spec = json!({"type": kind, "selector": {"app": name}, "sessionAffinity": "None",
            "clusterIP": format!("10.96.{}.{}", number / 250 % 250, number % 250),
            "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]});
        objects.push(object("v1", "Service", Some(namespace), &name, json!({"spec": spec})));
        if dice.roll(10) == 0 {
            objects.push(object(
                "networking.k8s.io/v1",
                "Ingress",
                Some(namespace),
                &name,
                ingress(&name, dice),
            ));
        }
    }
    if dice.roll(4) == 0 {
        let spec = json!({"maxUnavailable": 1, "selector": {"matchLabels": {"app": name}}});
        objects.push(object(
            "policy/v1",
            "PodDisruptionBudget",
            Some(namespace),
            &name,
            json!({"spec": spec}),
        ));
    }
    objects
}

fn ingress(name: &str, dice: &mut Dice) -> Value {
    let host = format!("{name}.example.com");
    let mut spec = json!({"ingressClassName": "nginx", "rules": [{"host": host, "http": {"paths": [
        {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"number": 80}}}}]}}]});
    if dice.roll(3) > 0 {
        spec["tls"] = json!([{"hosts": [host], "secretName": format!("{name}-tls")}]);
    }
    json!({"spec": spec})
}

/// Three namespaces in five begin with a policy that lets nobody in, and have some for single workloads.
pub(super) fn of_namespace(namespace: &str, dice: &mut Dice) -> Vec<Value> {
    let policy = |name: &str, spec: Value| {
        object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            Some(namespace),
            name,
            json!({"spec": spec}),
        )
    };
    if dice.roll(5) < 2 {
        return Vec::new();
    }
    let mut objects =
        vec![policy("default-deny", json!({"podSelector": {}, "policyTypes": ["Ingress"]}))];
    objects.extend((0..dice.roll(6)).map(|number| {
        let from = json!([{"podSelector": {"matchLabels": {"tier": dice.pick(&["front", "back"])}}}]);
        let spec = json!({"podSelector": {"matchLabels": {"tier": dice.pick(&["front", "back", "data"])}},
            "policyTypes": ["Ingress"], "ingress": [{"from": from, "ports": [{"port": 8080}]}]});
        policy(&format!("allow-{number}"), spec)
    }));
    objects
}
