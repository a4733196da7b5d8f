//! What an operator puts into the API server, as files: our entry for admission, and what its audit webhook needs.
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use anyhow::{Context, anyhow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use seawall_uplink::Identity;
use seawall_wire::v1::SignPurpose;
use std::path::Path;

/// For clusters that are not installed by the chart; the agent adds the CA.
pub(super) fn webhook(service: &str, configuration: &str) -> Outcome {
    let (namespace, name) = service.split_once('/').unwrap_or(("seawall", service));
    output::print(
        &WEBHOOK
            .replace("NAMESPACE", namespace)
            .replace("SERVICE", name)
            .replace("CONFIGURATION", configuration),
    )?;
    Ok(Exit::Pass)
}

/// What the detections on audit events need, and nothing that would carry a Secret's value.
pub(super) fn audit_policy() -> Outcome {
    output::print(AUDIT_POLICY)?;
    Ok(Exit::Pass)
}

/// Where kubeadm's static pod of the API server finds both files.
pub(super) fn kubeadm_patch() -> Outcome {
    output::print(KUBEADM_PATCH)?;
    Ok(Exit::Pass)
}

/// A kubeconfig with a client certificate for this cluster's API server, signed by the hub; it holds a key.
pub(super) async fn audit_kubeconfig(
    state_dir: &Path,
    hub_agents: Option<&str>,
    server: &str,
    service: &str,
) -> Outcome {
    let identity = Identity::load(state_dir).map_err(Failure::could_not_run)?;
    let mut identity = identity.ok_or_else(|| {
        Failure::could_not_run(anyhow!(
            "no agent has enrolled with its state in {}",
            state_dir.display()
        ))
        .with_help("run this where the agent runs, with its --state-dir")
    })?;
    if let Some(address) = hub_agents {
        identity.hub = address.to_owned();
    }
    let signed = seawall_uplink::sign(&identity, SignPurpose::Audit, &[])
        .await
        .map_err(Failure::could_not_run)?;
    let names = seawall_agent::webhook::service_names(service);
    let name =
        names.and_then(|names| names.into_iter().next()).context("the service has no name")?;
    let encode = |pem: &str| STANDARD.encode(pem);
    let text = AUDIT_KUBECONFIG
        .replace("SERVER", server)
        .replace("TLS_NAME", &name)
        .replace("CA_DATA", &encode(&signed.ca_pem))
        .replace("CERTIFICATE_DATA", &encode(&signed.certificate_pem))
        .replace("KEY_DATA", &encode(&signed.key_pem));
    output::print(&text)?;
    Ok(Exit::Pass)
}

const AUDIT_KUBECONFIG: &str = "\
# For kube-apiserver --audit-webhook-config-file. It holds a private key: readable by the API server alone.
apiVersion: v1
kind: Config
current-context: seawall
clusters:
  - name: seawall
    cluster:
      server: SERVER/audit
      tls-server-name: TLS_NAME
      certificate-authority-data: CA_DATA
users:
  - name: kube-apiserver
    user:
      client-certificate-data: CERTIFICATE_DATA
      client-key-data: KEY_DATA
contexts:
  - name: seawall
    context: {cluster: seawall, user: kube-apiserver}
";

/// Source of the form: Kubernetes, "Auditing", `audit.k8s.io/v1`. The first rule that fits counts.
const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  # Reads and renewals of the control plane are most of the traffic and none of the attacks.
  - level: None
    users: [system:kube-proxy, system:apiserver, system:kube-scheduler, system:kube-controller-manager]
    verbs: [get, list, watch]
  - level: None
    userGroups: [system:nodes]
    verbs: [get, list, watch]
  - level: None
    resources:
      - {group: coordination.k8s.io, resources: [leases]}
      - {group: '', resources: [events, endpoints]}
      - {group: events.k8s.io, resources: [events]}
      - {group: discovery.k8s.io, resources: [endpointslices]}
  - level: None
    nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', /version, '/openapi*']
  # Who touches them counts; their values never leave the API server.
  - level: Metadata
    resources:
      - {group: '', resources: [secrets, configmaps, serviceaccounts/token]}
      - {group: authentication.k8s.io, resources: [tokenreviews]}
  - level: Request
    resources:
      - {group: '', resources: [pods/exec, pods/attach, pods/portforward, pods/ephemeralcontainers]}
  - level: RequestResponse
    verbs: [create, update, patch]
    resources:
      - {group: '', resources: [pods, services, namespaces, nodes, serviceaccounts, replicationcontrollers]}
      - {group: apps}
      - {group: batch}
      - {group: rbac.authorization.k8s.io}
      - {group: networking.k8s.io}
      - {group: admissionregistration.k8s.io}
      - {group: certificates.k8s.io}
  - level: Metadata
";

/// Source of the form: kubeadm, `kubeadm.k8s.io/v1beta4`, ClusterConfiguration.
const KUBEADM_PATCH: &str = "\
# Merge into kubeadm's ClusterConfiguration, put both files below /etc/kubernetes/seawall on every control-plane node,
# then `kubeadm init phase control-plane apiserver --config FILE` renews the API server's static pod.
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
apiServer:
  extraArgs:
    - {name: audit-policy-file, value: /etc/kubernetes/seawall/audit-policy.yaml}
    - {name: audit-webhook-config-file, value: /etc/kubernetes/seawall/audit-kubeconfig.yaml}
    - {name: audit-webhook-batch-max-wait, value: 5s}
  extraVolumes:
    - name: seawall-audit
      hostPath: /etc/kubernetes/seawall
      mountPath: /etc/kubernetes/seawall
      readOnly: true
      pathType: Directory
";

/// As the chart renders it.
const WEBHOOK: &str = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: CONFIGURATION
webhooks:
  - name: workloads.seawall.internal
    admissionReviewVersions: [v1]
    clientConfig:
      service: {name: SERVICE, namespace: NAMESPACE, path: /admit, port: 443}
    failurePolicy: Ignore
    timeoutSeconds: 5
    sideEffects: NoneOnDryRun
    matchPolicy: Equivalent
    namespaceSelector:
      matchExpressions:
        - key: kubernetes.io/metadata.name
          operator: NotIn
          values: [kube-system, kube-public, kube-node-lease, NAMESPACE]
    matchConditions:
      - name: not-a-node
        expression: '!(\"system:nodes\" in request.userInfo.groups)'
    rules:
      - apiGroups: ['']
        apiVersions: [v1]
        operations: [CREATE, UPDATE]
        resources: [pods, pods/ephemeralcontainers, replicationcontrollers]
        scope: Namespaced
      - apiGroups: [apps]
        apiVersions: [v1]
        operations: [CREATE, UPDATE]
        resources: [deployments, statefulsets, daemonsets, replicasets]
        scope: Namespaced
      - apiGroups: [batch]
        apiVersions: [v1]
        operations: [CREATE, UPDATE]
        resources: [jobs, cronjobs]
        scope: Namespaced
";
