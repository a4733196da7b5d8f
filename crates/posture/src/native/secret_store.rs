//! No store of secrets outside the cluster's own is in use.
use super::{Native, Subjects, cluster, inputs};
use crate::evaluate::Judgement;
use crate::exposure::{list, text};
use crate::world::{Subject, World};
use serde_json::{Map, Value};

/// Objects that bring secrets from elsewhere, or keep them sealed.
const KINDS: [(&str, &str); 6] = [
    ("secrets-store.csi.x-k8s.io", "SecretProviderClass"),
    ("external-secrets.io", "ExternalSecret"),
    ("external-secrets.io", "ClusterExternalSecret"),
    ("bitnami.com", "SealedSecret"),
    ("secrets.hashicorp.com", "VaultStaticSecret"),
    ("secrets.hashicorp.com", "VaultDynamicSecret"),
];

pub(super) static NATIVE: Native = Native {
    name: "secret-store",
    subjects: Subjects::Listed(cluster),
    inputs: &inputs::SECRETS,
    judge,
};

fn judge(_subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let objects = KINDS.iter().any(|(group, kind)| world.of_kind(group, kind).next().is_some());
    let mut workloads = world.network().workloads();
    let mut used = || {
        workloads.any(|workload| {
            let mounts = |volume: &Value| text(volume, "/csi/driver") == inputs::SECRETS_DRIVER;
            let kind = crate::workload::kind(workload.object.api_version(), workload.object.kind());
            let meta = kind.and_then(|kind| workload.object.value().pointer(kind.pod_meta));
            let annotations = meta.and_then(|meta| meta.get("annotations"));
            let injected = annotations
                .and_then(|annotations| annotations.get(inputs::SECRETS_INJECTED))
                .is_some_and(|value| value == "true");
            injected || list(workload.pod_spec, "/volumes").any(mounts)
        })
    };
    if objects || used() {
        return Judgement::healthy();
    }
    Judgement::unhealthy("no workload gets its secrets from an external store", Vec::new())
}
