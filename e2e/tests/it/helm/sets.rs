//! A policy set from the hub's API to the API server's refusal: tried before it may refuse, on a resource that the
//! chart's own entry does not name.
use super::{Installed, SECOND, apply, refusal};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::time::Instant;

/// Services have an owner, and whoever makes them may read Secrets there.
const POLICIES: &str = "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: owned-services}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [services]}]
  validations:
    - {expression: \"'owner' in object.metadata.?labels.orValue({})\", message: a Service has the label owner}
    - {expression: \"authorizer.group('').resource('secrets').namespace('default').check('get').allowed()\", message: not by you}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: owned-services}
spec: {policyName: owned-services, validationActions: [Deny]}
";

fn service(name: &str, labels: &Value) -> String {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": {"selector": {"app": "none"}, "ports": [{"port": 80}]}})
    .to_string()
}

pub(super) async fn tried_then_refusing(installed: &Installed) -> Result<()> {
    let Installed { rig, api, .. } = installed;
    rig.apply(&service("unowned", &json!({})))?;
    let body = |action: &str| json!({"name": "services", "scope": "/org/rig/", "text": POLICIES, "action": action});
    let refused = api.post("/policy-sets", body("deny")).await;
    ensure!(refused.is_err(), "a new set may not refuse: {refused:?}");
    let set = api.post("/policy-sets", body("audit")).await?;
    let id = set["id"].as_str().context("id")?.to_owned();
    let path = format!("/policy-sets/{id}");
    let began = Instant::now();
    let trial = loop {
        let trials = api.get(&format!("{path}/trials")).await?;
        match trials["items"].as_array().and_then(|trials| trials.first()) {
            Some(trial) => break trial.clone(),
            None => ensure!(began.elapsed() < 60 * SECOND, "never tried: {trials:#}"),
        }
        tokio::time::sleep(SECOND / 5).await;
    };
    eprintln!("policy set tried after {:?}: {} ms", began.elapsed(), trial["took"]);
    ensure!(trial["objects"]["refused"].as_u64() >= Some(1), "{trial:#}");
    ensure!(trial["problems"] == json!([]), "{trial:#}");

    // Until it is raised it only records.
    rig.apply(&service("recorded", &json!({})))?;
    let revision = api.get(&path).await?["revision"].as_u64().context("revision")?;
    let raised = api.put_if_match(&path, revision, body("deny")).await?;
    let began = Instant::now();
    let told = loop {
        match refusal(rig, &service("refused", &json!({})))? {
            Some(told) => break told,
            None => rig.kubectl(&["delete", "service", "refused"])?,
        };
        ensure!(began.elapsed() < 30 * SECOND, "a Service without an owner is still let in");
    };
    ensure!(told.contains("denied request: a Service has the label owner"), "{told}");
    let owned = apply(rig, &service("owned", &json!({"owner": "ann"})))?;
    ensure!(owned.status.success(), "{}", String::from_utf8_lossy(&owned.stderr));
    let denied = |items: &[Value]| {
        items.iter().any(|decision| {
            decision["controls"][0]["control"] == "ValidatingAdmissionPolicy/owned-services"
                && decision["verdict"] == "denied"
        })
    };
    api.wait_for("decisions", "verdict:denied", 10 * SECOND, denied).await?;

    // Without the set nobody asks about Services any more.
    let revision = raised["revision"].as_u64().context("revision")?;
    api.put_if_match(&path, revision, body("off")).await?;
    let began = Instant::now();
    while refusal(rig, &service("again", &json!({})))?.is_some() {
        ensure!(began.elapsed() < 30 * SECOND, "a set that is off still refuses");
        tokio::time::sleep(SECOND / 5).await;
    }
    rig.kubectl(&["delete", "service", "unowned", "recorded", "owned", "again"])?;
    Ok(())
}
