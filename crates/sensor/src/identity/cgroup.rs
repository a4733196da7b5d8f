//! Container id and pod UID from a control group's path: the cgroupfs and systemd drivers of Kubernetes, Docker,
//! Podman and CRI-O. Source: kubelet `pkg/kubelet/cm/cgroup_manager_linux.go`, runc `libcontainer/cgroups/systemd`,
//! CRI-O `internal/config/cgmgr`.
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What a path alone says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PathIdentity {
    pub(crate) container: String,
    pub(crate) pod_uid: Option<String>,
    pub(crate) runtime: Option<&'static str>,
}

/// The container a path belongs to; control groups below the container's own belong to it too. `None` where no
/// component has a runtime's shape; that of a monitor is none.
pub(crate) fn identify(path: &str) -> Option<PathIdentity> {
    let pod_uid = components(path).find_map(pod_uid);
    let (container, runtime) = components(path).rev().find_map(container_id)?;
    Some(PathIdentity { container, pod_uid, runtime })
}

/// Names that may be the id of a container started by hand (`/NAMESPACE/ID`), innermost first.
pub(crate) fn candidates(path: &str) -> impl Iterator<Item = &str> {
    let monitored = components(path).any(is_monitor);
    components(path).rev().filter(move |_| !monitored)
}

/// The pod a path belongs to.
pub(crate) fn pod_of_path(path: &str) -> Option<String> {
    components(path).find_map(pod_uid)
}

fn components(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|component| !component.is_empty())
}

/// `crio-conmon-ID.scope`: conmon is a process of the host that carries a container's id.
fn is_monitor(component: &str) -> bool {
    component.starts_with("crio-conmon-") || component.starts_with("libpod-conmon-")
}

fn container_id(component: &str) -> Option<(String, Option<&'static str>)> {
    const PREFIXES: [(&str, &str); 4] = [
        ("cri-containerd", "containerd"),
        ("docker", "docker"),
        ("crio", "cri-o"),
        ("libpod", "podman"),
    ];
    if is_id(component) {
        return Some((component.to_owned(), None));
    }
    // The cgroupfs driver of CRI-O and Podman keeps the prefix and leaves the suffix out.
    let unit = component.strip_suffix(".scope").unwrap_or(component);
    // A runtime set to cgroupfs below a kubelet set to systemd takes `SLICE:PREFIX:ID` for a folder's name.
    let (prefix, id) = match unit.rsplit_once(':') {
        Some((before, id)) => (before.rsplit_once(':')?.1, id),
        None => unit.rsplit_once('-')?,
    };
    let (_, runtime) = PREFIXES.iter().find(|(known, _)| *known == prefix)?;
    is_id(id).then(|| (id.to_owned(), Some(*runtime)))
}

/// All runtimes behind CRI and Docker use 64 hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `pod<uid>` or `kubepods-burstable-pod<uid with underscores>.slice`, also below a prefix of the kubelet's.
fn pod_uid(component: &str) -> Option<String> {
    let unit = component.split(':').next().unwrap_or(component);
    let unit = unit.strip_suffix(".slice").unwrap_or(unit);
    let (before, uid) = unit.rsplit_once("pod")?;
    if !(before.is_empty() || before.contains("kubepods") && before.ends_with('-')) {
        return None;
    }
    let uid = uid.replace('_', "-");
    // Static pods have a 32-digit hash, all others a UUID.
    let digits = uid.bytes().filter(u8::is_ascii_hexdigit).count();
    let shape = uid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    (shape && digits == 32).then_some(uid)
}

/// Directories walked for existing control groups; a node has a few per container.
const MAX_GROUPS: usize = 65_536;

/// Control group ids (inode numbers of the unified hierarchy) to paths, of those that exist now.
pub(crate) fn existing(root: &Path) -> HashMap<u64, String> {
    let Some(mount) = unified_mount(root) else { return HashMap::new() };
    let mut groups = HashMap::new();
    let mut open = vec![mount.clone()];
    while let Some(directory) = open.pop() {
        if groups.len() >= MAX_GROUPS {
            break;
        }
        // A group may vanish while the walk is on its way.
        let Ok(metadata) = directory.metadata() else { continue };
        let path = directory.strip_prefix(&mount).unwrap_or(&directory);
        groups.insert(metadata.ino(), format!("/{}", path.display()));
        let Ok(entries) = directory.read_dir() else { continue };
        let is_group =
            |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
        open.extend(entries.flatten().filter(is_group).map(|entry| entry.path()));
    }
    groups
}

/// Where the unified hierarchy is mounted.
fn unified_mount(root: &Path) -> Option<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = match hierarchy(&mounts) {
        Hierarchy::Unified(mount) | Hierarchy::Hybrid(mount) => mount,
        Hierarchy::Legacy => return None,
    };
    let below = root.join(mount.trim_start_matches('/'));
    Some(if below.is_dir() { below } else { PathBuf::from(mount) })
}

/// How a machine groups processes. The sensor sees groups of the unified hierarchy alone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Hierarchy<'a> {
    /// Version 2, mounted here.
    Unified(&'a str),
    /// Version 2 beside the controllers of version 1; systemd and runc (from 1.0) make each group in both.
    Hybrid(&'a str),
    /// Version 1 alone: every process is in the root of the unified hierarchy.
    Legacy,
}

/// Source: proc(5), `/proc/PID/mountinfo`.
pub(crate) fn hierarchy(mountinfo: &str) -> Hierarchy<'_> {
    let mounts = mountinfo.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        Some((before.split(' ').nth(4)?, after.split(' ').next()?))
    });
    let unified = mounts.clone().find(|(_, kind)| *kind == "cgroup2").map(|(at, _)| at);
    match (unified, mounts.clone().any(|(_, kind)| kind == "cgroup")) {
        (Some(at), false) => Hierarchy::Unified(at),
        (Some(at), true) => Hierarchy::Hybrid(at),
        (None, _) => Hierarchy::Legacy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4f1d2c3b4a5968778695a4b3c2d1e0f94f1d2c3b4a5968778695a4b3c2d1e0f9";
    const OTHER: &str = "0f1d2c3b4a5968778695a4b3c2d1e0f94f1d2c3b4a5968778695a4b3c2d1e0f9";
    const UID: &str = "0d9b1c52-3f7e-4a68-8a9b-5c4d3e2f1a0b";

    #[track_caller]
    fn check(path: &str, container: Option<&str>, pod: Option<&str>, runtime: Option<&str>) {
        let found = identify(path);
        assert_eq!(found.as_ref().map(|found| found.container.as_str()), container, "{path}");
        assert_eq!(found.as_ref().and_then(|found| found.pod_uid.as_deref()), pod, "{path}");
        assert_eq!(found.and_then(|found| found.runtime), runtime, "{path}");
    }

    /// In version 1 and hybrid the same below every controller, so a path says nothing of the version.
    #[test]
    fn paths_of_all_drivers() {
        let under = UID.replace('-', "_");
        let slices =
            format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{under}.slice");
        let nested = "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice";
        for (path, runtime) in [
            // containerd, cgroupfs.
            (format!("/kubepods/burstable/pod{UID}/{ID}"), None),
            (format!("/kubepods/pod{UID}/{ID}"), None),
            (format!("/rig/kubepods/besteffort/pod{UID}/{ID}/init.scope"), None),
            // containerd, systemd; kind.
            (format!("{slices}/cri-containerd-{ID}.scope"), Some("containerd")),
            (
                format!(
                    "{nested}/kubelet-kubepods-besteffort-pod{under}.slice/cri-containerd-{ID}.scope"
                ),
                Some("containerd"),
            ),
            // CRI-O, systemd: guaranteed pods, and a program that makes groups of its own, as with crun.
            (format!("/kubepods.slice/kubepods-pod{under}.slice/crio-{ID}.scope"), Some("cri-o")),
            (format!("{slices}/crio-{ID}.scope/container"), Some("cri-o")),
            // CRI-O, cgroupfs.
            (format!("/kubepods/burstable/pod{UID}/crio-{ID}"), Some("cri-o")),
            (format!("/kubepods/pod{UID}/crio-{ID}/system.slice/sshd.service"), Some("cri-o")),
            // k3s: its own cgroupfs, systemd, inside a container (k3d), and with runtime and kubelet at odds.
            (format!("/k3s/kubepods/burstable/pod{UID}/{ID}"), None),
            (format!("/docker/{}/kubepods/besteffort/pod{UID}/{ID}", OTHER), None),
            (
                format!("/system.slice/docker-{OTHER}.scope{slices}/cri-containerd-{ID}.scope"),
                Some("containerd"),
            ),
            (
                format!(
                    "/system.slice/k3s.service/kubepods-burstable-pod{under}.slice:cri-containerd:{ID}"
                ),
                Some("containerd"),
            ),
            (
                format!(
                    "/system.slice/containerd.service/kubepods-pod{under}.slice:cri-containerd:{ID}"
                ),
                Some("containerd"),
            ),
        ] {
            check(&path, Some(ID), Some(UID), runtime);
        }
        let static_pod = "5f2e8c1d9b3a47605f2e8c1d9b3a4760";
        check(&format!("/kubepods/pod{static_pod}/{ID}"), Some(ID), Some(static_pod), None);
    }

    #[test]
    fn paths_outside_kubernetes() {
        check(&format!("/system.slice/docker-{ID}.scope"), Some(ID), None, Some("docker"));
        check(&format!("/docker/{ID}"), Some(ID), None, None);
        check(&format!("/machine.slice/libpod-{ID}.scope"), Some(ID), None, Some("podman"));
        check(
            &format!("/machine.slice/libpod-{ID}.scope/container"),
            Some(ID),
            None,
            Some("podman"),
        );
        check(&format!("/libpod_parent/libpod-{ID}"), Some(ID), None, Some("podman"));
        // CRI-O's default parent, by crictl.
        check(&format!("/crio/crio-{ID}"), Some(ID), None, Some("cri-o"));
        check(&format!("/system.slice/crio-{ID}.scope"), Some(ID), None, Some("cri-o"));
    }

    #[test]
    fn the_host_is_no_container() {
        let slice = format!("/kubepods.slice/kubepods-pod{}.slice", UID.replace('-', "_"));
        for host in [
            "/",
            "/system.slice/ssh.service",
            "/system.slice/crio.service",
            "/system.slice/k3s.service",
            "/user.slice/user-0.slice",
            "/default/web",
            "/podman",
            "/kubepods/besteffort",
            &format!("/system.slice/other-{ID}.scope"),
            &slice,
        ] {
            check(host, None, None, None);
        }
        // conmon, by systemd and by cgroupfs, and what an exec leaves in its group.
        for monitor in [
            format!("{slice}/crio-conmon-{ID}.scope"),
            format!("/system.slice/crio-conmon-{ID}.scope"),
            format!("/kubepods/burstable/pod{UID}/crio-conmon-{ID}"),
            format!("/kubepods/burstable/pod{UID}/crio-conmon-{ID}/{ID}.exec"),
            format!("/machine.slice/libpod-conmon-{ID}.scope"),
        ] {
            check(&monitor, None, None, None);
            assert_eq!(candidates(&monitor).next(), None, "{monitor}");
        }
        let inside = format!("/kubepods/pod{UID}/crio-{ID}/libpod-conmon-{OTHER}.scope");
        check(&inside, Some(ID), Some(UID), Some("cri-o"));
    }

    #[test]
    fn hierarchies_of_all_versions() {
        let two = "35 24 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(hierarchy(two), Hierarchy::Unified("/sys/fs/cgroup"));
        let one = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
                   32 31 0:29 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu\n\
                   40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n";
        assert_eq!(hierarchy(one), Hierarchy::Legacy);
        let unified = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let both = format!("{one}{unified}");
        assert_eq!(hierarchy(&both), Hierarchy::Hybrid("/sys/fs/cgroup/unified"));
        for other in ["", "\n", "a - b", "1 2 3 4 /x - cgroup2"] {
            let found = hierarchy(other);
            assert_eq!(
                found,
                if other.contains('2') { Hierarchy::Unified("/x") } else { Hierarchy::Legacy }
            );
        }
    }
}
