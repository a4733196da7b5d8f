//! Which directories of a live root file system are scanned. Source: proc_pid_mountinfo(5).
use std::collections::{HashMap, HashSet};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// File systems on this machine's own disks. Network and virtual ones belong to somebody else.
const LOCAL: [&str; 9] =
    ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "vfat", "bcachefs"];
/// The kernel's own trees, also where nothing is mounted there.
const KERNEL: [&str; 3] = ["proc", "sys", "dev"];
/// Where runtimes unpack images: scanned as images, not as the node.
const STORAGE: [&str; 8] = [
    "var/lib/docker",
    "var/lib/containerd",
    "var/lib/containers/storage",
    "var/lib/kubelet/pods",
    "var/lib/rancher/k3s/agent/containerd",
    "var/lib/rancher/rke2/agent/containerd",
    "var/snap/microk8s/common/var/lib/containerd",
    "var/lib/crio",
];
/// The same in users' homes.
const STORAGE_ENDS: [&str; 2] = [".local/share/docker", ".local/share/containers"];
/// Names kept for the report.
const NAMED: usize = 5;

/// Decides per directory and remembers what it left out, by reason.
pub(crate) struct Mounts {
    /// Path below the root → mount. `None`: no mount table, devices decide.
    table: Option<HashMap<String, Mount>>,
    root_device: u64,
    entered: Mutex<HashSet<String>>,
    left_out: Mutex<HashMap<&'static str, (u64, Vec<String>)>>,
}

struct Mount {
    device: String,
    /// The path within its file system that is mounted: `/` unless it is a bind mount.
    root: String,
    kind: String,
}

impl Mounts {
    /// The mounts below `root`, an absolute path without links.
    pub(crate) fn below(root: &Path, metadata: &Metadata) -> Self {
        let text = std::fs::read_to_string("/proc/self/mountinfo").ok();
        let all: Option<Vec<_>> = text.map(|text| text.lines().filter_map(parse).collect());
        let own = all.iter().flatten().filter(|(path, _)| root.starts_with(path));
        let own = own.max_by_key(|(path, _)| path.len()).map(|(_, mount)| mount.device.clone());
        let table = all.map(|all| {
            let below = |(path, mount): (String, Mount)| {
                let relative = Path::new(&path).strip_prefix(root).ok()?.to_str()?.to_owned();
                (!relative.is_empty()).then_some((relative, mount))
            };
            all.into_iter().filter_map(below).collect()
        });
        Self {
            table,
            root_device: metadata.dev(),
            entered: Mutex::new(own.into_iter().collect()),
            left_out: Mutex::default(),
        }
    }

    pub(crate) fn enter(&self, path: &str, metadata: &Metadata) -> bool {
        let reason = self.reason(path, metadata);
        if let Some(reason) = reason {
            let mut left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
            let (count, names) = left_out.entry(reason).or_default();
            *count += 1;
            if names.len() < NAMED {
                names.push(path.to_owned());
            }
        }
        reason.is_none()
    }

    /// Why the directory is left out.
    fn reason(&self, path: &str, metadata: &Metadata) -> Option<&'static str> {
        if KERNEL.contains(&path) {
            return Some("kernel file systems");
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let ends = |end: &&str| path.strip_suffix(*end).is_some_and(|rest| rest.ends_with('/'));
        if STORAGE.contains(&path)
            || STORAGE_ENDS.iter().any(ends)
            || name.starts_with("io.containerd.")
        {
            return Some("container storage");
        }
        match &self.table {
            None => (metadata.dev() != self.root_device).then_some("other mounts"),
            Some(table) => {
                let mount = table.get(path)?;
                let local = LOCAL.contains(&mount.kind.as_str()) && mount.root == "/";
                let mut entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
                (!(local && entered.insert(mount.device.clone()))).then_some("other mounts")
            }
        }
    }

    /// `REASON: COUNT (NAME, …)` of all that was left out, sorted.
    pub(crate) fn left_out(&self) -> Vec<String> {
        let left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines: Vec<_> = left_out
            .iter()
            .map(|(reason, (count, names))| {
                let more = if *count > names.len() as u64 { ", …" } else { "" };
                format!("{reason}: {count} ({}{more})", names.join(", "))
            })
            .collect();
        lines.sort_unstable();
        lines
    }
}

/// Mount point and mount of one line: `ID PARENT MAJOR:MINOR ROOT POINT OPTIONS … - TYPE SOURCE …`.
fn parse(line: &str) -> Option<(String, Mount)> {
    let (left, right) = line.split_once(" - ")?;
    let columns: Vec<&str> = left.split(' ').collect();
    let [_, _, device, root, point, ..] = columns.as_slice() else { return None };
    let kind = right.split(' ').next()?.to_owned();
    Some((unescape(point), Mount { device: (*device).to_owned(), root: unescape(root), kind }))
}

/// Blank, tab, line feed and backslash stand as three octal digits.
fn unescape(text: &str) -> String {
    let octal = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    octal.iter().fold(text.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let line =
            r"36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
        let (point, mount) = parse(line).unwrap();
        assert_eq!(
            (point.as_str(), mount.root.as_str(), mount.kind.as_str()),
            ("/mnt 2", "/mnt1", "ext3")
        );
        assert!(parse("rubbish").is_none());
    }

    #[test]
    fn decisions() {
        let mount = |device: &str, root: &str, kind: &str| Mount {
            device: device.into(),
            root: root.into(),
            kind: kind.into(),
        };
        let table = HashMap::from([
            ("home".to_owned(), mount("8:2", "/", "ext4")),
            ("again".to_owned(), mount("8:2", "/", "ext4")),
            ("bind".to_owned(), mount("8:1", "/srv", "ext4")),
            ("net".to_owned(), mount("0:40", "/", "nfs4")),
        ]);
        let metadata = std::fs::metadata(".").unwrap();
        let mounts = Mounts {
            table: Some(table),
            root_device: 0,
            entered: Mutex::new(HashSet::from(["8:1".to_owned()])),
            left_out: Mutex::default(),
        };
        let check = |path: &str, expected: bool| {
            assert_eq!(mounts.enter(path, &metadata), expected, "{path}")
        };
        check("usr", true);
        check("proc", false);
        check("home/proc", true);
        check("home", true);
        check("again", false);
        check("bind", false);
        check("net", false);
        check("var/lib/docker", false);
        check("srv/io.containerd.snapshotter.v1.overlayfs", false);
        check("home/a/.local/share/containers", false);
        let lines = mounts.left_out();
        assert_eq!(lines[2], "other mounts: 3 (again, bind, net)");
    }
}
