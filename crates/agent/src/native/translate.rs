//! Assigned controls as native policies, where those say exactly what the assignments say: nearest scope first, within
//! it the strictest action. What they cannot say stays at the webhook, and is told.
use super::region::Region;
use seawall_cluster::native::LABELS;
use seawall_model::admission::{Policy, PolicyAction};
use seawall_posture::export::{Exported, export};
use seawall_posture::workload::WORKLOADS;
use seawall_posture::{Catalogue, Matches, Request};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Policies of ours in one cluster: two for each control there is. The API server compiles every one, and asks each about
/// every request that fits it.
const MAX_NATIVE: usize = 1_000;
/// As the webhook's own exclusions: nodes write mirrors of static pods, and finalisers must come off.
const CONDITIONS: [(&str, &str); 2] = [
    ("not-a-node", "!('system:nodes' in request.userInfo.groups)"),
    (
        "not-being-deleted",
        "request.operation != 'UPDATE' || !has(object.metadata.deletionTimestamp)",
    ),
];

/// A policy and its binding, of one assignment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Native {
    pub(super) control: String,
    /// Of both.
    pub(super) name: String,
    pub(super) policy: Value,
    pub(super) binding: Value,
}

/// What the assignments come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Translated {
    pub(super) natives: Vec<Native>,
    /// Controls that run natively; one whose assignments reach no namespace has no policies.
    pub(super) controls: BTreeSet<String>,
    /// Why others stay at the webhook, by control.
    pub(super) stay: BTreeMap<String, String>,
}

/// `spared` are namespaces that are never judged.
pub(super) fn translate(
    policies: &[Policy],
    catalogue: &Catalogue,
    spared: &BTreeSet<String>,
) -> Translated {
    let mut by_control: BTreeMap<&str, Vec<&Policy>> = BTreeMap::new();
    for policy in policies {
        by_control.entry(&policy.control).or_default().push(policy);
    }
    let mut translated = Translated::default();
    for (control, policies) in by_control {
        if policies.iter().all(|policy| policy.action == PolicyAction::Off) {
            continue;
        }
        match natives(&policies, catalogue, spared) {
            Ok(natives) if translated.natives.len() + natives.len() <= MAX_NATIVE => {
                translated.natives.extend(natives);
                translated.controls.insert(control.to_owned());
            }
            Ok(_) => {
                let why = format!("only {MAX_NATIVE} policies run natively");
                translated.stay.insert(control.to_owned(), why);
            }
            Err(why) => drop(translated.stay.insert(control.to_owned(), why)),
        }
    }
    translated
}

/// All policies of one control, or why they stay.
fn natives(
    policies: &[&Policy],
    catalogue: &Catalogue,
    spared: &BTreeSet<String>,
) -> Result<Vec<Native>, String> {
    let regions = policies.iter().map(|policy| Region::of(&policy.narrowing));
    let regions = regions.collect::<Result<Vec<Region>, String>>()?;
    let mut natives = Vec::new();
    for (policy, region) in policies.iter().zip(&regions) {
        let mut own = region.clone();
        own.leave_out(spared);
        for (other, its) in policies.iter().zip(&regions) {
            if other.depth > policy.depth {
                own.yield_to(its)?;
            } else if other.depth == policy.depth
                && other.action != policy.action
                && region.meets(its)
            {
                return Err("assignments of one scope want different actions".to_owned());
            }
        }
        if policy.action != PolicyAction::Off && !own.is_empty() {
            natives.extend(native(policy, &own, catalogue)?);
        }
    }
    Ok(natives)
}

/// None where the region has no object that the control is about.
fn native(
    policy: &Policy,
    region: &Region,
    catalogue: &Catalogue,
) -> Result<Option<Native>, String> {
    let control = catalogue
        .control(&policy.control)
        .ok_or("this agent does not know it: update the agent")?;
    let params = [(policy.control.clone(), policy.params.clone())].into();
    let request = Request { controls: vec![policy.control.clone()], params, ..Request::default() };
    let selection = catalogue.select(&request).map_err(|problem| problem.message)?;
    let (exported, problems) = export(&selection, policy.action);
    let Some(Exported { policy: mut native, mut binding, .. }) = exported.into_iter().next() else {
        return Err(problems
            .into_iter()
            .next()
            .map_or_else(String::new, |problem| problem.message));
    };
    let rules = native["spec"]["matchConstraints"]["resourceRules"].clone();
    let Some(rules) = narrowed(rules, region, &control.matches)? else { return Ok(None) };
    let name = format!("seawall-{}-{}", policy.control.to_lowercase(), policy.assignment);
    for object in [&mut native, &mut binding] {
        let metadata = &mut object["metadata"];
        metadata["name"] = name.as_str().into();
        metadata["labels"] = labels();
        metadata["annotations"]["seawall.dev/control"] = policy.control.as_str().into();
    }
    let condition =
        |(name, expression): &(&str, &str)| json!({"name": name, "expression": expression});
    native["spec"]["matchConditions"] = CONDITIONS.iter().map(condition).collect();
    binding["spec"]["policyName"] = name.as_str().into();
    binding["spec"]["matchResources"] = match_resources(region, rules);
    Ok(Some(Native { control: policy.control.clone(), name, policy: native, binding }))
}

fn labels() -> Value {
    LABELS
        .iter()
        .map(|(key, value)| ((*key).to_owned(), Value::from(*value)))
        .collect::<Map<_, _>>()
        .into()
}

fn match_resources(region: &Region, rules: Option<Value>) -> Value {
    let mut resources =
        json!({"namespaceSelector": {"matchExpressions": region.namespace_expressions()}});
    if !region.labels.is_empty() {
        resources["objectSelector"] = json!({"matchLabels": region.labels});
    }
    if let Some(rules) = rules {
        resources["resourceRules"] = rules;
    }
    resources
}

/// The policy's rules as far as the region goes; none inside where they hold as they are, none at all where no resource
/// is left.
#[expect(clippy::option_option, reason = "nothing to narrow is not nothing left")]
fn narrowed(
    mut rules: Value,
    region: &Region,
    matches: &Matches,
) -> Result<Option<Option<Value>>, String> {
    if region.kinds.is_empty() && region.has_cluster_objects() {
        return Ok(Some(None));
    }
    if !region.kinds.is_empty() && *matches != Matches::Workloads {
        return Err("a policy on these resources cannot be narrowed by kinds".to_owned());
    }
    let list = rules.as_array_mut().map(std::mem::take).unwrap_or_default();
    let mut kept = Vec::new();
    for mut rule in list {
        let resources = rule["resources"].as_array().cloned().unwrap_or_default();
        let names = resources.iter().filter_map(Value::as_str);
        // A selector of namespaces speaks of Namespace objects too, their scope does not.
        if names.clone().any(|name| name == "namespaces" || name.starts_with('*')) {
            return Err("a policy on Namespaces cannot be narrowed by namespaces".to_owned());
        }
        let names: Vec<&str> =
            names.filter(|name| region.kinds.is_empty() || is_of(name, &region.kinds)).collect();
        if !names.is_empty() {
            rule["resources"] = names.into();
            // Objects of the cluster are in no namespace, and a selector of namespaces would let them in.
            if !region.has_cluster_objects() {
                rule["scope"] = "Namespaced".into();
            }
            kept.push(rule);
        }
    }
    Ok((!kept.is_empty()).then(|| Some(kept.into())))
}

/// Whether a resource of workloads holds objects of one of the kinds.
fn is_of(name: &str, kinds: &BTreeSet<String>) -> bool {
    let plural = name.split('/').next().unwrap_or(name);
    WORKLOADS.iter().any(|workload| workload.plural == plural && kinds.contains(workload.kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::Id;
    use seawall_model::admission::Narrowing;

    fn policy(control: &str, depth: u32, action: PolicyAction, narrowing: Value) -> Policy {
        Policy {
            assignment: Id::new(0, [depth as u8; 10]),
            control: control.to_owned(),
            depth,
            narrowing: serde_json::from_value::<Narrowing>(narrowing).unwrap(),
            action,
            params: Map::new(),
        }
    }

    fn translated(policies: &[Policy]) -> Translated {
        let spared = ["kube-system", "seawall"].map(str::to_owned).into();
        translate(policies, &crate::content().unwrap(), &spared)
    }

    /// Each binding as `ACTION OPERATOR NAMESPACES`, or the reason to stay.
    #[track_caller]
    fn check(policies: &[Policy], expected: &[&str]) {
        let translated = translated(policies);
        let told = translated.natives.iter().map(|native| {
            let spec = &native.binding["spec"];
            let selector = &spec["matchResources"]["namespaceSelector"]["matchExpressions"][0];
            let values = selector["values"].as_array().unwrap().iter();
            let values: Vec<&str> = values.map(|value| value.as_str().unwrap()).collect();
            let word = |value: &Value| value.as_str().unwrap().to_owned();
            let action = word(&spec["validationActions"][0]);
            format!("{action} {} {}", word(&selector["operator"]), values.join(","))
        });
        let told: Vec<String> = told.chain(translated.stay.values().cloned()).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn the_nearest_scope_counts() {
        use PolicyAction::{Audit, Deny, Off, Warn};
        let of = |depth, action, narrowing| policy("SW-C-0001", depth, action, narrowing);
        let all = || json!({});
        check(&[], &[]);
        check(&[of(1, Off, all())], &[]);
        check(&[of(1, Deny, all())], &["Deny NotIn kube-system,seawall"]);
        check(&[of(1, Warn, json!({"namespaces": ["shop", "seawall"]}))], &["Warn In shop"]);
        check(
            &[of(1, Audit, json!({"excluded_namespaces": ["a"]}))],
            &["Audit NotIn a,kube-system,seawall"],
        );
        check(&[of(1, Audit, json!({"namespaces": ["*"]}))], &["Audit NotIn kube-system,seawall"]);
        check(
            &[of(1, Deny, all()), of(2, Warn, json!({"namespaces": ["shop"]}))],
            &["Deny NotIn kube-system,seawall,shop", "Warn In shop"],
        );
        check(
            &[of(1, Deny, all()), of(2, Off, json!({"namespaces": ["shop"]}))],
            &["Deny NotIn kube-system,seawall,shop"],
        );
        check(
            &[of(1, Deny, all()), of(2, Warn, json!({"excluded_namespaces": ["shop"]}))],
            &["Deny In shop", "Warn NotIn kube-system,seawall,shop"],
        );
        check(&[of(1, Deny, all()), of(2, Warn, all())], &["Warn NotIn kube-system,seawall"]);
        // In a scope the strictest counts, which two bindings cannot say of each other.
        check(
            &[of(1, Deny, all()), of(1, Warn, all())],
            &["assignments of one scope want different actions"],
        );
        check(
            &[of(1, Deny, json!({"namespaces": ["a"]})), of(1, Warn, json!({"namespaces": ["b"]}))],
            &["Deny In a", "Warn In b"],
        );
        let glob = "the pattern `sh*` of namespaces is no name";
        check(&[of(1, Deny, json!({"namespaces": ["sh*"]}))], &[glob]);
        check(&[of(1, Deny, json!({"excluded_namespaces": ["sh*"]}))], &[glob]);
        check(
            &[of(1, Deny, all()), of(2, Warn, json!({"labels": [["a", "b"]]}))],
            &["a nearer assignment is narrowed by labels or kinds"],
        );
    }

    #[test]
    fn what_the_api_server_cannot_judge_stays() {
        let told = translated(&[
            policy("SW-C-9999", 1, PolicyAction::Deny, json!({})),
            policy("SW-C-0360", 1, PolicyAction::Deny, json!({})),
        ]);
        assert_eq!(told.natives, []);
        assert!(told.stay["SW-C-9999"].contains("update the agent"), "{told:?}");
        assert!(told.stay["SW-C-0360"].contains("several objects"), "{told:?}");
    }

    #[test]
    fn kinds_and_labels_narrow() {
        let narrowing = json!({"kinds": ["Pod", "CronJob"], "labels": [["app", "web"]]});
        let told = translated(&[policy("SW-C-0001", 1, PolicyAction::Deny, narrowing)]);
        let [native] = told.natives.as_slice() else { panic!("{told:?}") };
        let resources = &native.binding["spec"]["matchResources"];
        assert_eq!(resources["objectSelector"], json!({"matchLabels": {"app": "web"}}));
        let rules: Vec<&Value> = resources["resourceRules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| &rule["resources"])
            .collect();
        assert_eq!(rules, [&json!(["pods", "pods/ephemeralcontainers"]), &json!(["cronjobs"])]);
        // Services: kinds cannot be told from their rules, namespaces can.
        let services =
            |narrowing| translated(&[policy("SW-C-0348", 1, PolicyAction::Deny, narrowing)]);
        assert!(services(json!({"kinds": ["Service"]})).stay["SW-C-0348"].contains("kinds"));
        let told = services(json!({"namespaces": ["shop"]}));
        let rule = &told.natives[0].binding["spec"]["matchResources"]["resourceRules"][0];
        assert_eq!(
            (&rule["resources"], &rule["scope"]),
            (&json!(["services"]), &json!("Namespaced"))
        );
    }
}
