//! Container id and pod UID from a control group's path: the cgroupfs and systemd drivers of Kubernetes, Docker,
//! Podman and CRI-O. Source: kubelet `pkg/kubelet/cm/cgroup_manager_linux.go`, runc `libcontainer/cgroups/systemd`.
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
/// component has a runtime's shape.
pub(crate) fn identify(path: &str) -> Option<PathIdentity> {
    let components: Vec<&str> = path.split('/').filter(|component| !component.is_empty()).collect();
    let pod_uid = components.iter().find_map(|component| pod_uid(component));
    let (container, runtime) =
        components.iter().rev().find_map(|component| container_id(component))?;
    Some(PathIdentity { container, pod_uid, runtime })
}

/// Names that may be the id of a container started by hand (`/NAMESPACE/ID`), innermost first.
pub(crate) fn candidates(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').rev().filter(|component| !component.is_empty())
}

fn container_id(component: &str) -> Option<(String, Option<&'static str>)> {
    const SCOPES: [(&str, &str); 4] = [
        ("cri-containerd-", "containerd"),
        ("docker-", "docker"),
        ("crio-", "cri-o"),
        ("libpod-", "podman"),
    ];
    if is_id(component) {
        return Some((component.to_owned(), None));
    }
    let unit = component.strip_suffix(".scope")?;
    SCOPES.iter().find_map(|(prefix, runtime)| {
        let id = unit.strip_prefix(prefix).filter(|id| is_id(id))?;
        Some((id.to_owned(), Some(*runtime)))
    })
}

/// All runtimes behind CRI and Docker use 64 hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `pod<uid>` or `kubepods-burstable-pod<uid with underscores>.slice`.
fn pod_uid(component: &str) -> Option<String> {
    let unit = component.strip_suffix(".slice").unwrap_or(component);
    let (before, uid) = unit.rsplit_once("pod")?;
    if !(before.is_empty() || before.starts_with("kubepods") && before.ends_with('-')) {
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

/// Where the unified hierarchy is mounted: `/sys/fs/cgroup`, beside version 1 `/sys/fs/cgroup/unified`.
fn unified_mount(root: &Path) -> Option<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        after.starts_with("cgroup2 ").then(|| before.split(' ').nth(4)).flatten()
    })?;
    let below = root.join(mount.trim_start_matches('/'));
    Some(if below.is_dir() { below } else { PathBuf::from(mount) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4f1d2c3b4a5968778695a4b3c2d1e0f94f1d2c3b4a5968778695a4b3c2d1e0f9";
    const UID: &str = "0d9b1c52-3f7e-4a68-8a9b-5c4d3e2f1a0b";

    #[track_caller]
    fn check(path: &str, container: Option<&str>, pod: Option<&str>, runtime: Option<&str>) {
        let found = identify(path);
        assert_eq!(found.as_ref().map(|found| found.container.as_str()), container, "{path}");
        assert_eq!(found.as_ref().and_then(|found| found.pod_uid.as_deref()), pod, "{path}");
        assert_eq!(found.and_then(|found| found.runtime), runtime, "{path}");
    }

    #[test]
    fn paths_of_all_drivers() {
        let under = UID.replace('-', "_");
        check(&format!("/kubepods/burstable/pod{UID}/{ID}"), Some(ID), Some(UID), None);
        check(&format!("/kubepods/pod{UID}/{ID}"), Some(ID), Some(UID), None);
        check(
            &format!("/rig/kubepods/besteffort/pod{UID}/{ID}/init.scope"),
            Some(ID),
            Some(UID),
            None,
        );
        check(
            &format!(
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{under}.slice/cri-containerd-{ID}.scope"
            ),
            Some(ID),
            Some(UID),
            Some("containerd"),
        );
        check(
            &format!("/kubepods.slice/kubepods-pod{under}.slice/crio-{ID}.scope"),
            Some(ID),
            Some(UID),
            Some("cri-o"),
        );
        check(&format!("/system.slice/docker-{ID}.scope"), Some(ID), None, Some("docker"));
        check(&format!("/docker/{ID}"), Some(ID), None, None);
        check(&format!("/machine.slice/libpod-{ID}.scope"), Some(ID), None, Some("podman"));
        let static_pod = "5f2e8c1d9b3a47605f2e8c1d9b3a4760";
        check(&format!("/kubepods/pod{static_pod}/{ID}"), Some(ID), Some(static_pod), None);
        for host in [
            "/",
            "/system.slice/ssh.service",
            "/user.slice/user-0.slice",
            "/default/web",
            "/podman",
        ] {
            check(host, None, None, None);
        }
    }
}
