//! Which directories of a live root file system are scanned. Source: proc_pid_mountinfo(5).
use seawall_extract::database_paths;
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
/// Why a mount is left out.
const OTHER: &str = "other mounts";
/// Names kept for the report.
const NAMED: usize = 5;

/// Decides per directory and remembers what it left out, by reason.
pub(crate) struct Mounts {
    /// Path below the root → mount. `None`: no mount table, devices decide.
    table: Option<HashMap<String, Mount>>,
    root_device: u64,
    /// The part of a file system that holds the root itself.
    own: Option<Part>,
    entered: Mutex<HashSet<Part>>,
    left_out: Mutex<HashMap<&'static str, (u64, Vec<String>)>>,
    /// Mounts left out at or above a place of package databases.
    over_databases: Mutex<Vec<String>>,
}

struct Mount {
    part: Part,
    kind: String,
}

/// What a mount shows of a file system.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Part {
    device: String,
    /// The path within the file system: `/` unless it is a bind mount, a subvolume or a deployment of ostree.
    root: String,
}

impl Mounts {
    /// The mounts below `root`, an absolute path without links.
    pub(crate) fn below(root: &Path, metadata: &Metadata) -> Self {
        let text = std::fs::read_to_string("/proc/self/mountinfo").ok();
        let all: Option<Vec<_>> = text.map(|text| text.lines().filter_map(parse).collect());
        let own = all.iter().flatten().filter(|(path, _)| root.starts_with(path));
        let own = own.max_by_key(|(path, _)| path.len()).map(|(_, mount)| mount.part.clone());
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
            entered: Mutex::new(own.iter().cloned().collect()),
            own,
            left_out: Mutex::default(),
            over_databases: Mutex::default(),
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
            if reason == OTHER && database_paths().any(|own| Path::new(own).starts_with(path)) {
                let mut over = self.over_databases.lock().unwrap_or_else(PoisonError::into_inner);
                over.push(path.to_owned());
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
            None => (metadata.dev() != self.root_device).then_some(OTHER),
            Some(table) => {
                let Mount { part, kind } = table.get(path)?;
                // Such as /sysroot of ostree: the root again, and beside it what once was one.
                let holds_own = self.own.as_ref().is_some_and(|own| {
                    own.device == part.device && Path::new(&own.root).starts_with(&part.root)
                });
                let local = LOCAL.contains(&kind.as_str()) && !holds_own;
                let mut entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
                (!(local && entered.insert(part.clone()))).then_some(OTHER)
            }
        }
    }

    /// Mounts left out that may hold a package database of this system, sorted.
    pub(crate) fn over_databases(&self) -> Vec<String> {
        let over = self.over_databases.lock().unwrap_or_else(PoisonError::into_inner);
        let mut over = over.clone();
        over.sort_unstable();
        over
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
    let part = Part { device: (*device).to_owned(), root: unescape(root) };
    Some((unescape(point), Mount { part, kind }))
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
            (point.as_str(), mount.part.root.as_str(), mount.kind.as_str()),
            ("/mnt 2", "/mnt1", "ext3")
        );
        assert!(parse("rubbish").is_none());
    }

    fn part(device: &str, root: &str) -> Part {
        Part { device: device.into(), root: root.into() }
    }

    /// Asks for each mount, `POINT DEVICE ROOT KIND`, in turn; the root itself is `own`. Expects what is left out, then
    /// what of it may hold a database.
    #[track_caller]
    fn check(own: Part, mounts: &[&str], left_out: &[&str], over_databases: &[&str]) {
        let lines = mounts.iter().map(|line| line.split(' ').collect::<Vec<_>>());
        let table = lines.map(|columns| {
            let mount = Mount { part: part(columns[1], columns[2]), kind: columns[3].to_owned() };
            (columns[0].to_owned(), mount)
        });
        let decided = Mounts {
            table: Some(table.collect()),
            root_device: 0,
            entered: Mutex::new(HashSet::from([own.clone()])),
            own: Some(own),
            left_out: Mutex::default(),
            over_databases: Mutex::default(),
        };
        let metadata = std::fs::metadata(".").unwrap();
        let points = mounts.iter().filter_map(|line| line.split(' ').next());
        let out: Vec<_> = points.filter(|point| !decided.enter(point, &metadata)).collect();
        assert_eq!((out.as_slice(), decided.over_databases()), (left_out, strings(over_databases)));
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn mounts_of_this_machines_disks_are_entered_once() {
        let ext4 = part("8:1", "/");
        let mounts =
            ["home 8:2 / ext4", "again 8:2 / ext4", "bind 8:1 /srv ext4", "net 0:40 / nfs4"];
        check(ext4.clone(), &mounts, &["again", "net"], &[]);
        check(ext4.clone(), &["mnt 8:1 / ext4"], &["mnt"], &[]);
        check(ext4.clone(), &["var/lib/dpkg 8:1 /srv/dpkg ext4"], &[], &[]);
        check(ext4.clone(), &["var 0:40 / nfs4"], &["var"], &["var"]);
        check(ext4.clone(), &["var/lib/rpm 0:41 / tmpfs"], &["var/lib/rpm"], &["var/lib/rpm"]);
        check(ext4, &["usr/local 0:40 / nfs4", "tmp 0:41 / tmpfs"], &["usr/local", "tmp"], &[]);
        let subvolumes = ["home 0:30 /@home btrfs", "var 0:30 /@var btrfs", "top 0:30 / btrfs"];
        check(part("0:30", "/@"), &subvolumes, &["top"], &[]);
        let ostree = ["sysroot 8:4 / xfs", "var 8:4 /ostree/deploy/os/var xfs"];
        check(part("8:4", "/ostree/deploy/os/deploy/1.0"), &ostree, &["sysroot"], &[]);
    }

    #[test]
    fn kernel_trees_and_container_storage_are_left_out() {
        let metadata = std::fs::metadata(".").unwrap();
        let mounts = Mounts {
            table: Some(HashMap::new()),
            root_device: 0,
            own: None,
            entered: Mutex::default(),
            left_out: Mutex::default(),
            over_databases: Mutex::default(),
        };
        let check = |path: &str, expected: bool| {
            assert_eq!(mounts.enter(path, &metadata), expected, "{path}")
        };
        check("usr", true);
        check("proc", false);
        check("home/proc", true);
        check("var/lib/docker", false);
        check("srv/io.containerd.snapshotter.v1.overlayfs", false);
        check("home/a/.local/share/containers", false);
        let storage = "var/lib/docker, srv/io.containerd.snapshotter.v1.overlayfs, home/a/.local/share/containers";
        let expected =
            [format!("container storage: 3 ({storage})"), "kernel file systems: 1 (proc)".into()];
        assert_eq!(mounts.left_out(), expected);
    }
}
