//! Which of Kubernetes' programs run on this node, told from those that merely run in its pods: a virtual cluster's
//! API server is not the node's.
use crate::identity::pod_of_path;
use std::path::{Path, PathBuf};

/// Processes looked at.
const MAX_PROCESSES: usize = 65_536;
/// Bytes of a command line; the kernel's own limit of one argument.
const MAX_COMMAND: u64 = 128 * 1024;

/// One running program.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) name: &'static str,
    /// Without the program's own name.
    pub(super) arguments: Vec<String>,
    /// `/proc/PID`
    pub(super) process: PathBuf,
    net: Option<PathBuf>,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// No pod's.
    Host,
    /// A pod that the kubelet made of a file.
    StaticPod,
    Pod,
}

/// Programs that are looked for.
const NAMES: [&str; 6] = [
    "kubelet",
    "kube-proxy",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "etcd",
];
/// Distributions whose one process holds all of these: their arguments are not told apart yet.
const ALL_IN_ONE: [&str; 3] = ["k3s", "k0s", "kubelite"];

/// The node's own, at most one of each.
#[derive(Debug, Default)]
pub(super) struct Programs {
    found: Vec<Program>,
    pub(super) auditd: bool,
    /// The name of an all-in-one program.
    pub(super) all_in_one: Option<&'static str>,
}

impl Programs {
    pub(super) fn running(proc: &Path) -> Self {
        let mut programs = Self::default();
        let mut seen = Vec::new();
        let entries = std::fs::read_dir(proc).into_iter().flatten().flatten();
        let mut processes: Vec<u32> =
            entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        processes.sort_unstable();
        for pid in processes.into_iter().take(MAX_PROCESSES) {
            let process = proc.join(pid.to_string());
            let Some(words) = command(&process) else { continue };
            let name = words[0].rsplit('/').next().unwrap_or_default();
            programs.auditd |= name == "auditd";
            if let Some(known) = ALL_IN_ONE.iter().find(|known| **known == name) {
                programs.all_in_one = Some(known);
            }
            let Some(name) = NAMES.iter().find(|known| **known == name) else { continue };
            let net = std::fs::read_link(process.join("ns/net")).ok();
            let place = place(&process);
            seen.push(Program { name, arguments: words[1..].to_vec(), process, net, place });
        }
        programs.choose(seen);
        programs
    }

    /// A kubelet is the host's or none. The rest shares its network, as they all do on a node: that tells them from
    /// another cluster's, on the host or in its pods.
    fn choose(&mut self, seen: Vec<Program>) {
        let kubelet = seen.iter().find(|one| one.name == "kubelet" && one.place == Place::Host);
        let net = kubelet.and_then(|kubelet| kubelet.net.clone());
        let own = |one: &&Program| {
            let placed = match one.name {
                "kubelet" => one.place == Place::Host,
                "kube-proxy" => true,
                _ => one.place != Place::Pod,
            };
            placed && (net.is_none() || one.net == net)
        };
        for name in NAMES {
            self.found.extend(seen.iter().filter(own).find(|one| one.name == name).cloned());
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Program> {
        self.found.iter().find(|program| program.name == name)
    }
}

/// The command line, `None` for kernel threads and what has gone.
fn command(process: &Path) -> Option<Vec<String>> {
    use std::io::Read;
    let file = std::fs::File::open(process.join("cmdline")).ok()?;
    let mut bytes = Vec::new();
    file.take(MAX_COMMAND).read_to_end(&mut bytes).ok()?;
    let words =
        bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    let mut words: Vec<String> = words.collect();
    // Every argument ends in a zero.
    words.pop();
    words.first().is_some_and(|first| !first.is_empty()).then_some(words)
}

fn place(process: &Path) -> Place {
    let groups = std::fs::read_to_string(process.join("cgroup")).unwrap_or_default();
    let paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    // The kubelet gives static pods a hash for a UID, without dashes.
    match paths.filter_map(pod_of_path).next() {
        None => Place::Host,
        Some(uid) if !uid.contains('-') => Place::StaticPod,
        Some(_) => Place::Pod,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATIC: &str = "/kubepods/burstable/pod0123456789abcdef0123456789abcdef/";
    const POD: &str = "/kubepods/burstable/pod01234567-89ab-cdef-0123-456789abcdef/";

    /// A fake `/proc` of (command, cgroup, network).
    fn running(processes: &[(&str, &str, &str)]) -> Programs {
        let proc = tempfile::tempdir().unwrap();
        for (pid, (command, group, net)) in processes.iter().enumerate() {
            let process = proc.path().join(pid.to_string());
            std::fs::create_dir_all(process.join("ns")).unwrap();
            std::fs::write(process.join("cmdline"), command.replace(' ', "\0") + "\0").unwrap();
            let id = "a".repeat(64);
            let group =
                if group.is_empty() { "/init.scope".to_owned() } else { format!("{group}{id}") };
            std::fs::write(process.join("cgroup"), format!("0::{group}\n")).unwrap();
            std::os::unix::fs::symlink(net, process.join("ns/net")).unwrap();
        }
        Programs::running(proc.path())
    }

    #[track_caller]
    fn check(programs: &Programs, name: &str, expected: Option<&str>) {
        let arguments = programs.get(name).map(|program| program.arguments.join(" "));
        assert_eq!(arguments.as_deref(), expected, "{name}");
    }

    #[test]
    fn the_nodes_own_programs() {
        let programs = running(&[
            ("/sbin/auditd", "", "n"),
            ("kube-apiserver --tenant", POD, "n"),
            ("kube-apiserver --other-cluster", "", "elsewhere"),
            ("/usr/bin/kubelet --config /c", "", "n"),
            ("kube-apiserver --own", STATIC, "n"),
            ("/usr/local/bin/kube-proxy --config=/p", POD, "n"),
            ("bash -c etcd", "", "n"),
        ]);
        assert!(programs.auditd);
        check(&programs, "kubelet", Some("--config /c"));
        check(&programs, "kube-apiserver", Some("--own"));
        check(&programs, "kube-proxy", Some("--config=/p"));
        check(&programs, "etcd", None);
        let nodes_in_pods = running(&[("kubelet --kind", POD, "n")]);
        check(&nodes_in_pods, "kubelet", None);
        assert_eq!(running(&[("/usr/local/bin/k3s server", "", "n")]).all_in_one, Some("k3s"));
    }
}
