//! Assigned controls that the API server judges by itself, so that they hold while no agent answers.
//!
//! ```text
//! hub ─Desired─► translate ─► wanted ─compare with what stands─► apply, delete ─► in force, status
//! ```
//!
//! Invariant: a control is said to be in force only after a look in which all of it stood unchanged, and no longer before
//! any of it is deleted: between the two the webhook judges as well, so that nothing passes unjudged.
mod region;
mod translate;

use seawall_cluster::Connection;
use seawall_cluster::native::{self, NativeError, NativeKind};
use seawall_model::admission::Desired;
use seawall_posture::Catalogue;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use translate::{Translated, translate};

/// How often what stands is compared with what is wanted.
const EVERY: Duration = Duration::from_secs(60);
/// API servers take up what was applied within this: their informers hear of it in milliseconds.
const SETTLE: Duration = Duration::from_secs(5);
/// Never judged, so that the parts of a cluster that mend it always start.
const SYSTEM_NAMESPACES: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];
/// What the API server writes into fields that are left out.
const DEFAULTS: [(&str, &str); 2] = [("matchPolicy", "Equivalent"), ("scope", "*")];

/// How native policies stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NativeStatus {
    /// Controls in force.
    pub controls: usize,
    /// Why assigned controls stay at the webhook, by control.
    pub stay: BTreeMap<String, String>,
    /// What failed in the last look, with the object.
    pub errors: Vec<String>,
}

impl NativeStatus {
    /// For whoever looks: how many, what failed, and why the others stay.
    pub fn told(&self) -> Vec<String> {
        let count = format!("controls judged natively: {}", self.controls);
        let errors = self.errors.iter().cloned();
        let stay =
            self.stay.iter().map(|(control, why)| format!("{control} stays at the webhook: {why}"));
        std::iter::once(count).chain(errors).chain(stay).collect()
    }

    /// Prometheus' exposition format 0.0.4.
    pub fn metrics(&self) -> String {
        let gauges = [
            ("native_controls", "Controls that the API server judges by itself.", self.controls),
            (
                "native_errors",
                "What failed in the last look at native policies.",
                self.errors.len(),
            ),
        ];
        let gauge = |(name, help, value): (&str, &str, usize)| {
            let name = format!("seawall_agent_{name}");
            format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n")
        };
        gauges.into_iter().map(gauge).collect()
    }
}

/// A running reconciler; it ends when this is dropped. What it applied goes on.
pub struct NativePolicies {
    in_force: watch::Receiver<BTreeSet<String>>,
    status: watch::Receiver<NativeStatus>,
    task: JoinHandle<()>,
}

impl NativePolicies {
    /// Follows `desired`; until the hub has spoken nothing is changed. `spared` are namespaces that are never judged,
    /// besides those of the system.
    pub fn start(
        connection: Connection,
        desired: watch::Receiver<Option<Arc<Desired>>>,
        catalogue: Arc<Catalogue>,
        spared: impl IntoIterator<Item = String>,
    ) -> Self {
        let system = SYSTEM_NAMESPACES.map(str::to_owned);
        let spared = spared.into_iter().chain(system).collect();
        let (in_force_sender, in_force) = watch::channel(BTreeSet::new());
        let (status_sender, status) = watch::channel(NativeStatus::default());
        let reconciler = Reconciler {
            connection,
            catalogue,
            spared,
            in_force: in_force_sender,
            status: status_sender,
        };
        Self { in_force, status, task: tokio::spawn(reconciler.run(desired)) }
    }

    /// Controls that the API server judges: the webhook need not.
    pub fn in_force(&self) -> watch::Receiver<BTreeSet<String>> {
        self.in_force.clone()
    }

    pub fn status(&self) -> watch::Receiver<NativeStatus> {
        self.status.clone()
    }
}

impl Drop for NativePolicies {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Reconciler {
    connection: Connection,
    catalogue: Arc<Catalogue>,
    spared: BTreeSet<String>,
    in_force: watch::Sender<BTreeSet<String>>,
    status: watch::Sender<NativeStatus>,
}

/// What one look came to.
#[derive(Debug, Default)]
struct Look {
    /// Controls of which something was not as wanted.
    unsettled: BTreeSet<String>,
    /// Something was applied: another look follows soon.
    applied: bool,
    errors: Vec<String>,
}

impl Reconciler {
    async fn run(self, mut desired: watch::Receiver<Option<Arc<Desired>>>) {
        loop {
            let wanted = desired.borrow_and_update().clone();
            let wait = match wanted {
                Some(wanted) => self.reconcile(&wanted).await,
                None => EVERY,
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                changed = desired.changed() => if changed.is_err() {
                    // The uplink is gone; what it said last goes on.
                    return;
                }
            }
        }
    }

    /// How long until the next look.
    async fn reconcile(&self, desired: &Desired) -> Duration {
        let wanted = translate(&desired.policies, &self.catalogue, &self.spared);
        self.in_force.send_if_modified(|in_force| {
            let before = in_force.len();
            in_force.retain(|control| wanted.controls.contains(control));
            in_force.len() != before
        });
        let look = self.look(&wanted).await.unwrap_or_else(|error| Look {
            unsettled: wanted.controls.clone(),
            errors: vec![told(&error)],
            applied: false,
        });
        let now: BTreeSet<String> = &wanted.controls - &look.unsettled;
        let status = NativeStatus { controls: now.len(), stay: wanted.stay, errors: look.errors };
        self.status.send_if_modified(|current| {
            let changed = *current != status;
            if changed {
                log(&status);
            }
            *current = status;
            changed
        });
        self.in_force.send_if_modified(|in_force| std::mem::replace(in_force, now.clone()) != now);
        if look.applied { SETTLE } else { EVERY }
    }

    async fn look(&self, wanted: &Translated) -> Result<Look, NativeError> {
        let mut look = Look::default();
        let policies = named(native::list(&self.connection, NativeKind::Policy).await?);
        let bindings = named(native::list(&self.connection, NativeKind::Binding).await?);
        for one in &wanted.natives {
            let parts = [
                (NativeKind::Policy, &one.policy, policies.get(&one.name)),
                (NativeKind::Binding, &one.binding, bindings.get(&one.name)),
            ];
            for (kind, object, standing) in parts {
                if standing.is_some_and(|standing| stands(&standing["spec"], &object["spec"])) {
                    continue;
                }
                look.unsettled.insert(one.control.clone());
                match native::apply(&self.connection, kind, &one.name, object).await {
                    Ok(now) if stands(&now["spec"], &object["spec"]) => look.applied = true,
                    Ok(_) => look.errors.push(format!(
                        "{} {}: somebody else wrote into it; delete it, and it is made anew",
                        kind.as_str(),
                        one.name
                    )),
                    Err(error) => look.errors.push(told(&error)),
                }
            }
        }
        let names: BTreeSet<&String> = wanted.natives.iter().map(|one| &one.name).collect();
        for (kind, standing) in [(NativeKind::Binding, bindings), (NativeKind::Policy, policies)] {
            for name in standing.keys().filter(|name| !names.contains(name)) {
                if let Err(error) = native::delete(&self.connection, kind, name).await {
                    look.errors.push(told(&error));
                }
            }
        }
        Ok(look)
    }
}

fn log(status: &NativeStatus) {
    tracing::info!(controls = status.controls, stay = status.stay.len(), "native policies");
    for error in &status.errors {
        tracing::warn!(error, "native policies not as wanted");
    }
}

fn named(objects: Vec<Value>) -> BTreeMap<String, Value> {
    let name = |object: &Value| object["metadata"]["name"].as_str().map(str::to_owned);
    objects.into_iter().filter_map(|object| Some((name(&object)?, object))).collect()
}

/// The error and its source.
fn told(error: &NativeError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// Whether `live` says what is wanted and nothing else, but for what the API server fills in.
fn stands(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            let has = |(key, value): (&String, &Value)| match live.get(key) {
                Some(live) => stands(live, value),
                None => is_empty(value),
            };
            wanted.iter().all(has) && is_no_more(live, wanted)
        }
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len()
                && live.iter().zip(wanted).all(|(live, wanted)| stands(live, wanted))
        }
        _ => live == wanted,
    }
}

fn is_no_more(live: &Map<String, Value>, wanted: &Map<String, Value>) -> bool {
    let further = live.iter().filter(|(key, _)| !wanted.contains_key(*key));
    further.into_iter().all(|(key, value)| {
        is_empty(value) || DEFAULTS.iter().any(|(own, default)| own == key && value == default)
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[test]
fn defaults_of_the_api_server_are_no_change() {
    use serde_json::json;
    #[track_caller]
    fn check(live: Value, expected: bool) {
        let wanted = json!({"policyName": "a", "actions": ["Deny"], "match": {"rules": [{"resources": ["pods"]}]}});
        assert_eq!(stands(&live, &wanted), expected, "{live}");
    }
    let rules = || json!([{"resources": ["pods"], "scope": "*"}]);
    let full = json!({"policyName": "a", "actions": ["Deny"],
        "match": {"rules": rules(), "matchPolicy": "Equivalent", "objectSelector": {}}});
    check(full.clone(), true);
    let with = |pointer: &str, value: Value| {
        let mut changed = full.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    check(with("/policyName", "b".into()), false);
    check(with("/actions", json!(["Deny", "Audit"])), false);
    check(with("/match/rules/0/scope", "Cluster".into()), false);
    check(with("/match/objectSelector", json!({"matchLabels": {"a": "b"}})), false);
    check(with("/match", json!({"matchPolicy": "Exact", "rules": rules()})), false);
    check(json!({"policyName": "a", "actions": ["Deny"]}), false);
}
