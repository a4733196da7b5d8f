//! What an upgrade of the chart leaves of the values that the agents keep in its webhook configuration, by each of
//! Helm's two ways: a three-way merge, and server-side apply.
use crate::chart::{self, CA};
use crate::root;
use anyhow::{Context, Result, ensure};
use seawall_cluster::{
    ASK_EVERY, FailurePolicy, Guard, POLICIES, RegistrationEvent, Replicas, Rule, Target, Wanted,
    connect, keep_asking, keep_registered,
};
use seawall_e2e::server::Server;
use seawall_model::time::SystemClock;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

fn helm(helm: &Path, server: &Server, arguments: &[&str]) -> Result<Output> {
    let home = tempfile::tempdir()?;
    let mut command = Command::new(helm);
    for folder in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(folder, home.path());
    }
    command.args(arguments).args(["seawall", "deploy/helm/seawall", "--namespace", "seawall"]);
    command.arg("--kubeconfig").arg(server.kubeconfig("admin"));
    command.args(["--set", "image.repository=registry.test/seawall,hub.baseUrl=https://hub.test"]);
    command.args(["--set", "sensor.enabled=false,agent.webhook.failurePolicy=Fail", "--set"]);
    Ok(command.arg(format!("hub.ca={CA}")).current_dir(root()).output()?)
}

#[track_caller]
fn done(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn webhooks(server: &Server) -> Result<Vec<Value>> {
    let get = ["get", "validatingwebhookconfiguration", "seawall", "-o", "json"];
    let found: Value = serde_json::from_slice(&server.kubectl(&get).stdout)?;
    Ok(found["webhooks"].as_array().context("webhooks")?.clone())
}

/// An agent that puts `Fail` and a second entry there, until it is aborted.
async fn keep(server: &Server) -> Result<mpsc::Receiver<RegistrationEvent>> {
    let target = Target { kubeconfig: Some(server.kubeconfig("admin")), context: None };
    let connection = connect(&target).await?;
    let one = |text: &str| vec![text.to_owned()];
    let rule = Rule {
        groups: one(""),
        versions: one("v1"),
        resources: one("services"),
        operations: one("CREATE"),
        ..Rule::default()
    };
    let wanted = Wanted {
        ca_pem: Some("ca".to_owned()),
        rules: vec![rule],
        failure_policy: FailurePolicy::Fail,
    };
    let guard = Guard {
        clock: Arc::new(SystemClock),
        replicas: watch::channel(Some(Replicas { ready: 2, nodes: 2 })).1,
        last_error: watch::channel(None).1,
        calm: Duration::ZERO,
        leaving: watch::channel(false).1,
    };
    let (events, heard) = mpsc::channel(8);
    let (sender, following) = watch::channel(wanted);
    tokio::spawn(async move {
        let _wanted = sender;
        let served = keep_asking(&connection, None, ASK_EVERY);
        let name = "seawall".to_owned();
        keep_registered(connection, name, following, served, guard, events).await;
    });
    Ok(heard)
}

async fn upgraded(program: &Path, way: &str) -> Result<()> {
    let Some(server) = Server::start_lone() else { return Ok(()) };
    done(&helm(program, &server, &["install", way, "--create-namespace"])?);
    let first = webhooks(&server)?;
    assert_eq!((first.len(), first[0]["failurePolicy"].as_str()), (1, Some("Ignore")));
    let mut heard = keep(&server).await?;
    assert_eq!(heard.recv().await, Some(RegistrationEvent::Registered));
    // The second comes once it is known what the API server serves.
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut kept = webhooks(&server)?;
    while kept.len() < 2 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(200)).await;
        kept = webhooks(&server)?;
    }
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept.iter().all(|webhook| webhook["failurePolicy"] == "Fail"), "{kept:?}");

    let mut upgrade = vec!["upgrade", way, "--set", "agent.replicas=3"];
    if way == "--server-side=true" {
        let refused = helm(program, &server, &upgrade)?;
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        ensure!(!refused.status.success() && told.contains("failurePolicy"), "{told}");
        upgrade.push("--force-conflicts");
    }
    done(&helm(program, &server, &upgrade)?);
    let after = webhooks(&server)?;
    let second = after.iter().find(|webhook| webhook["name"] == POLICIES).context("the second")?;
    assert_eq!(Some(second), kept.iter().find(|webhook| webhook["name"] == POLICIES));
    let first = after.iter().find(|webhook| webhook["name"] != POLICIES).context("the first")?;
    assert_eq!(first["clientConfig"], kept[0]["clientConfig"], "{way} leaves the CA");

    // The next look mends it, and takes nobody for an attacker.
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(webhooks(&server)?[0]["failurePolicy"], "Fail");
    while let Ok(event) = heard.try_recv() {
        assert!(matches!(event, RegistrationEvent::FailurePolicy(_)), "{way}: {event:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_leaves_what_the_agents_keep() -> Result<()> {
    let test = "an upgrade leaves what the agents keep";
    let Some(program) = chart::helm(test) else { return Ok(()) };
    for way in ["--server-side=false", "--server-side=true"] {
        upgraded(&program, way).await.context(way)?;
    }
    Ok(())
}
