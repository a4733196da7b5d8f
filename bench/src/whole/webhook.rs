//! The agent's webhook as it answers an API server, judging by controls.
use super::child::until_stdin_ends;
use super::{memory, processor, row};
use anyhow::{Context, ensure};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use seawall_agent::webhook::{AuditOutcome, Server, Settings, Tls, Webhook};
use seawall_agent::{PolicySets, content};
use seawall_model::Id;
use seawall_model::admission::{Desired, Narrowing, Policy, PolicyAction};
use seawall_model::time::SystemClock;
use seawall_posture::{Catalogue, Lifecycle, Matches};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Decisions under way, as between webhook and spool.
const CAPACITY: usize = 64;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Controls, each assigned to the whole cluster, those on workloads first
    #[arg(long, default_value_t = 100)]
    controls: usize,
    /// Where the CA is written
    #[arg(long)]
    ca: PathBuf,
}

impl Args {
    /// Prints its address once it listens.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(self.serve())
    }

    async fn serve(&self) -> anyhow::Result<()> {
        let (sink, mut records) = mpsc::channel(CAPACITY);
        let webhook = Webhook::new(Settings {
            agent: "bench".to_owned(),
            namespace: None,
            clock: Arc::new(SystemClock),
            records: sink,
            audit: Box::new(|_| Box::pin(async { AuditOutcome::Taken })),
            policy_sets: PolicySets::new(36),
            authorizer: None,
        });
        let recorded = tokio::spawn(async move {
            let mut count = 0_usize;
            while records.recv().await.is_some() {
                count += 1;
            }
            count
        });
        let catalogue = content()?;
        let problems = webhook.set_desired(&desired(&catalogue, self.controls)?, &catalogue);
        ensure!(problems.is_empty(), "{problems:?}");
        webhook.set_ready(true);
        let (ca, tls) = certificates()?;
        std::fs::write(&self.ca, ca)
            .with_context(|| format!("cannot write {}", self.ca.display()))?;
        let expires = tls.expires();
        let server = Server::bind(([127, 0, 0, 1], 0).into(), tls, webhook.clone()).await?;
        row("https", &format!("//{}", server.address))?;
        until_stdin_ends().await;
        server.stop().await;
        for line in webhook.prometheus(expires).lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, value)) = line.rsplit_once(' ') {
                row(name, value)?;
            }
        }
        let ((resident, peak), used) = (memory()?, processor()?);
        drop(webhook);
        row("decisions", &recorded.await?.to_string())?;
        row("webhook", &format!("{resident} MB, most {peak} MB, {used:.1} s of processor"))
    }
}

/// Stable controls on workloads, then such on other kinds, recording what they find.
fn desired(catalogue: &Catalogue, controls: usize) -> anyhow::Result<Desired> {
    let stable = catalogue.controls.iter().filter(|own| own.lifecycle == Lifecycle::Stable);
    let (workloads, others): (Vec<_>, Vec<_>) = stable
        .filter(|own| matches!(own.matches, Matches::Workloads | Matches::Resources(_)))
        .partition(|own| own.matches == Matches::Workloads);
    let policies: Vec<Policy> = workloads
        .into_iter()
        .chain(others)
        .take(controls)
        .map(|control| Policy {
            assignment: Id::new(0, [1; 10]),
            control: control.id.clone(),
            depth: 1,
            narrowing: Narrowing::default(),
            action: PolicyAction::Audit,
            params: serde_json::Map::new(),
        })
        .collect();
    ensure!(policies.len() == controls, "there are only {} controls on objects", policies.len());
    Ok(Desired { policies, sets: Vec::new() })
}

/// A CA in PEM, and what it signed for the loopback address.
fn certificates() -> anyhow::Result<(String, Tls)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let ca = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()])?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let chain = params.signed_by(&key, &issuer)?.pem();
    let tls = Tls::new(&chain, &key.serialize_pem(), None, Arc::new(SystemClock))?;
    Ok((ca, tls))
}
