//! What an application can set.
use std::path::{Path, PathBuf};

/// Settings of one sensor.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of this node in alerts and inventory.
    pub node: String,
    /// Display name or UID of the cluster or machine the alerts belong to.
    pub cluster: String,
    /// Sockets of containerd or any CRI runtime, asked in order which it is; those that do not exist are skipped.
    pub runtimes: Vec<PathBuf>,
    /// Where the host's root file system is seen from here; `/` outside containers.
    pub root: PathBuf,
    pub watch: Watch,
    /// Data records (opens, connects) per container and second, so that one container cannot starve others.
    pub budget: u32,
}

impl Config {
    /// Defaults for `node` in `cluster`, whose root file system is seen at `root`.
    pub fn new(node: impl Into<String>, cluster: impl Into<String>, root: &Path) -> Self {
        let below = |socket: &&str| root.join(socket.trim_start_matches('/'));
        Self {
            node: node.into(),
            cluster: cluster.into(),
            runtimes: RUNTIME_SOCKETS.iter().map(below).collect(),
            root: root.to_owned(),
            watch: Watch::default(),
            budget: 20_000,
        }
    }
}

/// Where distributions put containerd's socket, and CRI-O's.
pub const RUNTIME_SOCKETS: [&str; 6] = [
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
    "/run/docker/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/var/run/crio/crio.sock",
];

/// Which files' reads are reported. Writes always are; all reads would be the busiest event of a node.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Path prefixes as the process sees them, at most 1,024.
    pub prefixes: Vec<String>,
    /// Names of a file or of its next three folders, at most 1,024 of up to 31 bytes.
    pub names: Vec<String>,
}

impl Default for Watch {
    /// Where credentials lie.
    fn default() -> Self {
        let owned = |list: &[&str]| list.iter().copied().map(str::to_owned).collect();
        Self { prefixes: owned(&PREFIXES), names: owned(&NAMES) }
    }
}

const PREFIXES: [&str; 18] = [
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/pam.",
    "/etc/security/opasswd",
    "/etc/krb5",
    "/etc/ssl/private/",
    "/etc/ssh/ssh_host_",
    "/etc/kubernetes/",
    "/etc/rancher/",
    "/var/lib/kubelet/pki/",
    "/var/lib/kubelet/config.json",
    "/var/lib/etcd/",
    "/var/lib/rancher/",
    "/run/secrets/",
    "/var/run/secrets/",
    "/etc/azure/",
    "/root/.",
];

const NAMES: [&str; 39] = [
    ".ssh",
    ".aws",
    ".azure",
    ".gnupg",
    ".kube",
    ".docker",
    ".config",
    ".password-store",
    ".git-credentials",
    ".gitconfig",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".vault-token",
    ".bash_history",
    ".env",
    // Also below a host's root that is mounted somewhere.
    "shadow",
    "shadow-",
    "gshadow",
    "gshadow-",
    "master.passwd",
    "kubernetes",
    "kubelet",
    // Below a mounted host the volume's own folders are out of sight: each is a file system.
    "token",
    "ssh_host_rsa_key",
    "ssh_host_ecdsa_key",
    "ssh_host_ed25519_key",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "credentials",
    "kubeconfig",
    "environ",
    "azure.json",
    "serviceaccount",
    "kubernetes.io",
];
