//! A workload that may ask its machine's metadata service, which hands out the machine's cloud credentials.
use super::exposed::workload;
use super::inputs::METADATA;
use super::{Native, Subjects, values};
use crate::evaluate::Judgement;
use crate::exposure::{Coverage, Direction, list, text};
use crate::world::{Object, Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native =
    Native { name: "metadata-service", subjects: Subjects::Workloads, inputs: &METADATA, judge };

/// 169.254.169.254, where all three providers answer.
const ADDRESS: u32 = 0xa9fe_a9fe;

fn judge(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let Some(workload) = workload(subject, world) else {
        return Judgement::unknown("error", "the workload has no pod template");
    };
    let provider = world.of_kind("", "Node").map(|node| text(node.value(), "/spec/providerID"));
    let cloud = provider.into_iter().find(|id| {
        ["aws://", "azure://", "gce://"].iter().any(|provider| id.starts_with(provider))
    });
    let Some(cloud) =
        cloud.filter(|_| !values(params, "excludedNamespaces").contains(&workload.namespace))
    else {
        return Judgement::not_applicable("out-of-scope");
    };
    let mut evidence =
        vec![Evidence { path: "Node/spec/providerID".to_owned(), value: cloud.into() }];
    if workload.pod_spec.get("hostNetwork") == Some(&Value::Bool(true)) {
        evidence.push(Evidence { path: "hostNetwork".to_owned(), value: true.into() });
        return Judgement::unhealthy("no policy holds pods in the node's network", evidence);
    }
    let network = world.network();
    match network.enforced(workload, Direction::Egress, world.is_whole()) {
        Coverage::Unknown(reason) => return Judgement::unknown("unsupported", reason),
        Coverage::Open => return Judgement::unhealthy("no policy bounds its egress", evidence),
        // Denied but for what is named: a range that is named may hold the address.
        Coverage::Denied | Coverage::Partial => {}
    }
    let (_, about) = network.coverage(workload, Direction::Egress);
    if let Some(policy) = about.iter().find(|policy| policy.group() != "networking.k8s.io") {
        let reason = format!("{} {} may block the address", policy.kind(), policy.name());
        return Judgement::unknown("unsupported", reason);
    }
    let open = about.iter().filter(|policy| is_egress(policy) && reaches(policy));
    let open: Vec<Evidence> = open
        .take(super::MAX_TOLD)
        .map(|policy| Evidence {
            path: format!("NetworkPolicy/{}", policy.name()),
            value: policy.value().pointer("/spec/egress").cloned().unwrap_or_default(),
        })
        .collect();
    if open.is_empty() {
        return Judgement::healthy();
    }
    evidence.extend(open);
    Judgement::unhealthy("a policy lets it reach the metadata service", evidence)
}

/// Without `policyTypes` a policy is about egress where it has such rules.
fn is_egress(policy: &Object<'_>) -> bool {
    let spec = &policy.value()["spec"];
    match spec.get("policyTypes").and_then(Value::as_array) {
        Some(types) => types.iter().any(|kind| kind == "Egress"),
        None => spec.get("egress").is_some(),
    }
}

/// Whether a rule lets the address through; selectors mean pods, never this address.
fn reaches(policy: &Object<'_>) -> bool {
    let mut rules = list(policy.value(), "/spec/egress");
    rules.any(|rule| {
        let mut peers = list(rule, "/to").peekable();
        peers.peek().is_none()
            || peers.any(|peer| {
                holds(text(peer, "/ipBlock/cidr"))
                    && !list(peer, "/ipBlock/except")
                        .any(|out| holds(out.as_str().unwrap_or_default()))
            })
    })
}

/// Whether an IPv4 range in CIDR notation (RFC 4632) holds the address; what is no such range does not.
fn holds(cidr: &str) -> bool {
    let Some((base, bits)) = cidr.split_once('/') else { return false };
    let octets: Option<Vec<u32>> =
        base.split('.').map(|octet| octet.parse().ok().filter(|octet| *octet < 256)).collect();
    let (Some([a, b, c, d]), Ok(bits @ 0..=32)) = (octets.as_deref(), bits.parse::<u32>()) else {
        return false;
    };
    let base = (a << 24) | (b << 16) | (c << 8) | d;
    let differing = u64::from(base ^ ADDRESS);
    differing >> (32 - bits) == 0
}

#[test]
fn ranges_hold_the_address() {
    for cidr in ["0.0.0.0/0", "169.254.0.0/16", "169.254.169.254/32", "168.0.0.0/7"] {
        assert!(holds(cidr), "{cidr}");
    }
    for cidr in ["169.254.169.253/32", "10.0.0.0/8", "::/0", "169.254.169.254", "1.2.3.4/33", ""] {
        assert!(!holds(cidr), "{cidr}");
    }
}
