//! Documents of clouds and nodes: any JSON is taken for what its shape says or refused, and judged without a panic.
use super::posture_manifests::SELECTION;
use super::texts;
use crate::Target;
use seawall_model::facts::NodeFacts;
use seawall_posture::cloud;
use seawall_posture::manifests::Manifests;
use seawall_posture::report::{About, Cluster, Report};

pub(crate) const TARGET: Target = Target { name: "posture-facts", run, seeds, rounds: 600 };

fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let nodes: Vec<NodeFacts> = serde_json::from_str(text).into_iter().collect();
    let cloud = cloud::read(text).ok();
    let cluster = Some(Cluster { nodes, cloud, whole: true, ..Cluster::default() });
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
