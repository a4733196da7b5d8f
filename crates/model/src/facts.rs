//! What a node's sensor reads of its host: modes and owners of fixed files, arguments and effective settings of
//! Kubernetes' own programs. Controls with `match: node` and `match: control-plane` see these documents as `object`.
//!
//! The document as JSON, which `seawall sensor --print-node-facts` prints and `scan cluster --node-facts` reads:
//!
//! ```text
//! {"node": "cp-1", "provider": "eks", "os": {…}, "kernel": "6.1.0-40-amd64", "runtime": {…}, "auditd": true,
//!  "kubelet": {"version": …, "flags": {"config": "/var/lib/kubelet/config.yaml"}, "config": {…effective…}},
//!  "kubeProxy": {"flags": {…}, "config": {…effective…}},
//!  "files": {"kubeletConfig": [{"path": …, "mode": "0600", "uid": 0, "gid": 0, "owner": "root:root"}]},
//!  "controlPlane": {"node": "cp-1", "origin": "sensor", "apiServer": {"flags": {…}, "encryption": {…}, …}, …},
//!  "problems": []}
//! ```
//!
//! Unlike other public JSON, a member that was not collected is absent, not null: CEL's `has()` asks for it. Of flags
//! every name is kept, but values only where they are known to hold no secret; contents of files are reduced to the
//! shapes below before they leave the node.
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Bytes of one document; a control-plane node's is about 20 KB.
pub const MAX_FACTS_BYTES: usize = 256 * 1024;

/// A flag's value that does not leave the node.
pub const MASKED: &str = "(masked)";

/// Flags by name without dashes. A flag that is given without a value is `true`; lists that are given several times
/// are joined by commas, of other flags the last one counts.
pub type Flags = BTreeMap<String, String>;

/// One node, as its sensor sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeFacts {
    pub node: String,
    /// `aks`, `eks` or `gke`, whose control plane is the provider's; absent elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<OsFacts>,
    /// Release of the running kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<RuntimeFacts>,
    /// Whether an audit daemon runs on the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auditd: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubelet: Option<Component>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kube_proxy: Option<Component>,
    /// What exists of each group of files that benchmarks name; a group that could not be looked at is absent.
    #[serde(default)]
    pub files: BTreeMap<String, Vec<FileFacts>>,
    /// Absent where none of its programs runs here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_plane: Option<ControlPlaneFacts>,
    #[serde(default)]
    pub problems: Vec<Problem>,
}

/// The programs of the control plane that run on one node, or the provider that runs them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlPlaneFacts {
    /// Absent where the control plane runs on no node of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// `sensor` or `mirror-pod`; the latter shows flags, not the files they name.
    #[serde(default)]
    pub origin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_server: Option<Component>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller_manager: Option<Component>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<Component>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etcd: Option<Component>,
}

/// One of Kubernetes' programs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// `v1.36.3`, where the program tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default)]
    pub flags: Flags,
    /// The effective configuration of a kubelet or kube-proxy: flags over drop-ins over file over defaults, the fields
    /// that benchmarks ask for. Absent where the file could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Map<String, Value>>,
    /// Of the API server: what `--encryption-provider-config` orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// Of the API server: what `--audit-policy-file` logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit_policy: Option<AuditPolicy>,
    /// Of the API server: what `--authentication-config` says of anonymous requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous: Option<Anonymous>,
    /// Of the API server: the types of `--authorization-config`'s authorizers, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizers: Option<Vec<String>>,
}

/// An `EncryptionConfiguration` without its keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Encryption {
    pub resources: Vec<EncryptedResources>,
    /// What new Secrets are written with: the first provider of the first entry that covers them. `none` without one.
    pub secrets_provider: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptedResources {
    pub resources: Vec<String>,
    /// `aescbc`, `aesgcm`, `identity`, `kms`, `secretbox` in the order written.
    pub providers: Vec<String>,
}

/// An audit `Policy` by what it makes of the requests that benchmarks ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditPolicy {
    pub rules: u64,
    /// Level by resource, such as `pods/exec: Metadata`; rules that hold for some users or namespaces alone do not
    /// count. Levels are `None`, `Metadata`, `Request`, `RequestResponse`.
    pub levels: BTreeMap<String, String>,
}

/// The `anonymous` section of an `AuthenticationConfiguration`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anonymous {
    pub enabled: bool,
    /// Paths that alone may be asked for; empty for all.
    pub paths: Vec<String>,
}

/// A file or directory that exists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// As the host sees it, links resolved by the kernel alone.
    pub path: String,
    /// Four octal digits: special bits, owner, group, others. Compared digit by digit, never as a number.
    pub mode: String,
    pub uid: u32,
    pub gid: u32,
    /// `user:group` by the host's own passwd and group files; numbers where they name none.
    pub owner: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OsFacts {
    /// `ID` of os-release(5).
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `VARIANT_ID` of os-release(5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeFacts {
    /// `containerd`, `cri-o`, …
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl NodeFacts {
    /// The document that controls see.
    pub fn document(&self) -> Value {
        serde_json::to_value(self).expect("facts are maps, lists and texts")
    }
}

impl ControlPlaneFacts {
    /// The document that controls see.
    pub fn document(&self) -> Value {
        serde_json::to_value(self).expect("facts are maps, lists and texts")
    }
}

#[test]
fn what_was_not_collected_is_absent() {
    let facts = NodeFacts { node: "n".to_owned(), ..NodeFacts::default() };
    let document = facts.document();
    assert_eq!(document, serde_json::json!({"files": {}, "node": "n", "problems": []}));
    assert_eq!(serde_json::from_value::<NodeFacts>(document).unwrap(), facts);
}
