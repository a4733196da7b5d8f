//! NetworkPolicy and GlobalNetworkPolicy of projectcalico.org/v3, also as crd.projectcalico.org/v1.
use super::expression::Expression;
use super::{Opens, Policy, Rules, Selects, filled};
use crate::exposure::{Network, Workload, is_everybody, list, text};
use crate::world::Object;
use serde_json::{Value, json};

/// Whom a policy is about. All parts must hold.
#[derive(Debug)]
pub(crate) struct Endpoints {
    pods: Expression,
    namespaces: Option<Expression>,
    accounts: Option<Expression>,
}

impl Endpoints {
    pub(super) fn select(&self, workload: &Workload<'_>, network: &Network<'_>) -> bool {
        let mut labels = workload.labels.clone();
        if !labels.is_object() {
            labels = json!({});
        }
        let account = workload.pod_spec.get("serviceAccountName").and_then(Value::as_str);
        labels["projectcalico.org/namespace"] = workload.namespace.into();
        labels["projectcalico.org/orchestrator"] = "k8s".into();
        labels["projectcalico.org/serviceaccount"] = account.unwrap_or("default").into();
        let mut of_namespace = network.namespace_labels(workload.namespace);
        of_namespace["projectcalico.org/name"] = workload.namespace.into();
        let account = json!({"projectcalico.org/name": account.unwrap_or("default")});
        self.pods.holds(&labels)
            && self.namespaces.as_ref().is_none_or(|selector| selector.holds(&of_namespace))
            && self.accounts.as_ref().is_none_or(|selector| selector.holds(&account))
    }
}

/// Source: Calico, "Network policy": without `types`, ingress is meant unless there are egress rules alone.
pub(super) fn read<'w>(
    object: Object<'w>,
    namespace: Option<&'w str>,
) -> Result<Vec<Policy<'w>>, String> {
    let value = object.value();
    let selector = |key: &str| match text(value, &format!("/spec/{key}")) {
        "" => Ok(None),
        text => Expression::parse(text).map(Some),
    };
    let endpoints = Endpoints {
        pods: selector("selector")?.unwrap_or(Expression::All),
        namespaces: selector("namespaceSelector")?,
        accounts: selector("serviceAccountSelector")?,
    };
    let types: Vec<&str> = list(value, "/spec/types").filter_map(Value::as_str).collect();
    let spec = value.get("spec").unwrap_or(&Value::Null);
    let (has_ingress, has_egress) = (filled(spec, "ingress"), filled(spec, "egress"));
    let meant = |name: &str, default: bool| {
        if types.is_empty() { default } else { types.contains(&name) }
    };
    // A host before it was a pod: such policies are about nodes' own interfaces.
    let hosts = ["preDNAT", "applyOnForward"];
    let about_hosts = hosts.iter().any(|key| spec.get(key) == Some(&Value::Bool(true)));
    let selects = if about_hosts { Selects::Nobody } else { Selects::Calico(endpoints) };
    Ok(vec![Policy {
        object,
        namespace,
        selects,
        ingress: meant("Ingress", has_ingress || !has_egress)
            .then(|| rules(value, "ingress", "source")),
        egress: meant("Egress", has_egress).then(|| rules(value, "egress", "destination")),
    }])
}

/// Rules are tried in order; what follows one that denies everything has no effect.
fn rules(value: &Value, direction: &str, peer: &str) -> Rules {
    let mut found = Vec::new();
    for (index, rule) in list(value, &format!("/spec/{direction}")).enumerate() {
        let opens = opens(rule, peer);
        match text(rule, "/action") {
            "Allow" => found.push((opens, format!("/spec/{direction}/{index}"))),
            "Deny" if opens == Opens::Everything => break,
            // What is passed on goes to the next tier, in the end to profiles that allow.
            "Pass" => found.push((opens, format!("/spec/{direction}/{index}"))),
            _ => {}
        }
    }
    found
}

/// How far a rule reaches, whatever its action.
fn opens(rule: &Value, peer: &str) -> Opens {
    let other = if peer == "source" { "destination" } else { "source" };
    let (peer, other) = (rule.get(peer), rule.get(other));
    let nets = peer.map(|peer| list(peer, "/nets").filter_map(Value::as_str).any(is_everybody));
    let narrowing = [
        "selector",
        "notSelector",
        "namespaceSelector",
        "notNets",
        "serviceAccounts",
        "services",
        "domains",
    ];
    let narrowed = peer.is_some_and(|peer| {
        narrowing.iter().any(|key| {
            peer.get(key).is_some_and(|value| *value != json!("") && *value != json!("all()"))
        }) || filled(peer, "nets") && nets != Some(true)
    });
    let ports = |side: Option<&Value>| {
        side.is_some_and(|side| ["ports", "notPorts"].iter().any(|key| filled(side, key)))
    };
    let limited =
        rule.get("protocol").is_some() || rule.get("http").is_some() || ports(peer) || ports(other);
    match (narrowed, limited) {
        (true, _) => Opens::Named,
        (false, true) => Opens::Ports,
        (false, false) => Opens::Everything,
    }
}
