//! Documents of clouds and nodes: any JSON is taken for what its shape says or refused, and judged without a panic.
use super::posture_manifests::SELECTION;
use super::texts;
use crate::Target;
use seawall_posture::manifests::Manifests;
use seawall_posture::report::{About, Cluster, FactsDocument, Report};

pub(crate) const TARGET: Target = Target { name: "posture-facts", run, seeds, rounds: 600 };

fn run(bytes: &[u8]) {
    let Ok(document) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let mut facts: Vec<FactsDocument> =
        FactsDocument::of_cloud(document.clone()).into_iter().collect();
    facts.extend(FactsDocument::of_node(document).into_iter().flatten());
    let cluster = Some(Cluster::new(facts, Vec::new(), true));
    let report =
        Report::new(&Manifests::default(), &SELECTION, &About { cluster, ..About::default() });
    let decided = report.coverage.is_none_or(|part| (0.0..=1.0).contains(&part));
    assert!(decided, "{:?}", report.coverage);
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"{"name": "a", "type": "Microsoft.ContainerService/ManagedClusters", "agentPoolProfiles": [{"name": "n", "enableNodePublicIp": false}], "apiServerAccessProfile": {"enablePrivateCluster": true}}"#,
        r#"{"cluster": {"name": "a", "arn": "arn:aws:eks:eu-1:1:cluster/a", "resourcesVpcConfig": {"endpointPublicAccess": true}, "logging": {"clusterLogging": []}}}"#,
        r#"{"name": "a", "selfLink": "https://container.googleapis.com/v1/x", "nodePools": [{"config": {"imageType": "COS_CONTAINERD"}}]}"#,
        r#"{"node": "n1", "files": {"kubeletConfig": [{"path": "/a", "mode": "0600", "uid": 0, "gid": 0, "owner": "root:root"}]}, "kubelet": {"flags": {"config": "/a"}, "config": {"readOnlyPort": 0}}, "controlPlane": {"origin": "sensor", "apiServer": {"flags": {"anonymous-auth": "false"}}}}"#,
    ])
}
