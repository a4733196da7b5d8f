//! Files, flags and settings of a real node are changed, and each control on them is seen failing and passing.
use crate::rig::Rig;
use crate::up::Up;
use crate::{api::Api, begin, timed};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// The sensor looks every 30 s, and a restarted API server has to be back by then.
const PATIENCE: Duration = Duration::from_secs(100);

/// Rows of the checklist that are unhealthy on the rig as it starts, and healthy once it is hardened.
const HEALED: &[&str] = &[
    "cp.apiserver.anonymous",
    "cp.apiserver.profiling",
    "cp.apiserver.sa-extend",
    "cp.apiserver.ciphers",
    "cp.apiserver.enc-config",
    "cp.apiserver.enc-providers",
    "cp.apiserver.deny-external-ips",
    "cp.apiserver.adm-node-restriction",
    "cp.apiserver.adm-always-pull",
    "node.file.kubelet-config.mode",
    "node.file.kubelet-kubeconfig.mode",
    "node.file.sched-conf.mode",
    "node.file.cm-conf.mode",
    "node.kubelet.anonymous",
    "node.kubelet.authz",
    "node.kubelet.kernel-defaults",
    "node.kubelet.iptables",
    "node.kubelet.ciphers",
    "node.kubelet.pid-limit",
    "node.kubelet.seccomp-default",
    "node.kubelet.image-cred",
];

/// Rows that are healthy as the rig starts, and unhealthy once it is weakened.
const BROKEN: &[&str] = &[
    "cl.audit-policy",
    "cp.apiserver.audit-age",
    "cp.apiserver.audit-backup",
    "cp.apiserver.audit-size",
    "cp.apiserver.request-timeout",
    "cp.apiserver.sa-lookup",
    "cp.apiserver.adm-service-account",
    "node.file.kubelet-config.owner",
    "node.file.etcd-data.mode",
    "node.kubelet.readonly-port",
    "node.kubelet.streaming-timeout",
    "node.kubelet.event-qps",
];

#[tokio::test(flavor = "multi_thread")]
async fn changed_files_and_flags_of_a_node_are_found() -> Result<()> {
    let Some(_turn) = begin("changed files and flags of a node are found") else { return Ok(()) };
    let rig = Rig::up()?;
    let dir = tempfile::tempdir()?;
    let kubeconfig = rig.kubeconfig().display().to_string();
    let containerd = rig.containerd().display().to_string();
    let up = Up::start(dir.path(), &["--kubeconfig", &kubeconfig, "--containerd", &containerd])?;
    let api = up.owner().await?;
    let ids = ids()?;

    // The kubelet's own word for this gate would be a default that passes.
    let weak = rig.file("kubelet-gates.conf", DROP_IN)?;
    let folder = rig.path("kubelet.conf.d");
    std::fs::create_dir(&folder)?;
    std::fs::rename(weak, format!("{folder}/50-images.conf"))?;
    let drop_ins = format!("--config-dir {folder}");
    rig.restart_kubelet(&drop_ins)?;
    states(&api, &ids, &[(HEALED, "unhealthy"), (BROKEN, "quiet")]).await?;
    no_secret_travelled(&api).await?;
    the_kubelet_agrees(&rig)?;

    let encryption = rig.file("encryption.yaml", ENCRYPTION)?;
    rig.restart_api_server(&format!(
        "--anonymous-auth=false --profiling=false --service-account-extend-token-expiration=false \
         --tls-min-version=VersionTLS13 --encryption-provider-config={} \
         --enable-admission-plugins=DenyServiceExternalIPs,NodeRestriction,AlwaysPullImages",
        encryption.display()
    ))?;
    std::fs::write(
        format!("{folder}/60-images.conf"),
        DROP_IN.replace("NeverVerify", "AlwaysVerify"),
    )?;
    rig.restart_kubelet(&format!(
        "{drop_ins} --anonymous-auth=false --authentication-token-webhook --authorization-mode=Webhook \
         --protect-kernel-defaults --make-iptables-util-chains --tls-min-version=VersionTLS13 --pod-max-pids=4096 \
         --seccomp-default"
    ))?;
    for file in ["kubelet.yaml", "kubeconfig", "controllers.kubeconfig"] {
        set_mode(&rig, file, 0o600)?;
    }
    for name in ["50-images.conf", "60-images.conf"] {
        std::fs::set_permissions(format!("{folder}/{name}"), PermissionsExt::from_mode(0o600))?;
    }
    let hardened = Instant::now();
    states(&api, &ids, &[(HEALED, "healthy"), (BROKEN, "quiet")]).await?;
    timed("healed after the last change", hardened.elapsed(), Duration::from_secs(60));

    let policy = rig.file("audit-nothing.yaml", AUDIT_NOTHING)?;
    rig.restart_api_server(&format!(
        "--audit-policy-file={} --audit-log-maxage=7 --audit-log-maxbackup=2 --audit-log-maxsize=10 \
         --request-timeout=2h --service-account-lookup=false --disable-admission-plugins=ServiceAccount",
        policy.display()
    ))?;
    rig.restart_kubelet(&format!(
        "{drop_ins} --read-only-port=10255 --streaming-connection-idle-timeout=0 --event-qps=0"
    ))?;
    let owned =
        Command::new("chown").args(["1000:1000", &rig.path("node/kubelet.yaml")]).status()?;
    ensure!(owned.success(), "chown failed");
    set_mode(&rig, "etcd", 0o755)?;
    states(&api, &ids, &[(BROKEN, "unhealthy")]).await?;
    the_kubelet_agrees(&rig)?;

    rig.restart_api_server("")?;
    rig.restart_kubelet(&drop_ins)?;
    let owned = Command::new("chown").args(["0:0", &rig.path("node/kubelet.yaml")]).status()?;
    ensure!(owned.success(), "chown failed");
    set_mode(&rig, "etcd", 0o700)?;
    states(&api, &ids, &[(BROKEN, "healthy")]).await?;
    Ok(())
}

const DROP_IN: &str = "
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
imagePullCredentialsVerificationPolicy: NeverVerify
";

/// The key is thirty-two zeros and must never be seen on the hub.
const ENCRYPTION: &str = "
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - aescbc: {keys: [{name: rig-key, secret: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=}]}
  - identity: {}
";

const AUDIT_NOTHING: &str = "
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- level: None
  resources: [{group: '', resources: [secrets]}]
- level: Metadata
";

/// What we read of files and flags is what the kubelet itself says it runs with: `/configz`, which needs a right that no
/// component of ours holds, is the judge here.
fn the_kubelet_agrees(rig: &Rig) -> Result<()> {
    let printed = Command::new(crate::rig::seawall())
        .args(["sensor", "--print-node-facts", "--node", "node-1"])
        .output()?;
    let facts: Value = serde_json::from_slice(&printed.stdout)?;
    let told = rig.kubectl(&["get", "--raw", "/api/v1/nodes/node-1/proxy/configz"])?;
    let told: Value = serde_json::from_str(&told)?;
    let mut compared = 0;
    let mut open = vec![(String::new(), &facts["kubelet"]["config"])];
    while let Some((at, ours)) = open.pop() {
        if let Value::Object(members) = ours {
            open.extend(members.iter().map(|(key, value)| (format!("{at}/{key}"), value)));
            continue;
        }
        let theirs = told["kubeletconfig"].pointer(&at).cloned().unwrap_or_default();
        // Go leaves out what is empty, and writes durations out.
        let same = *ours == theirs
            || theirs.is_null() && (ours.as_i64() == Some(0) || ours.as_bool() == Some(false))
            || *ours == "0" && theirs == "0s";
        ensure!(same, "{at}: read {ours}, the kubelet runs with {theirs}");
        compared += 1;
    }
    ensure!(compared >= 15, "only {compared} settings compared: {facts}");
    Ok(())
}

/// Control ids by the rows of the checklist they cover.
fn ids() -> Result<BTreeMap<String, String>> {
    let texts = |entries: Vec<seawall_content::Entry>| {
        entries.into_iter().map(|entry| (entry.path, entry.text)).collect::<Vec<_>>()
    };
    let (catalogue, problems) = seawall_posture::Catalogue::load(
        texts(seawall_content::controls()),
        texts(seawall_content::frameworks()),
    );
    ensure!(problems.is_empty(), "{problems:?}");
    let covered = |control: &std::sync::Arc<seawall_posture::Control>| {
        let id = control.id.clone();
        control.covers.clone().into_iter().map(move |key| (key, id.clone()))
    };
    Ok(catalogue.controls.iter().flat_map(covered).collect())
}

/// The sensor of `up` calls its node as the machine calls itself; the rig's Node has another name, and no sensor.
fn of_this_machine() -> Result<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
    Ok(format!("kind:control resource:Node/{}", name.trim()))
}

/// Waits until every row has its state on the node. What was never out of order has no finding: `quiet`.
async fn states(
    api: &Api,
    ids: &BTreeMap<String, String>,
    expected: &[(&[&str], &str)],
) -> Result<()> {
    let mut wanted = BTreeMap::new();
    for (keys, state) in expected {
        for key in *keys {
            wanted
                .insert(ids.get(*key).with_context(|| format!("no control covers {key}"))?, *state);
        }
    }
    let missing = |items: &[Value]| -> Vec<String> {
        let state = |id: &str| {
            items.iter().find(|item| item["rule"] == id).map(|item| item["state"].to_string())
        };
        let differs = wanted.iter().filter(|(id, wanted)| match state(id.as_str()) {
            None => **wanted != "quiet",
            Some(state) => state != format!("{wanted:?}"),
        });
        differs.map(|(id, wanted)| format!("{id} should be {wanted}: {:?}", state(id))).collect()
    };
    let began = Instant::now();
    loop {
        let items = api.list("findings", &of_this_machine()?).await?;
        let missing = missing(&items);
        if missing.is_empty() {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "{missing:#?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// What the sensor told holds no token of the rig, whose kubeconfig it lists.
async fn no_secret_travelled(api: &Api) -> Result<()> {
    for finding in api.list("findings", &of_this_machine()?).await? {
        let id = finding["id"].as_str().context("id")?;
        let text = api.get(&format!("/findings/{id}")).await?.to_string();
        ensure!(!text.contains("system:masters"), "a token file travelled: {text}");
    }
    Ok(())
}

fn set_mode(rig: &Rig, name: &str, mode: u32) -> Result<()> {
    let path = rig.path(&format!("node/{name}"));
    Ok(std::fs::set_permissions(path, PermissionsExt::from_mode(mode))?)
}
