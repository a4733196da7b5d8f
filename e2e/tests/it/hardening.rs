//! A flawed Deployment appears on the hub and goes with our own patch.
use crate::rig::Rig;
use crate::up::Up;
use crate::{api::Api, begin, timed};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::time::{Duration, Instant};

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: seawall.test/busybox:1
        imagePullPolicy: Never
        command: [sleep, '86400']
        securityContext: {privileged: true}
        resources: {limits: {cpu: 100m, memory: 64Mi}, requests: {cpu: 10m, memory: 16Mi}}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_privileged_deployment_is_found_and_healed_by_our_patch() -> Result<()> {
    let Some(_turn) = begin("a privileged Deployment is found and healed by our patch") else {
        return Ok(());
    };
    let rig = Rig::up()?;
    let dir = tempfile::tempdir()?;
    let kubeconfig = rig.kubeconfig().display().to_string();
    let containerd = rig.containerd().display().to_string();
    let up = Up::start(dir.path(), &["--kubeconfig", &kubeconfig, "--containerd", &containerd])?;
    let api = up.owner().await?;
    let watching = |items: &[Value]| items.iter().any(|agent| agent["connected"] == true);
    api.wait_for("agents", "role:cluster_agent", Duration::from_secs(30), watching).await?;
    let before = secure(&api).await?;

    let filter = "state:unhealthy resource:Deployment/web kind:control";
    let applied = Instant::now();
    rig.apply(DEPLOYMENT)?;
    let apply_took = applied.elapsed();
    let (_, findings) = api
        .wait_for("findings", filter, Duration::from_secs(10), |items| !items.is_empty())
        .await?;
    let appeared = applied.elapsed() - apply_took;
    let privileged: Vec<&Value> = findings.iter().filter(|f| f["rule"] == "SW-C-0001").collect();
    assert_eq!(
        privileged.len(),
        1,
        "one finding at the top owner, none at ReplicaSet or Pod: {findings:#?}"
    );
    let with_flaw = settled_risk(&api).await?;

    // A fix is withheld where the API server would refuse it beside another flaw, and two may mend the same field, so
    // healing takes rounds.
    let mut open = findings;
    let began = Instant::now();
    let mut patched = began;
    while fixable(&open) > 0 {
        ensure!(began.elapsed() < Duration::from_secs(20), "not healed by our patches: {open:#?}");
        for finding in &open {
            let id = finding["id"].as_str().context("id")?;
            // What healed since the list was read has no patch any more.
            let Ok(detail) = api.get(&format!("/findings/{id}")).await else { continue };
            let patch = &detail["detail"]["fix"];
            if patch.as_array().is_some_and(|operations| !operations.is_empty())
                && rig
                    .kubectl(&[
                        "patch",
                        "deployment",
                        "web",
                        "--type=json",
                        "-p",
                        &patch.to_string(),
                    ])
                    .is_ok()
            {
                patched = Instant::now();
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        open = api.list("findings", filter).await?;
    }
    let healed = patched.elapsed();
    let left = open.iter().any(|f| f["rule"] == "SW-C-0001");
    assert!(!left && fixable(&open) == 0, "not healed by our patches: {open:#?}");
    timed("unhealthy after kubectl apply", appeared, Duration::from_secs(1));
    timed("healed after our last patch", healed, Duration::from_secs(1));

    let pods = api.list("findings", "kind:control resource:Pod/web-*").await?;
    assert!(pods.is_empty(), "a Pod that equals its template is not reported: {pods:#?}");
    let moved = Instant::now();
    moved_because(&api, "became healthy").await?;
    // What no patch heals, such as a missing probe, keeps the resource unhealthy; its risk falls all the same.
    while api.get("/scores").await?["risk"].as_f64().is_none_or(|risk| risk >= with_flaw) {
        ensure!(moved.elapsed() < Duration::from_secs(10), "the risk did not fall with the fixes");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    timed("the score's move after the finding's", moved.elapsed(), Duration::from_secs(1));
    assert!(before.is_none_or(|before| (0.0..=100.0).contains(&before)));
    Ok(())
}

/// Findings that come with a patch.
fn fixable(findings: &[Value]) -> usize {
    findings.iter().filter(|finding| finding["fix_available"] == true).count()
}

/// The secure score of the organisation.
async fn secure(api: &Api) -> Result<Option<f64>> {
    Ok(api.get("/scores").await?["secure"].as_f64())
}

/// The risk once it stands still: the first listing is told while the Deployment already is.
async fn settled_risk(api: &Api) -> Result<f64> {
    let began = Instant::now();
    let mut last = None;
    loop {
        let risk = api.get("/scores").await?["risk"].as_f64();
        match risk {
            Some(risk) if last == Some(risk) => return Ok(risk),
            _ => last = risk,
        }
        ensure!(began.elapsed() < Duration::from_secs(60), "the risk never stands still: {last:?}");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Waits for a move of the score that names the Deployment and `turn`, such as `became healthy`.
async fn moved_because(api: &Api, turn: &str) -> Result<()> {
    let began = Instant::now();
    loop {
        let moves = api.get("/scores/history").await?;
        let mut causes = moves["items"].as_array().into_iter().flatten().map(|m| &m["cause"]);
        let named = |cause: &str| cause.contains(turn) && cause.contains("Deployment/web");
        if causes.any(|cause| cause.as_str().is_some_and(named)) {
            return Ok(());
        }
        ensure!(began.elapsed() < Duration::from_secs(10), "no move says `{turn}`: {moves:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
