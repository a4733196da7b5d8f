//! What facts are made of: command lines, configuration files, descriptions of clusters.
use crate::Target;
use seawall_posture::facts::{api_server, etcd, flags, kube_proxy, kubelet};
use seawall_posture::facts::{read_config, read_node_facts};
use seawall_posture::{Catalogue, Request, Selection, cloud, facts};
use std::sync::LazyLock;

pub(crate) const TARGET: Target = Target { name: "posture-machines", run, seeds, rounds: 60 };

static SELECTION: LazyLock<Selection> = LazyLock::new(|| {
    let texts = |entries: Vec<seawall_content::Entry>| {
        entries.into_iter().map(|entry| (entry.path, entry.text)).collect::<Vec<_>>()
    };
    let controls = seawall_content::controls();
    let (catalogue, _) = Catalogue::load(texts(controls), texts(seawall_content::frameworks()));
    catalogue.select(&Request::default()).expect("every stable control")
});

fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let words: Vec<String> = text.split('\0').map(str::to_owned).collect();
    let arguments = flags::of_program(&words, &["kube-apiserver"]).unwrap_or(words);
    let given = flags::parse(arguments.iter().map(String::as_str));
    for (name, value) in &given {
        let masked = value == seawall_model::facts::MASKED;
        assert!(masked || flags::known_harmless(name), "{name}={value} leaves the node");
    }
    if let Ok(document) = read_config(text) {
        let _ = kubelet::effective(Some(&document), std::slice::from_ref(&document), &given, None);
        let _ = kube_proxy::effective(Some(&document), &given);
        let _ = (api_server::encryption(&document), api_server::audit_policy(&document));
        let _ = (api_server::anonymous(&document), api_server::authorizers(&document));
        let _ = etcd::of_file(&document);
    }
    if let Ok(facts) = read_node_facts(text) {
        facts::node(&SELECTION, &facts, &[]);
    }
    if let Ok(cluster) = cloud::read(text) {
        cloud::judge(&SELECTION, &cluster);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    super::texts([
        "/bin/sh\0-c\0exec /usr/bin/kube-apiserver --config='/a b' \\\n --token=x > /log",
        "kube-apiserver\0--authorization-mode=Node\0--authorization_mode\0RBAC\0--etcd-servers=https://u:p@h",
        "kind: KubeletConfiguration\nauthentication: {anonymous: {enabled: true}}\nfeatureGates: {A: yes}\npodPidsLimit: -5\n",
        "resources: [{resources: [secrets], providers: [{aescbc: {keys: []}}, {identity: {}}]}]",
        "rules: [{level: None, verbs: [get], resources: [{group: '', resources: ['*/exec']}]}, {level: Metadata}]",
        r#"{"node": "n", "files": {"cni": [{"path": "/p", "mode": "0644", "uid": 0, "gid": 0, "owner": "root:root"}]},
            "kubelet": {"flags": {}, "config": {"readOnlyPort": 1}}, "controlPlane": {"apiServer": {"flags": {}}}}"#,
        r#"{"cluster": {"arn": "arn:aws:eks:r:1:cluster/c", "name": "c", "resourcesVpcConfig": {}}}"#,
        r#"{"type": "Microsoft.ContainerService/ManagedClusters", "properties": {"agentPoolProfiles": [{}]}}"#,
        r#"{"selfLink": "https://container.googleapis.com/v1/c", "nodePools": [{"config": {}}]}"#,
    ])
}
