//! Requests to a real API server, told by its own audit webhook: each detection once, its look-alike never.
use crate::begin;
use crate::helm::Installed;
use crate::rig::Rig;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn requests_alert_once_and_look_alikes_do_not() -> Result<()> {
    let test = "requests alert once and look-alikes do not";
    let (Some(_turn), Some(_)) = (begin(test), crate::chart::helm(test)) else { return Ok(()) };
    let installed = Installed::up(Rig::up()?, &["agent.audit.enabled=true"]).await?;
    let Installed { rig, api, .. } = &installed;
    send_audit_events(rig)?;
    rig.pod("web", "seawall.test/busybox:1")?;
    let heard = |items: &[Value]| items.iter().any(|agent| agent["audit_events"] != 0);
    api.wait_for("agents", "role:cluster_agent", 20 * SECOND, heard).await?;

    for case in cases() {
        rig.apply_or_run(case.look_alike)
            .with_context(|| format!("{} look-alike", case.detection))?;
        rig.apply_or_run(case.attack).with_context(|| format!("{} attack", case.detection))?;
    }
    for case in cases() {
        let filter = format!("detection:{}", case.detection);
        let (_, alerts) =
            api.wait_for("alerts", &filter, 20 * SECOND, |items| !items.is_empty()).await?;
        let alert = &alerts[0];
        assert_eq!((alerts.len(), &alert["count"]), (1, &1.into()), "{alerts:#?}");
        let (actor, object) = (&alert["actor"], &alert["object"]["api"]);
        let object = if object.is_null() { &alert["object"] } else { object };
        assert_eq!(actor["user"], "admin", "{alert}");
        ensure!(actor["address"].as_str().is_some_and(|a| a.starts_with("198.18.0.")), "{alert}");
        assert_eq!(
            (object["resource"].as_str(), object["name"].as_str()),
            (Some(case.resource), Some(case.name)),
            "{alert:#}"
        );
    }
    // What comes last has come, so nothing else is under way.
    let all = api.list("alerts", "source:k8s_audit").await?;
    let told: Vec<_> = all.iter().map(|alert| (&alert["detection"], &alert["object"])).collect();
    assert_eq!(all.len(), cases().len(), "{told:#?}");
    let seen = api.get("/clusters/status").await?;
    ensure!(seen["items"][0]["last_audit_event"].is_i64(), "{seen}");
    Ok(())
}

/// As the chart's notes and the page Clusters say: policy and kubeconfig by the agent, then flags of the API server.
fn send_audit_events(rig: &Rig) -> Result<()> {
    let agent = ["-n", "seawall", "exec", "deploy/seawall-agent", "--", "/seawall", "agent"];
    let policy = rig.kubectl(&[&agent[..], &["--print-audit-policy"]].concat())?;
    let address =
        ["-n", "seawall", "get", "service", "seawall-audit", "-o", "jsonpath={.spec.clusterIP}"];
    let server = format!("https://{}", rig.kubectl(&address)?);
    let print = ["--print-audit-kubeconfig", "--audit-server", &server];
    let kubeconfig = rig.kubectl(&[&agent[..], &print].concat())?;
    let policy = rig.file("audit-policy.yaml", &policy)?;
    let kubeconfig = rig.file("audit-kubeconfig.yaml", &kubeconfig)?;
    rig.restart_api_server(&format!(
        "--audit-policy-file {} --audit-webhook-config-file {} --audit-webhook-batch-max-wait 1s",
        policy.display(),
        kubeconfig.display()
    ))
}

/// What is done, each an object to apply or a kubectl command, and what the alert is about.
struct Case {
    detection: &'static str,
    attack: &'static str,
    look_alike: &'static str,
    resource: &'static str,
    name: &'static str,
}

fn cases() -> [Case; 5] {
    [
        Case {
            detection: "SW-D-0006",
            attack: "create clusterrolebinding rule-all --clusterrole cluster-admin --serviceaccount default:default",
            look_alike: "create clusterrolebinding see-all --clusterrole view --serviceaccount default:default",
            resource: "clusterrolebindings",
            name: "rule-all",
        },
        Case {
            detection: "SW-D-0007",
            attack: "exec web -- true",
            look_alike: "logs web",
            resource: "pods/exec",
            name: "web",
        },
        Case {
            detection: "SW-D-0005",
            attack: "{apiVersion: v1, kind: Pod, metadata: {name: mounts-root, namespace: default}, spec: {containers: \
                [{name: main, image: 'seawall.test/busybox:1', imagePullPolicy: Never, command: [sleep, '600'], \
                volumeMounts: [{name: root, mountPath: /host}]}], volumes: [{name: root, hostPath: {path: /}}]}}",
            look_alike: "{apiVersion: v1, kind: Pod, metadata: {name: mounts-own, namespace: default}, spec: {containers: \
                [{name: main, image: 'seawall.test/busybox:1', imagePullPolicy: Never, command: [sleep, '600'], \
                volumeMounts: [{name: root, mountPath: /host}]}], volumes: [{name: root, emptyDir: {}}]}}",
            resource: "pods",
            name: "mounts-root",
        },
        Case {
            detection: "SW-D-0004",
            attack: "{apiVersion: apps/v1, kind: Deployment, metadata: {name: privileged, namespace: default}, spec: \
                {selector: {matchLabels: {app: p}}, template: {metadata: {labels: {app: p}}, spec: {containers: [{name: \
                main, image: 'seawall.test/busybox:1', imagePullPolicy: Never, command: [sleep, '600'], \
                securityContext: {privileged: true}}]}}}}",
            look_alike: "{apiVersion: apps/v1, kind: Deployment, metadata: {name: plain, namespace: default}, spec: \
                {selector: {matchLabels: {app: q}}, template: {metadata: {labels: {app: q}}, spec: {containers: [{name: \
                main, image: 'seawall.test/busybox:1', imagePullPolicy: Never, command: [sleep, '600'], \
                securityContext: {privileged: false}}]}}}}",
            resource: "deployments",
            name: "privileged",
        },
        Case {
            detection: "SW-D-0008",
            attack: "create service nodeport kubernetes-dashboard --tcp 443",
            look_alike: "create service nodeport shop --tcp 443",
            resource: "services",
            name: "kubernetes-dashboard",
        },
    ]
}
