//! The Helm chart: renders in every profile, passes our own scanner and the API server, and grants what is written.
use crate::rig::{self, Rig, text_of};
use crate::{begin, root};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

pub(crate) const CA: &str =
    "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// The value that lets policies read a resource of the core group.
macro_rules! reads {
    ($resource:literal) => {
        concat!("agent.policyReads[0].apiGroups[0]=,agent.policyReads[0].resources[0]=", $resource)
    };
}

/// Name and values. Between them every branch of the templates is taken, but for `sensor.privileged`.
const PROFILES: [(&str, &[&str]); 4] = [
    ("hub", &["profile=hub"]),
    (
        "hub with everything",
        &[
            "profile=hub",
            "image.digest=sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
            "image.pullSecrets={registry}",
            "hub.replicas=2",
            "hub.database.existingSecret=database",
            "hub.baseUrl=https://seawall.test",
            "hub.tls.existingSecret=tls",
            "hub.tlsNames={seawall.test}",
            "hub.firstPassword.existingSecret=first",
            "hub.persistence.enabled=false",
            "hub.feeds.volume.persistentVolumeClaim.claimName=feeds",
            "hub.service.type=NodePort",
            "hub.service.nodePort=30443",
            "hub.priorityClassName=system-cluster-critical",
            "commonLabels.team=security",
        ],
    ),
    (
        "agent",
        &[
            "hub.baseUrl=https://hub.test",
            "hub.agentsUrl=hub.test:9000",
            "agent.token.existingSecret=enrolment",
            "agent.webhook.tls.existingSecret=webhook",
            "agent.webhook.caBundle=Q0E=",
        ],
    ),
    (
        "both with everything",
        &[
            "profile=both",
            "clusterName=production",
            "rbac.enforcement=true",
            "rbac.installer=true",
            "agent.audit.enabled=true",
            "agent.audit.service.type=NodePort",
            "agent.audit.service.nodePort=30444",
            "agent.nativePolicies.enabled=true",
            reads!("configmaps"),
            "agent.webhook.failurePolicy=Fail",
            "agent.webhook.timeoutSeconds=3",
            "agent.webhook.excludedNamespaces={legacy}",
            "sensor.containerd=/run/k3s/containerd/containerd.sock",
            "networkPolicy.apiServerCidrs={198.18.0.2/32}",
        ],
    ),
];

/// The rig's Helm, if it was built; a skip is said by name.
pub(crate) fn helm(test: &str) -> Option<PathBuf> {
    let helm = rig::folder().join("helm");
    if !helm.exists() {
        eprintln!("skipped: {test}: needs helm: run `e2e/rig/build.sh helm`");
        return None;
    }
    Some(helm)
}

fn template(helm: &PathBuf, values: &[&str]) -> Result<Output> {
    // Helm's own settings of whoever runs the test are not asked.
    let home = tempfile::tempdir()?;
    let mut command = Command::new(helm);
    for folder in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(folder, home.path());
    }
    command.args(["template", "seawall", "deploy/helm/seawall", "--namespace", "seawall"]);
    command
        .args(["--set", "image.repository=registry.test/seawall", "--set"])
        .arg(format!("hub.ca={CA}"));
    for value in values {
        command.args(["--set", value]);
    }
    Ok(command.current_dir(root()).output()?)
}

fn render(helm: &PathBuf, values: &[&str]) -> Result<String> {
    text_of(template(helm, values)?, "helm template")
}

fn objects(yaml: &str) -> Result<Vec<Value>> {
    let objects: Vec<Value> =
        serde_saphyr::from_multiple(yaml).context("the rendering is no YAML")?;
    Ok(objects.into_iter().filter(|object| !object.is_null()).collect())
}

/// `KIND/NAME`.
fn name(object: &Value) -> String {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    format!("{}/{name}", object["kind"].as_str().unwrap_or_default())
}

#[test]
fn every_profile_renders_the_same_each_time() -> Result<()> {
    let Some(helm) = helm("every profile renders the same each time") else { return Ok(()) };
    for (profile, values) in PROFILES {
        let first = render(&helm, values).context(profile)?;
        ensure!(first == render(&helm, values)?, "{profile} renders differently the second time");
        for object in objects(&first)? {
            let scoped = !["ClusterRole", "ClusterRoleBinding", "ValidatingWebhookConfiguration"]
                .contains(&object["kind"].as_str().unwrap_or_default());
            let namespace = object["metadata"]["namespace"].as_str();
            assert_eq!(namespace, scoped.then_some("seawall"), "{}", name(&object));
        }
    }
    Ok(())
}

#[test]
fn our_own_scanner_finds_only_what_is_exempt() -> Result<()> {
    let Some(helm) = helm("our own scanner finds only what is exempt") else { return Ok(()) };
    let seawall = rig::seawall();
    ensure!(seawall.exists(), "{} is not built", seawall.display());
    let text = std::fs::read_to_string(root().join("deploy/helm/exemptions.yaml"))?;
    let exemptions: Vec<Value> = serde_saphyr::from_str(&text)?;
    let field = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let exempt: BTreeSet<(String, String)> = exemptions
        .iter()
        .inspect(|entry| assert!(field(entry, "reason").len() > 20, "no reason: {entry}"))
        .map(|entry| (field(entry, "control"), field(entry, "resource")))
        .collect();
    let mut found = BTreeSet::new();
    for (profile, values) in PROFILES {
        let rendered = render(&helm, values)?;
        let mut scan = Command::new(&seawall)
            .args(["scan", "manifests", "-", "--format", "json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        scan.stdin.take().context("stdin")?.write_all(rendered.as_bytes())?;
        let output = scan.wait_with_output()?;
        assert!(output.status.success(), "{profile}: everything is judged: {}", output.status);
        let report: Value = serde_json::from_slice(&output.stdout)?;
        let findings = report["findings"].as_array().context("findings")?;
        for finding in findings.iter().filter(|finding| finding["state"] != "healthy") {
            if finding["state"] == "not_applicable" {
                continue;
            }
            let resource = &finding["resource"];
            let key = (
                field(finding, "control"),
                format!("{}/{}", field(resource, "kind"), field(resource, "name")),
            );
            assert!(exempt.contains(&key), "{profile}: {key:?}: {}", finding["message"]);
            found.insert(key);
        }
    }
    assert_eq!(found, exempt, "an exemption that excuses nothing is to be removed");
    Ok(())
}

#[test]
fn wrong_values_are_refused() -> Result<()> {
    let Some(helm) = helm("wrong values are refused") else { return Ok(()) };
    let agent = "hub.baseUrl=https://hub.test";
    for (value, told) in [
        ("hub.servce.port=1", "'servce' not allowed"),
        ("agents.replicas=1", "'agents' not allowed"),
        ("profile=sensor", "/profile"),
        ("agent.webhook.failurePolicy=Never", "/agent/webhook/failurePolicy"),
        ("agent.webhook.timeoutSeconds=31", "/agent/webhook/timeoutSeconds"),
        (reads!("secrets"), "/agent/policyReads/0/resources/0"),
        (reads!("*"), "/agent/policyReads/0/resources/0"),
        (reads!("pods/exec"), "/agent/policyReads/0/resources/0"),
        ("hub.ca=sha256:12", "/hub/ca"),
        ("hub.baseUrl=http://hub.test", "/hub/baseUrl"),
        ("agent.resources.limits.memory=null", "memory"),
        ("image.repository=", "image.repository: name the repository"),
        ("hub.baseUrl=", "hub.baseUrl: name the hub"),
        ("hub.ca=", "hub.ca: give the fingerprint"),
    ] {
        let output = template(&helm, &[agent, value])?;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{value} is accepted");
        assert!(errors.contains(told), "{value}: {errors}");
    }
    for (values, told) in [
        (&["agent.webhook.tls.existingSecret=a"][..], "agent.webhook.caBundle: name the authority"),
        (&["agent.webhook.caBundle=Q0E="], "agent.webhook.caBundle: the hub signs"),
        (
            &[
                "agent.webhook.tls.existingSecret=a",
                "agent.webhook.caBundle=Q0E=",
                "agent.audit.enabled=true",
            ],
            "audit events need a certificate of the hub",
        ),
        (&["agent.webhook.failurePolicy=Fail", "agent.replicas=1"], "Fail needs agent.replicas"),
        (&["agent.nativePolicies.enabled=true"], "needs the rights of rbac.enforcement"),
    ] {
        let output = template(&helm, &[&[agent], values].concat())?;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains(told), "{values:?}: {errors}");
    }
    let output = template(&helm, &["profile=hub", "hub.replicas=2"])?;
    assert!(String::from_utf8_lossy(&output.stderr).contains("SQLite has one writer"));
    Ok(())
}

#[test]
fn the_agent_prints_the_webhook_that_the_chart_renders() -> Result<()> {
    let Some(helm) = helm("the agent prints the webhook that the chart renders") else {
        return Ok(());
    };
    let webhooks = |yaml: &str| -> Result<Value> {
        let of_kind = |object: &Value| object["kind"] == "ValidatingWebhookConfiguration";
        let found = objects(yaml)?.into_iter().find(of_kind).context("the configuration")?;
        Ok(found["webhooks"].clone())
    };
    let print = ["agent", "--print-webhook", "--webhook-service", "seawall/seawall-agent"];
    let printed = text_of(Command::new(rig::seawall()).args(print).output()?, "--print-webhook")?;
    let hub = "hub.baseUrl=https://hub.test";
    assert_eq!(webhooks(&printed)?, webhooks(&render(&helm, &[hub])?)?);
    // What is wanted of requests that nobody judges goes to the agents, which guard it.
    let fail = render(&helm, &[hub, "agent.webhook.failurePolicy=Fail"])?;
    assert_eq!(webhooks(&printed)?, webhooks(&fail)?);
    ensure!(fail.contains("--failure-policy=Fail"), "{fail}");
    Ok(())
}

/// Roles, bindings and accounts without their labels, by name.
fn rights(yaml: &str) -> Result<Vec<Value>> {
    let kinds = ["ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"];
    let mut objects = objects(yaml)?;
    objects.retain(|object| kinds.contains(&object["kind"].as_str().unwrap_or_default()));
    for object in &mut objects {
        object["metadata"].as_object_mut().context("metadata")?.remove("labels");
    }
    objects.sort_by_key(name);
    Ok(objects)
}

/// One verb on one resource.
#[derive(PartialEq, Eq)]
pub(crate) struct Right {
    pub(crate) group: String,
    pub(crate) resource: String,
    pub(crate) verb: String,
    /// Where the right is to one object alone.
    pub(crate) object: Option<String>,
}

/// What a golden role grants, such as `ClusterRole/seawall-agent`.
pub(crate) fn rights_of(role: &str) -> Result<Vec<Right>> {
    let golden = std::fs::read_to_string(root().join("deploy/helm/golden/rbac.yaml"))?;
    let role = objects(&golden)?.into_iter().find(|object| name(object) == role);
    let words = |rule: &Value, field: &str| -> Vec<String> {
        let words = rule[field].as_array().into_iter().flatten();
        words.filter_map(|word| word.as_str().map(str::to_owned)).collect()
    };
    let mut rights = Vec::new();
    for rule in role.context("the role is golden")?["rules"].as_array().context("rules")? {
        let object = words(rule, "resourceNames").pop();
        for group in words(rule, "apiGroups") {
            for resource in words(rule, "resources") {
                for verb in words(rule, "verbs") {
                    let (group, resource) = (group.clone(), resource.clone());
                    rights.push(Right { group, resource, verb, object: object.clone() });
                }
            }
        }
    }
    Ok(rights)
}

#[test]
fn granted_rights_equal_the_golden_list() -> Result<()> {
    let Some(helm) = helm("granted rights equal the golden list") else { return Ok(()) };
    let values = [
        "profile=both",
        "rbac.enforcement=true",
        "rbac.installer=true",
        "agent.nativePolicies.enabled=true",
        reads!("configmaps"),
    ];
    let granted = rights(&render(&helm, &values)?)?;
    let golden = rights(&std::fs::read_to_string(root().join("deploy/helm/golden/rbac.yaml"))?)?;
    let names = |objects: &[Value]| objects.iter().map(name).collect::<Vec<_>>();
    assert_eq!(names(&granted), names(&golden));
    for (granted, golden) in granted.iter().zip(&golden) {
        assert_eq!(granted, golden, "{}", name(granted));
    }
    for rule in
        granted.iter().flat_map(|object| object["rules"].as_array().cloned().unwrap_or_default())
    {
        let text = rule.to_string();
        for forbidden in ["*", "\"secrets\"", "nodes/proxy", "impersonate", "escalate", "\"bind\""]
        {
            assert!(!text.contains(forbidden), "{forbidden} in {text}");
        }
    }

    let default = rights(&render(&helm, &["profile=both"])?)?;
    let roles: Vec<String> = names(&default);
    assert_eq!(
        roles,
        [
            "ClusterRole/seawall-agent",
            "ClusterRoleBinding/seawall-agent",
            "ServiceAccount/seawall-agent",
            "ServiceAccount/seawall-hub",
            "ServiceAccount/seawall-sensor",
        ],
        "enforcement, installer and reads for policies are off by default"
    );
    Ok(())
}

/// The API server's own judgement: field validation and Pod Security.
#[test]
fn an_api_server_takes_every_profile() -> Result<()> {
    let test = "an API server takes every profile";
    let (Some(_turn), Some(helm)) = (begin(test), helm(test)) else { return Ok(()) };
    let rig = Rig::up()?;
    rig.kubectl(&["create", "namespace", "seawall"])?;
    let level = |mode: &str| format!("pod-security.kubernetes.io/{mode}");
    rig.kubectl(&["label", "namespace", "seawall", &format!("{}=restricted", level("warn"))])?;
    let file = tempfile::NamedTempFile::new()?;
    let apply = |values: &[&str]| -> Result<String> {
        std::fs::write(file.path(), render(&helm, values)?)?;
        let path = file.path().display().to_string();
        let output =
            rig.kubectl_output(&["apply", "--dry-run=server", "--validate=strict", "-f", &path])?;
        let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{values:?}: {warnings}");
        Ok(warnings)
    };
    for (profile, values) in PROFILES {
        let values = [values, &["sensor.enabled=false"]].concat();
        assert_eq!(apply(&values)?, "", "{profile} is within Pod Security `restricted`");
    }
    let sensor = [
        "profile=both",
        "hub.enabled=false",
        "agent.enabled=false",
        "hub.baseUrl=https://hub.test",
    ];
    for privileged in ["sensor.privileged=false", "sensor.privileged=true"] {
        let warnings = apply(&[&sensor[..], &[privileged]].concat())?;
        assert!(warnings.contains("would violate PodSecurity"), "{warnings}");
    }
    Ok(())
}
