//! Pods that differ from harmless ones in one field, or in several at random: every field the standards look at.
use serde_json::{Value, json};

/// One pod and what was done to it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) pod: Value,
}

/// A change: where from the pod's root, and what stands there then; null removes.
#[derive(Clone, Debug)]
struct Change {
    pointer: String,
    value: Value,
}

const AWAY: Value = Value::Null;

/// As little as a pod may have.
fn minimal() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "case"},
        "spec": {
            "initContainers": [container("setup"), container("sidecar")],
            "containers": [container("main"), container("second")],
        },
    })
}

fn container(name: &str) -> Value {
    let mut container = json!({"name": name, "image": "registry.example/app:1"});
    if name == "sidecar" {
        container["restartPolicy"] = json!("Always");
    }
    container
}

/// What every version of restricted takes.
pub(crate) fn restricted() -> Value {
    let mut pod = minimal();
    pod["spec"]["securityContext"] =
        json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
    for pointer in CONTAINERS {
        set(
            &mut pod,
            &format!("{pointer}/securityContext"),
            json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}),
        );
    }
    pod
}

/// As restricted as a pod can be that may raise its privileges: what the API server refuses beside
/// `allowPrivilegeEscalation: false` is judged on it.
fn escalating() -> Value {
    let mut pod = restricted();
    for pointer in CONTAINERS {
        set(&mut pod, &format!("{pointer}/securityContext/allowPrivilegeEscalation"), AWAY);
    }
    pod
}

/// A Windows pod may have no field of Linux.
fn windows() -> Value {
    let mut pod = minimal();
    pod["spec"]["os"] = json!({"name": "windows"});
    pod["spec"]["securityContext"] = json!({"runAsNonRoot": true});
    pod
}

/// A pod in a user namespace, with root inside.
fn user_namespace() -> Value {
    let mut pod = restricted();
    pod["spec"]["hostUsers"] = json!(false);
    set(&mut pod, "/spec/securityContext/runAsNonRoot", AWAY);
    pod
}

/// A pod that the node runs as its own processes.
fn host_process() -> Value {
    let mut pod = windows();
    pod["spec"]["hostNetwork"] = json!(true);
    pod["spec"]["securityContext"]["windowsOptions"] =
        json!({"hostProcess": true, "runAsUserName": "NT AUTHORITY\\SYSTEM"});
    pod
}

const CONTAINERS: [&str; 4] = [
    "/spec/containers/0",
    "/spec/containers/1",
    "/spec/initContainers/0",
    "/spec/initContainers/1",
];

/// Values of fields that a container's security context has.
fn security() -> Vec<(&'static str, Vec<Value>)> {
    let capability = |name: &&str| json!([name]);
    let names = [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
        "NET_RAW",
        "NET_ADMIN",
        "SYS_ADMIN",
        "SYS_PTRACE",
        "SYS_MODULE",
        "AUDIT_CONTROL",
        "BPF",
        "ALL",
        "all",
        "CAP_CHOWN",
        "chown",
        "NET_BIND_SERVIC",
    ];
    let mut add: Vec<Value> = names.iter().map(capability).collect();
    add.extend([json!([]), json!(["CHOWN", "SYS_TIME"]), json!(["CHOWN", "KILL"]), AWAY]);
    let drop = [
        json!(["ALL"]),
        json!(["all"]),
        json!([]),
        json!(["NET_RAW"]),
        json!(["CHOWN", "ALL"]),
        json!(["CAP_ALL"]),
        AWAY,
    ];
    vec![
        ("privileged", vec![json!(true), json!(false), AWAY]),
        ("allowPrivilegeEscalation", vec![json!(true), json!(false), AWAY]),
        ("capabilities/add", add),
        ("capabilities/drop", drop.to_vec()),
        ("procMount", vec![json!("Default"), json!("Unmasked"), AWAY]),
        ("readOnlyRootFilesystem", vec![json!(true), json!(false)]),
        ("runAsGroup", vec![json!(0), json!(1000)]),
    ]
}

/// Values of fields that pods and containers both have.
fn shared_security() -> Vec<(&'static str, Vec<Value>)> {
    let selinux = [
        json!({}),
        json!({"level": "s0:c1,c2"}),
        json!({"type": ""}),
        json!({"type": "container_t"}),
        json!({"type": "container_init_t"}),
        json!({"type": "container_kvm_t"}),
        json!({"type": "container_engine_t"}),
        json!({"type": "spc_t"}),
        json!({"type": "Container_t"}),
        json!({"user": "system_u"}),
        json!({"role": "sysadm_r"}),
        json!({"user": "", "role": "", "type": ""}),
        json!({"type": "container_t", "user": "u"}),
        AWAY,
    ];
    let profile = |kind: &str| json!({"type": kind});
    let local = |path: &str| json!({"type": "Localhost", "localhostProfile": path});
    vec![
        ("runAsNonRoot", vec![json!(true), json!(false), AWAY]),
        ("runAsUser", vec![json!(0), json!(1), json!(1000), AWAY]),
        (
            "seccompProfile",
            vec![profile("RuntimeDefault"), profile("Unconfined"), local("a/b.json"), AWAY],
        ),
        (
            "appArmorProfile",
            vec![profile("RuntimeDefault"), profile("Unconfined"), local("k8s-app"), AWAY],
        ),
        ("seLinuxOptions", selinux.to_vec()),
        (
            "windowsOptions",
            vec![
                json!({}),
                json!({"hostProcess": false}),
                json!({"hostProcess": true}),
                json!({"runAsUserName": "ContainerUser"}),
                AWAY,
            ],
        ),
    ]
}

/// Values of fields beside a container's security context.
fn beside() -> Vec<(String, Vec<Value>)> {
    let mut fields = vec![(
        "ports".to_owned(),
        vec![
            json!([{"containerPort": 80}]),
            json!([{"containerPort": 80, "hostPort": 0}]),
            json!([{"containerPort": 80, "hostPort": 8080}]),
            json!([{"containerPort": 80}, {"containerPort": 81, "hostPort": 81, "protocol": "UDP"}]),
        ],
    )];
    let handlers = [
        json!({"httpGet": {"port": 80}}),
        json!({"httpGet": {"port": 80, "host": ""}}),
        json!({"httpGet": {"port": 80, "host": "127.0.0.1"}}),
        json!({"tcpSocket": {"port": 80}}),
        json!({"tcpSocket": {"port": 80, "host": "example.test"}}),
        json!({"exec": {"command": ["true"]}}),
    ];
    for at in [
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "lifecycle/postStart",
        "lifecycle/preStop",
    ] {
        fields.push((at.to_owned(), handlers.to_vec()));
    }
    fields
}

/// One volume of every type that the API has or had.
fn volumes() -> Vec<Value> {
    let secret = json!({"name": "s"});
    let sources = [
        json!({"configMap": {"name": "a"}}),
        json!({"secret": {"secretName": "a"}}),
        json!({"emptyDir": {}}),
        json!({"downwardAPI": {"items": []}}),
        json!({"projected": {"sources": []}}),
        json!({}),
        json!({"persistentVolumeClaim": {"claimName": "a"}}),
        json!({"csi": {"driver": "csi.example.test"}}),
        json!({"ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}}),
        json!({"image": {"reference": "registry.example/data:1"}}),
        json!({"hostPath": {"path": "/"}}),
        json!({"hostPath": {"path": "/var/log/app", "type": "DirectoryOrCreate"}}),
        json!({"gcePersistentDisk": {"pdName": "a"}}),
        json!({"awsElasticBlockStore": {"volumeID": "a"}}),
        json!({"gitRepo": {"repository": "https://git.example.test/a"}}),
        json!({"nfs": {"server": "a", "path": "/"}}),
        json!({"iscsi": {"targetPortal": "a", "iqn": "iqn.2000-01.test.example:a", "lun": 0}}),
        json!({"glusterfs": {"endpoints": "a", "path": "b"}}),
        json!({"rbd": {"monitors": ["a"], "image": "b"}}),
        json!({"flexVolume": {"driver": "example.test/a"}}),
        json!({"cinder": {"volumeID": "a"}}),
        json!({"cephfs": {"monitors": ["a"]}}),
        json!({"flocker": {"datasetName": "a"}}),
        json!({"fc": {"targetWWNs": ["a"], "lun": 0}}),
        json!({"azureFile": {"secretName": "a", "shareName": "b"}}),
        json!({"azureDisk": {"diskName": "a", "diskURI": "https://blob.example.test/a"}}),
        json!({"vsphereVolume": {"volumePath": "a"}}),
        json!({"quobyte": {"registry": "a:1", "volume": "b"}}),
        json!({"portworxVolume": {"volumeID": "a"}}),
        json!({"photonPersistentDisk": {"pdID": "a"}}),
        json!({"scaleIO": {"gateway": "a", "system": "b", "volumeName": "c", "secretRef": secret}}),
        json!({"storageos": {"volumeName": "a"}}),
    ];
    let named = |source: &Value| {
        let mut volume = source.clone();
        volume["name"] = json!("v");
        volume
    };
    sources.iter().map(named).collect()
}

/// Values of the pod's own fields.
fn pod_fields() -> Vec<(String, Vec<Value>)> {
    let switch = || vec![json!(true), json!(false), AWAY];
    let sysctl = |name: &str, value: &str| json!([{"name": name, "value": value}]);
    let sysctls = [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
        "net.ipv4.tcp_notsent_lowat",
        "net.ipv4.tcp_slow_start_after_idle",
        "kernel.msgmax",
        "net.core.somaxconn",
        "net/ipv4/tcp_syncookies",
    ];
    let mut sysctls: Vec<Value> = sysctls.iter().map(|name| sysctl(name, "1")).collect();
    sysctls.extend([json!([]), json!([{"name": "net.ipv4.tcp_syncookies", "value": "1"}, {"name": "net.ipv4.tcp_mem", "value": "1"}])]);
    let mut fields = vec![
        ("/spec/hostPID".to_owned(), switch()),
        ("/spec/hostIPC".to_owned(), switch()),
        ("/spec/hostNetwork".to_owned(), switch()),
        ("/spec/hostUsers".to_owned(), switch()),
        ("/spec/shareProcessNamespace".to_owned(), vec![json!(true)]),
        ("/spec/os".to_owned(), vec![json!({"name": "linux"}), json!({"name": "windows"})]),
        (
            "/spec/volumes".to_owned(),
            volumes()
                .into_iter()
                .map(|volume| json!([{"name": "t", "emptyDir": {}}, volume]))
                .collect(),
        ),
        ("/spec/securityContext/sysctls".to_owned(), sysctls),
        ("/spec/securityContext/supplementalGroups".to_owned(), vec![json!([0])]),
        ("/spec/securityContext/fsGroup".to_owned(), vec![json!(0)]),
    ];
    for (field, values) in shared_security() {
        fields.push((format!("/spec/securityContext/{field}"), values));
    }
    for key in [
        "container.apparmor.security.beta.kubernetes.io/main",
        "container.apparmor.security.beta.kubernetes.io/setup",
        "container.seccomp.security.alpha.kubernetes.io/main",
        "container.seccomp.security.alpha.kubernetes.io/nobody",
        "seccomp.security.alpha.kubernetes.io/pod",
    ] {
        let values =
            ["unconfined", "runtime/default", "docker/default", "localhost/k8s-app", "", "other"];
        fields.push((
            format!("/metadata/annotations/{}", key.replace('/', "~1")),
            values.iter().map(|value| json!(value)).collect(),
        ));
    }
    fields
}

/// Every change there is.
fn changes() -> Vec<Change> {
    let mut fields = pod_fields();
    for container in CONTAINERS {
        for (field, values) in security().into_iter().chain(shared_security()) {
            fields.push((format!("{container}/securityContext/{field}"), values));
        }
        for (field, values) in beside() {
            fields.push((format!("{container}/{field}"), values));
        }
    }
    let change = |(pointer, values): (String, Vec<Value>)| {
        values.into_iter().map(move |value| Change { pointer: pointer.clone(), value })
    };
    fields.into_iter().flat_map(change).collect()
}

fn bases() -> [(&'static str, Value); 6] {
    [
        ("minimal", minimal()),
        ("restricted", restricted()),
        ("escalating", escalating()),
        ("user namespace", user_namespace()),
        ("windows", windows()),
        ("host process", host_process()),
    ]
}

/// Each base, and each base with each single change.
pub(crate) fn systematic() -> Vec<Case> {
    let changes = changes();
    let mut cases = Vec::new();
    for (name, base) in bases() {
        cases.push(Case { name: name.to_owned(), pod: base.clone() });
        for change in &changes {
            let mut pod = base.clone();
            set(&mut pod, &change.pointer, change.value.clone());
            if pod != base {
                cases.push(Case {
                    name: format!("{name}, {} = {}", change.pointer, change.value),
                    pod,
                });
            }
        }
    }
    cases
}

/// `count` pods with two to five changes each; the same for the same seed.
pub(crate) fn random(count: usize, seed: u64) -> Vec<Case> {
    let (changes, bases) = (changes(), bases());
    let mut numbers = Numbers(seed);
    let mut cases = Vec::with_capacity(count);
    for _ in 0..count {
        // Windows pods may have few fields, so most of what is changed on them is refused before anyone judges it.
        let (name, base) = &bases[if numbers.below(8) == 0 { 4 } else { numbers.below(4) }];
        let (mut pod, mut name) = (base.clone(), (*name).to_owned());
        for _ in 0..2 + numbers.below(4) {
            let change = &changes[numbers.below(changes.len())];
            set(&mut pod, &change.pointer, change.value.clone());
            name.push_str(&format!(", {} = {}", change.pointer, change.value));
        }
        cases.push(Case { name, pod });
    }
    cases
}

/// Debug containers in a pod that runs already.
pub(crate) fn ephemeral() -> Vec<Case> {
    let mut cases = Vec::new();
    let bare = json!({"name": "debug", "image": "registry.example/debug:1"});
    let good = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
    for (field, values) in security().into_iter().chain(shared_security()) {
        for (base, context) in [("bare", AWAY), ("restricted", good.clone())] {
            for value in &values {
                let mut container = bare.clone();
                set(&mut container, "/securityContext", context.clone());
                set(&mut container, &format!("/securityContext/{field}"), value.clone());
                cases.push(Case {
                    name: format!("ephemeral {base}, {field} = {value}"),
                    pod: container,
                });
            }
        }
    }
    cases
}

/// Puts `value` at `pointer`, with the objects on the way; null removes.
fn set(object: &mut Value, pointer: &str, value: Value) {
    if value.is_null() && object.pointer(pointer).is_none() {
        return;
    }
    let tokens: Vec<String> =
        pointer.split('/').skip(1).map(|token| token.replace("~1", "/")).collect();
    let Some((last, way)) = tokens.split_last() else { return };
    let mut at = object;
    for token in way {
        at = match token.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[token.as_str()],
        };
    }
    if !value.is_null() {
        at[last.as_str()] = value;
    } else if let Some(members) = at.as_object_mut() {
        members.remove(last);
    }
}

/// Pseudo-random numbers of a seed (SplitMix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    /// Below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap_or_default()
    }
}
