//! A Service's target port that none of the selected pods names.
use super::service_dangling::service;
use super::{Native, Subjects, inputs};
use crate::evaluate::Judgement;
use crate::exposure::{list, text};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "target-port",
    subjects: Subjects::Kinds(&[("", "Service")]),
    inputs: &inputs::SELECTED,
    judge,
};

fn judge(subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let Some(service) = service(subject, world) else { return Judgement::healthy() };
    let workloads: Vec<_> = world
        .network()
        .workloads_in(service.namespace)
        .filter(|workload| service.selects(workload))
        .collect();
    let (mut told, mut evidence) = (Vec::new(), Vec::new());
    for (index, port) in list(service.object.value(), "/spec/ports").enumerate() {
        let Some(target) = port.get("targetPort") else { continue };
        let why = match target {
            Value::String(name) if !is_port_name(name) => format!("`{name}` is no name of a port"),
            Value::String(name) => {
                let declares = |container: &Value| {
                    list(container, "/ports").any(|declared| text(declared, "/name") == name)
                };
                let missing = !workloads.is_empty()
                    && !workloads.iter().any(|workload| workload.containers().any(declares));
                if !missing {
                    continue;
                }
                format!("no selected pod has a port named `{name}`")
            }
            Value::Number(number) if number.as_u64().is_some_and(|n| (1..=65_535).contains(&n)) => {
                continue;
            }
            other => format!("{other} is no port"),
        };
        told.push(why);
        let path = format!("/spec/ports/{index}/targetPort");
        evidence.push(Evidence { path, value: target.clone() });
    }
    if told.is_empty() {
        Judgement::healthy()
    } else {
        Judgement::unhealthy(told.join("; "), evidence)
    }
}

/// Source: RFC 6335 section 5.1, and `IsValidPortName` of apimachinery.
fn is_port_name(name: &str) -> bool {
    let alphabet = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=15).contains(&name.len())
        && name.chars().all(alphabet)
        && name.contains(|c: char| c.is_ascii_lowercase())
        && !name.contains("--")
        && !name.starts_with('-')
        && !name.ends_with('-')
}
