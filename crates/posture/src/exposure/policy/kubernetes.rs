//! NetworkPolicy of networking.k8s.io/v1.
use super::{Opens, Policy, Rules, Selects, filled};
use crate::exposure::{is_everybody, list, text};
use crate::selector::Selector;
use crate::world::Object;
use serde_json::Value;

/// Source: `NetworkPolicySpec`: ingress is always meant unless `policyTypes` says otherwise, egress where it has rules.
pub(super) fn read<'w>(
    object: Object<'w>,
    namespace: Option<&'w str>,
) -> Result<Vec<Policy<'w>>, String> {
    let value = object.value();
    let selector = value.pointer("/spec/podSelector").filter(|value| !value.is_null());
    let selector = selector.map_or_else(|| Ok(Selector::default()), Selector::read)?;
    let types: Vec<&str> = list(value, "/spec/policyTypes").filter_map(Value::as_str).collect();
    let has_egress = value.get("spec").is_some_and(|spec| filled(spec, "egress"));
    let meant = |name: &str, default: bool| {
        if types.is_empty() { default } else { types.contains(&name) }
    };
    let ingress = meant("Ingress", true).then(|| rules(value, "ingress", "from"));
    let egress = meant("Egress", has_egress).then(|| rules(value, "egress", "to"));
    Ok(vec![Policy { object, namespace, selects: Selects::Labels(selector), ingress, egress }])
}

fn rules(value: &Value, direction: &str, peers: &str) -> Rules {
    let rules = list(value, &format!("/spec/{direction}")).enumerate();
    let read = |(index, rule): (usize, &Value)| {
        let everybody = !filled(rule, peers)
            || list(rule, &format!("/{peers}")).any(|peer| {
                let block = peer.get("ipBlock");
                block.is_some_and(|block| {
                    is_everybody(text(block, "/cidr")) && !filled(block, "except")
                })
            });
        let opens = match (everybody, filled(rule, "ports")) {
            (false, _) => Opens::Named,
            (true, true) => Opens::Ports,
            (true, false) => Opens::Everything,
        };
        (opens, format!("/spec/{direction}/{index}"))
    };
    rules.map(read).collect()
}
