//! The files that benchmarks name, by group: where flags say they are, else where distributions put them.
//! Source: CIS Kubernetes Benchmark 1.12 sections 1.1 and 4.1; kubeadm, AKS, EKS and GKE node images.
use super::components::Components;
use super::view::View;
use seawall_model::Problem;
use seawall_model::facts::{Component, FileFacts, Flags, NodeFacts};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Files kept of one group; a PKI folder has 20.
const MAX_FILES: usize = 64;
/// Directories walked below one.
const MAX_DIRECTORIES: usize = 64;

/// Every group, present or not, with what exists of it.
pub(super) fn groups(
    host: &View,
    components: &mut Components<'_>,
    facts: &NodeFacts,
) -> BTreeMap<String, Vec<FileFacts>> {
    let places = Places::new(host, components, facts);
    let owners = Owners { users: host.names("/etc/passwd"), groups: host.names("/etc/group") };
    let mut groups = BTreeMap::new();
    for (group, paths) in places.groups {
        let mut files = Vec::new();
        let mut complete = true;
        for Place { path, program } in paths {
            let view = program.and_then(|program| components.view(program));
            match view.as_ref().unwrap_or(host).stat(&path) {
                Ok(Some(seen)) if files.len() < MAX_FILES => files.push(FileFacts {
                    path,
                    mode: format!("{:04o}", seen.mode),
                    uid: seen.uid,
                    gid: seen.gid,
                    owner: owners.of(seen.uid, seen.gid),
                }),
                Ok(Some(_)) => {
                    let message = format!("more than {MAX_FILES} files of the group {group}");
                    components.problems.push(Problem::gap("limit-reached", message).file(path));
                    break;
                }
                Ok(None) => {}
                Err(error) => {
                    complete = false;
                    let message = format!("mode and owner were not read: {error}");
                    components.problems.push(Problem::gap("file-not-read", message).file(path));
                }
            }
        }
        if complete {
            groups.insert(group.to_owned(), files);
        }
    }
    groups
}

struct Owners {
    users: BTreeMap<u32, String>,
    groups: BTreeMap<u32, String>,
}

impl Owners {
    fn of(&self, user: u32, group: u32) -> String {
        let name = |names: &BTreeMap<u32, String>, number: u32| {
            names.get(&number).cloned().unwrap_or_else(|| number.to_string())
        };
        format!("{}:{}", name(&self.users, user), name(&self.groups, group))
    }
}

/// A path, and the program whose view of files it belongs to.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    path: String,
    program: Option<&'static str>,
}

struct Places<'a> {
    host: &'a View,
    groups: Vec<(&'static str, BTreeSet<Place>)>,
}

impl<'a> Places<'a> {
    fn new(host: &'a View, components: &Components<'_>, facts: &NodeFacts) -> Self {
        let mut places = Self { host, groups: Vec::new() };
        places.of_kubelet(components, facts);
        places.of_control_plane(components, facts);
        places
    }

    /// Paths that a program was given: absolute, in its view.
    fn named(&mut self, group: &'static str, program: &'static str, paths: Vec<String>) {
        let place = |path| Place { path, program: Some(program) };
        self.groups.push((group, paths.into_iter().map(place).collect()));
    }

    /// Paths on the host; what ends in `/*` stands for the files of a folder.
    fn usual(&mut self, group: &'static str, patterns: &[&str]) {
        let mut found = BTreeSet::new();
        for pattern in patterns {
            match pattern.strip_suffix("/*") {
                Some(folder) => {
                    let names = self.host.list(folder).unwrap_or_default();
                    found.extend(names.into_iter().map(|name| format!("{folder}/{name}")));
                }
                None => _ = found.insert((*pattern).to_owned()),
            }
        }
        let place = |path| Place { path, program: None };
        self.groups.push((group, found.into_iter().map(place).collect()));
    }

    /// A named file if the flag or setting is there, else the usual ones.
    fn named_or(
        &mut self,
        group: &'static str,
        components: &Components<'_>,
        program: &'static str,
        named: Option<&str>,
        usual: &[&str],
    ) {
        match named.filter(|path| !path.is_empty()) {
            Some(path) => self.named(group, program, vec![components.absolute(program, path)]),
            None => self.usual(group, usual),
        }
    }

    fn of_kubelet(&mut self, components: &Components<'_>, facts: &NodeFacts) {
        let flag = |name: &str| flag(facts.kubelet.as_ref(), name);
        let mut configs = Vec::new();
        if let Some(path) = flag("config") {
            configs.push(components.absolute("kubelet", path));
        }
        if let Some(directory) = flag("config-dir") {
            configs.extend(components.drop_in_paths(directory));
        }
        if configs.is_empty() {
            let usual = [
                "/var/lib/kubelet/config.yaml",
                "/etc/kubernetes/kubelet/config.json",
                "/etc/kubernetes/kubelet/kubelet-config.json",
                "/etc/default/kubeletconfig.json",
                "/home/kubernetes/kubelet-config.yaml",
            ];
            self.usual("kubeletConfig", &usual);
        } else {
            self.named("kubeletConfig", "kubelet", configs);
        }
        let usual = ["/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/kubeconfig"];
        self.named_or("kubeletKubeconfig", components, "kubelet", flag("kubeconfig"), &usual);
        self.usual(
            "kubeletService",
            &[
                "/etc/systemd/system/kubelet.service",
                "/etc/systemd/system/kubelet.service.d/*",
                "/usr/lib/systemd/system/kubelet.service",
                "/usr/lib/systemd/system/kubelet.service.d/*",
            ],
        );
        let ca = setting(facts.kubelet.as_ref(), "/authentication/x509/clientCAFile");
        self.named_or(
            "clientCa",
            components,
            "kubelet",
            ca.as_deref(),
            &["/etc/kubernetes/pki/ca.crt"],
        );
        let proxy = setting(facts.kube_proxy.as_ref(), "/clientConnection/kubeconfig");
        let usual = ["/var/lib/kube-proxy/kubeconfig", "/etc/kubernetes/kube-proxy.conf"];
        // In a pod it is a ConfigMap's, which no benchmark means.
        let on_host = proxy.filter(|path| self.host.stat(path).is_ok_and(|found| found.is_some()));
        match on_host {
            Some(path) => self.usual("proxyKubeconfig", &[path.as_str()]),
            None => self.usual("proxyKubeconfig", &usual),
        }
        self.usual("cni", &["/etc/cni/net.d/*"]);
    }

    fn of_control_plane(&mut self, components: &Components<'_>, facts: &NodeFacts) {
        let folder = setting(facts.kubelet.as_ref(), "/staticPodPath");
        let folder = folder.filter(|path| !path.is_empty());
        let folder = folder.unwrap_or_else(|| "/etc/kubernetes/manifests".to_owned());
        let folder = folder.trim_end_matches('/');
        let names = self.host.list(folder).unwrap_or_default();
        for (group, program) in [
            ("apiServerManifest", "kube-apiserver"),
            ("controllerManagerManifest", "kube-controller-manager"),
            ("schedulerManifest", "kube-scheduler"),
            ("etcdManifest", "etcd"),
        ] {
            let own = names.iter().filter(|name| name.starts_with(program));
            let paths: Vec<String> = own.map(|name| format!("{folder}/{name}")).collect();
            self.usual(group, &paths.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let control_plane = facts.control_plane.clone().unwrap_or_default();
        let data = flag(control_plane.etcd.as_ref(), "data-dir");
        self.named_or("etcdData", components, "etcd", data, &["/var/lib/etcd"]);
        self.usual(
            "adminConf",
            &["/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf"],
        );
        let program = "kube-scheduler";
        let own = flag(control_plane.scheduler.as_ref(), "kubeconfig");
        self.named_or(
            "schedulerConf",
            components,
            program,
            own,
            &["/etc/kubernetes/scheduler.conf"],
        );
        let program = "kube-controller-manager";
        let own = flag(control_plane.controller_manager.as_ref(), "kubeconfig");
        let usual = ["/etc/kubernetes/controller-manager.conf"];
        self.named_or("controllerManagerConf", components, program, own, &usual);
        self.of_pki(components, &control_plane.api_server.map(|own| own.flags).unwrap_or_default());
    }

    /// Folders, certificates and keys: the usual folder, and what the API server was given.
    fn of_pki(&mut self, components: &Components<'_>, flags: &Flags) {
        let (folders, files) = self.below("/etc/kubernetes/pki");
        let on_host = |path: String| Place { path, program: None };
        let (mut keys, mut certificates): (BTreeSet<Place>, BTreeSet<Place>) = Default::default();
        for path in files {
            if path.ends_with(".key") {
                keys.insert(on_host(path));
            } else if path.ends_with(".crt") || path.ends_with(".pem") {
                certificates.insert(on_host(path));
            }
        }
        const KEYS: [&str; 4] = [
            "tls-private-key-file",
            "kubelet-client-key",
            "etcd-keyfile",
            "service-account-signing-key-file",
        ];
        const CERTIFICATES: [&str; 5] = [
            "tls-cert-file",
            "kubelet-client-certificate",
            "etcd-certfile",
            "client-ca-file",
            "etcd-cafile",
        ];
        let program = "kube-apiserver";
        let given = |name: &&str| {
            let path =
                components.absolute(program, flags.get(*name).filter(|path| !path.is_empty())?);
            // The usual folder is the same in both views.
            (!path.starts_with("/etc/kubernetes/pki/"))
                .then_some(Place { path, program: Some(program) })
        };
        keys.extend(KEYS.iter().filter_map(given));
        certificates.extend(CERTIFICATES.iter().filter_map(given));
        let folders = folders.into_iter().map(on_host).collect();
        self.groups.extend([("pkiDirs", folders), ("pkiCerts", certificates), ("pkiKeys", keys)]);
    }

    /// Folders, the first included, and files below a folder.
    fn below(&self, folder: &str) -> (BTreeSet<String>, Vec<String>) {
        let (mut folders, mut files) = (BTreeSet::new(), Vec::new());
        let mut open = vec![folder.to_owned()];
        while let Some(path) = open.pop() {
            if folders.len() >= MAX_DIRECTORIES {
                break;
            }
            for name in self.host.list(&path).unwrap_or_default() {
                let path = format!("{path}/{name}");
                match self.host.stat(&path) {
                    Ok(Some(seen)) if seen.directory => open.push(path),
                    Ok(Some(_)) => files.push(path),
                    _ => {}
                }
            }
            folders.insert(path);
        }
        (folders, files)
    }
}

fn flag<'a>(component: Option<&'a Component>, name: &str) -> Option<&'a str> {
    component?.flags.get(name).map(String::as_str)
}

fn setting(component: Option<&Component>, pointer: &str) -> Option<String> {
    let config = component?.config.as_ref()?;
    let value = Value::Object(config.clone());
    value.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}
