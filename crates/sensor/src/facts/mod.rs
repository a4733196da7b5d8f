//! What benchmarks ask of a node: modes and owners of fixed files, arguments and settings of Kubernetes' programs.
//!
//! ```text
//! /proc ─programs─► command lines ─┐
//! host ─view─► files, bounded ─────┴─components, files─► NodeFacts ─task─► sink
//! ```
//!
//! Everything is read from the host's files and `/proc`; no program is run, no port asked, and nothing but modes,
//! harmless flags and shapes of configuration leaves this module (see `seawall_posture::facts`).
mod components;
mod files;
mod programs;
mod task;
mod versions;
mod view;

pub use task::FactsTask;
pub use versions::Versions;

use crate::config::Config;
use crate::identity::{Behind, behind};
use components::Components;
use programs::Programs;
use seawall_model::Problem;
use seawall_model::facts::{NodeFacts, OsFacts, RuntimeFacts};
use std::path::Path;
use view::View;

/// Where the kernel shows processes; in a pod with the node's PID namespace these are the node's.
const PROC: &str = "/proc";

/// Reads the facts of this node, once. `versions` spares what was searched before.
pub fn node_facts(config: &Config, versions: &mut Versions) -> NodeFacts {
    collect(config, PROC.as_ref(), versions)
}

fn collect(config: &Config, proc: &Path, versions: &mut Versions) -> NodeFacts {
    let mut facts = NodeFacts { node: config.node.clone(), ..NodeFacts::default() };
    let host = match View::of_directory(&config.root) {
        Ok(host) => host,
        Err(error) => {
            let message = format!("the host's files cannot be read: {error}");
            facts.problems.push(Problem::gap("host-not-read", message));
            return facts;
        }
    };
    let programs = Programs::running(proc);
    facts.kernel = host.read("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned());
    facts.os = os(&host);
    facts.runtime = runtime(config);
    facts.auditd = Some(programs.auditd);
    let mut components = Components::new(&host, &programs, versions);
    facts.kubelet = components.kubelet();
    facts.kube_proxy = components.kube_proxy();
    facts.control_plane = components.control_plane(&config.node);
    facts.provider = components.provider(facts.kubelet.as_ref());
    facts.files = files::groups(&host, &mut components, &facts);
    facts.problems = components.problems;
    facts
}

fn os(host: &View) -> Option<OsFacts> {
    let text = host.read("/etc/os-release").or_else(|_| host.read("/usr/lib/os-release")).ok()?;
    let mut os = OsFacts::default();
    for (key, value) in text.lines().filter_map(|line| line.trim().split_once('=')) {
        let value = value.trim_matches(['"', '\'']).to_owned();
        match key {
            "ID" => os.id = value,
            "VERSION_ID" => os.version = Some(value),
            "PRETTY_NAME" => os.name = Some(value),
            "VARIANT_ID" => os.variant = Some(value),
            _ => {}
        }
    }
    Some(os).filter(|os| !os.id.is_empty())
}

fn runtime(config: &Config) -> Option<RuntimeFacts> {
    let sockets = config.runtimes.iter().filter(|socket| socket.exists());
    sockets.into_iter().find_map(|socket| match behind(socket).ok()? {
        Behind::Containerd => Some(RuntimeFacts { name: "containerd".to_owned(), version: None }),
        Behind::Cri { runtime, .. } => {
            let (name, version) = runtime.split_once(' ').unwrap_or((&runtime, ""));
            let version = Some(version.to_owned()).filter(|version| !version.is_empty());
            Some(RuntimeFacts { name: name.to_owned(), version })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::facts::FileFacts;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// A host below `root`, and its processes below `proc`.
    struct Host(tempfile::TempDir);

    impl Host {
        fn file(&self, path: &str, mode: u32, text: &str) {
            let path = self.0.path().join("root").join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        }

        fn process(&self, pid: u32, command: &[&str]) {
            let process = self.0.path().join("proc").join(pid.to_string());
            std::fs::create_dir_all(process.join("ns")).unwrap();
            std::fs::write(process.join("cmdline"), command.join("\0") + "\0").unwrap();
            std::fs::write(process.join("cgroup"), "0::/system.slice/x.service\n").unwrap();
            std::fs::write(process.join("environ"), "HOME=/root\0").unwrap();
            symlink("net:[1]", process.join("ns/net")).unwrap();
            symlink(self.0.path().join("root"), process.join("root")).unwrap();
            symlink("/srv", process.join("cwd")).unwrap();
        }

        fn facts(&self) -> NodeFacts {
            let config = Config::new("n1", "c", &self.0.path().join("root"));
            collect(&config, &self.0.path().join("proc"), &mut Versions::default())
        }
    }

    fn host() -> Host {
        let host = Host(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(host.0.path().join("proc")).unwrap();
        std::fs::create_dir_all(host.0.path().join("root")).unwrap();
        host
    }

    #[test]
    fn a_control_plane_node() {
        let host = host();
        host.file("/etc/os-release", 0o644, "ID=debian\nVERSION_ID=\"12\"\n");
        host.file("/etc/kubernetes/admin.conf", 0o640, "token: s3cret");
        host.file("/etc/kubernetes/pki/ca.crt", 0o644, "");
        host.file("/etc/kubernetes/pki/etcd/server.key", 0o600, "s3cret");
        host.file("/srv/manifests/kube-apiserver.yaml", 0o600, "");
        host.file("/srv/kubelet.yaml", 0o644, "staticPodPath: /srv/manifests\nreadOnlyPort: 1\n");
        host.file("/srv/conf.d/90-port.conf", 0o600, "readOnlyPort: 0\n");
        host.file("/srv/conf.d/notes.txt", 0o600, "readOnlyPort: 7\n");
        let encryption = "resources: [{resources: [secrets], providers: [{aescbc: {keys: [{secret: s3cret}]}}]}]";
        host.file("/srv/enc.yaml", 0o600, encryption);
        host.process(10, &["/usr/bin/kubelet", "--config=kubelet.yaml", "--config-dir", "conf.d"]);
        host.process(
            20,
            &[
                "kube-apiserver",
                "--encryption-provider-config=/srv/enc.yaml",
                "--audit-policy-file=/gone",
            ],
        );
        let facts = host.facts();
        let text = facts.document().to_string();
        assert!(!text.contains("s3cret"), "{text}");

        let files = |group: &str| -> Vec<(&str, &str)> {
            facts.files[group].iter().map(|file| (file.path.as_str(), file.mode.as_str())).collect()
        };
        assert_eq!(
            files("kubeletConfig"),
            [("/srv/conf.d/90-port.conf", "0600"), ("/srv/kubelet.yaml", "0644")]
        );
        assert_eq!(files("adminConf"), [("/etc/kubernetes/admin.conf", "0640")]);
        assert_eq!(files("apiServerManifest"), [("/srv/manifests/kube-apiserver.yaml", "0600")]);
        assert_eq!(files("pkiKeys"), [("/etc/kubernetes/pki/etcd/server.key", "0600")]);
        assert_eq!(files("pkiCerts"), [("/etc/kubernetes/pki/ca.crt", "0644")]);
        assert_eq!(facts.files["pkiDirs"].len(), 2);
        assert_eq!(facts.files["etcdData"], Vec::<FileFacts>::new());

        let kubelet = facts.kubelet.as_ref().unwrap();
        assert_eq!(kubelet.config.as_ref().unwrap()["readOnlyPort"], 0);
        let api_server = facts.control_plane.as_ref().unwrap().api_server.as_ref().unwrap();
        assert_eq!(api_server.encryption.as_ref().unwrap().secrets_provider, "aescbc");
        assert_eq!(api_server.audit_policy, None);
        let problems: Vec<_> =
            facts.problems.iter().filter_map(|one| one.file.as_deref()).collect();
        assert_eq!(problems, ["/gone"]);
        assert_eq!((facts.provider, facts.auditd), (None, Some(false)));
        assert_eq!(facts.os.unwrap().version.as_deref(), Some("12"));
    }

    #[test]
    fn settings_that_cannot_be_read_are_no_guesses() {
        let host = host();
        host.process(
            10,
            &["kubelet", "--config=/gone.yaml", "--node-labels=eks.amazonaws.com/nodegroup=g"],
        );
        let facts = host.facts();
        assert_eq!(facts.kubelet.unwrap().config, None);
        assert_eq!(facts.provider.as_deref(), Some("eks"));
        assert_eq!(facts.control_plane, None);
    }
}
