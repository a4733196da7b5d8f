//! Descriptions of managed clusters, as the providers' own tools print them: whose it is, and the document that
//! controls with `match: aks`, `eks` or `gke` see.
//!
//! ```text
//! az aks show, aws eks describe-cluster, gcloud container clusters describe ─shape─► provider, document ─► findings
//! ```
//!
//! Nulls are removed, for tools print them for what is not set. Azure's names are brought to the spelling of its REST
//! reference: `az` prints those of its Python library (`authorizedIpRanges`), others the reference's.
use crate::Selection;
use crate::control::Facts;
use crate::facts::read_config;
use seawall_model::finding::{ControlFinding, Resource};
use serde_json::{Map, Value};

/// One managed cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    pub provider: Facts,
    /// The cluster's name there.
    pub name: String,
    pub document: Value,
}

/// Why a file describes no managed cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACluster {
    #[error("the file cannot be read as JSON or YAML: {0}")]
    Unreadable(String),
    #[error("the file lists {0} clusters; give one cluster's description in each file")]
    List(usize),
    #[error(
        "the file is no description of a managed cluster: expected the output of `az aks show`, \
         `aws eks describe-cluster` or `gcloud container clusters describe`"
    )]
    Unknown,
}

/// Names of Azure's REST reference that its command line spells otherwise.
/// Source: learn.microsoft.com/rest/api/aks/managed-clusters/get, ManagedCluster; azure-mgmt-containerservice models.
const AZURE_NAMES: &[&str] = &[
    "adminGroupObjectIDs",
    "authorizedIPRanges",
    "blobCSIDriver",
    "clientAppID",
    "diskCSIDriver",
    "diskEncryptionSetID",
    "enableAzureRBAC",
    "enableFIPS",
    "enableNodePublicIP",
    "enableRBAC",
    "fileCSIDriver",
    "nodeOSUpgradeChannel",
    "nodePublicIPPrefixID",
    "osSKU",
    "privateDNSZone",
    "privateFQDN",
    "serverAppID",
    "tenantID",
];

/// Reads one provider's description of a cluster, JSON or YAML.
pub fn read(text: &str) -> Result<Description, NotACluster> {
    let mut document = read_config(text).map_err(NotACluster::Unreadable)?;
    if let Value::Array(clusters) = &document {
        return Err(NotACluster::List(clusters.len()));
    }
    if let Some(cluster) = document.get_mut("cluster").filter(|cluster| cluster.is_object()) {
        document = cluster.take();
    }
    let document = without_nulls(document);
    let (provider, document) = match provider(&document).ok_or(NotACluster::Unknown)? {
        Facts::Aks => (Facts::Aks, respelled(flattened(document))),
        other => (other, document),
    };
    let name = document.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Description { provider, name, document })
}

/// By what only that provider's descriptions hold: type or id of Azure, ARN of AWS, link of Google.
fn provider(document: &Value) -> Option<Facts> {
    let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
    let holds = |keys: &[&str]| keys.iter().all(|key| document.get(*key).is_some());
    let of_azure =
        |text: &str| text.to_lowercase().contains("microsoft.containerservice/managedclusters");
    if of_azure(text("type")) || of_azure(text("id")) {
        return Some(Facts::Aks);
    }
    let arn: Vec<&str> = text("arn").split(':').collect();
    if arn.len() == 6 && arn[0] == "arn" && arn[2] == "eks" && arn[5].starts_with("cluster/") {
        return Some(Facts::Eks);
    }
    let linked = text("selfLink").contains("container.googleapis.com/");
    (linked || holds(&["currentMasterVersion", "nodePools"])).then_some(Facts::Gke)
}

/// One finding per selected control on clusters of that provider.
pub fn judge(selection: &Selection, cluster: &Description) -> Vec<ControlFinding> {
    let (api_version, kind) = match cluster.provider {
        Facts::Aks => ("containerservice.azure.com", "ManagedCluster"),
        Facts::Eks => ("eks.amazonaws.com", "Cluster"),
        _ => ("container.googleapis.com", "Cluster"),
    };
    let id = ["id", "arn", "selfLink"].iter().find_map(|key| cluster.document.get(*key)?.as_str());
    let resource = Resource {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: None,
        name: cluster.name.clone(),
        uid: id.map(str::to_owned),
    };
    selection.evaluate_facts(cluster.provider, &cluster.document, &resource, &[])
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

/// REST answers keep everything under `properties`, of the cluster and of each pool; `az` does not.
fn flattened(document: Value) -> Value {
    let Value::Object(mut members) = document else { return document };
    if let Some(Value::Object(properties)) = members.remove("properties") {
        for (key, value) in properties {
            members.entry(key).or_insert(value);
        }
    }
    Value::Object(members)
}

fn respelled(value: Value) -> Value {
    let name = |key: String| {
        let known = AZURE_NAMES.iter().find(|known| known.eq_ignore_ascii_case(&key));
        known.map_or(key, |known| (*known).to_owned())
    };
    match value {
        Value::Object(members) => {
            let renamed = members.into_iter().map(|(key, value)| (name(key), respelled(value)));
            Value::Object(renamed.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(respelled).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(document: Value, expected: Option<(Facts, &str)>) {
        let read = read(&document.to_string()).ok();
        let found = read.as_ref().map(|cluster| (cluster.provider, cluster.name.as_str()));
        assert_eq!(found, expected, "{document}");
    }

    #[test]
    fn providers_by_shape() {
        let id = "/subscriptions/s/resourcegroups/g/providers/Microsoft.ContainerService/managedClusters/shop";
        check(json!({"id": id, "name": "shop", "aadProfile": null}), Some((Facts::Aks, "shop")));
        let arn = "arn:aws:eks:eu-west-1:111122223333:cluster/shop";
        check(json!({"cluster": {"arn": arn, "name": "shop"}}), Some((Facts::Eks, "shop")));
        check(json!({"arn": arn, "name": "shop"}), Some((Facts::Eks, "shop")));
        check(json!({"arn": "arn:aws:ecs:eu-west-1:1:cluster/shop", "name": "shop"}), None);
        let link = "https://container.googleapis.com/v1/projects/p/zones/z/clusters/shop";
        check(json!({"selfLink": link, "name": "shop"}), Some((Facts::Gke, "shop")));
        check(json!({"kind": "Pod"}), None);
        assert_eq!(read("[{}, {}]"), Err(NotACluster::List(2)));
        assert!(matches!(read("{"), Err(NotACluster::Unreadable(_))));
        let yaml =
            format!("name: shop\nselfLink: {link}\nmasterAuth:\n  clientCertificate: null\n");
        assert_eq!(read(&yaml).unwrap().document["masterAuth"], json!({}));
    }

    #[test]
    fn azures_spellings_meet() {
        let kind = "Microsoft.ContainerService/ManagedClusters";
        let shown = json!({"type": kind, "name": "a", "enableRbac": true, "diskEncryptionSetId": null,
            "apiServerAccessProfile": {"authorizedIpRanges": ["192.0.2.0/24"]},
            "agentPoolProfiles": [{"enableNodePublicIp": true}]});
        let rest = json!({"type": kind, "name": "a", "properties": {"enableRBAC": true,
            "apiServerAccessProfile": {"authorizedIPRanges": ["192.0.2.0/24"]},
            "agentPoolProfiles": [{"enableNodePublicIP": true}]}});
        let document = |value: Value| read(&value.to_string()).unwrap().document;
        assert_eq!(document(shown), document(rest));
    }
}
