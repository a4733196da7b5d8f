//! A directory that holds a root.
use crate::build::*;
use seawall_model::package::Target;
use seawall_scan::{RootfsOptions, scan_rootfs};
use std::fs;
use std::path::Path;

fn unpack(tar: Tar, folder: &Path) {
    let archive = tempfile::NamedTempFile::new().unwrap();
    fs::write(archive.path(), tar.end()).unwrap();
    let status = std::process::Command::new("tar")
        .arg("-xf")
        .arg(archive.path())
        .arg("-C")
        .arg(folder)
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn a_root_is_one_layer_without_number() {
    let folder = tempfile::tempdir().unwrap();
    let list = "/usr/lib/python3/dist-packages/owned.egg-info\n";
    let tar = python(debian(), "Django", "3.2")
        .file("var/lib/dpkg/info/libc6:amd64.list", list)
        .file("usr/lib/python3/dist-packages/owned.egg-info", "Name: owned\nVersion: 1\n")
        .file("proc/unread.egg-info", "Name: unread\nVersion: 1\n")
        .file("var/lib/docker/unread.egg-info", "Name: unread\nVersion: 1\n")
        .file(
            "srv/io.containerd.snapshotter.v1.overlayfs/unread.egg-info",
            "Name: unread\nVersion: 1\n",
        );
    unpack(tar, folder.path());
    let inventory = scan_rootfs(folder.path(), &RootfsOptions::default()).unwrap();
    assert_eq!(listed(&inventory), "libc6 2.31-13+deb11u3, django 3.2, owned 1");
    assert_eq!(inventory.packages[2].owner.as_deref(), Some("libc6"));
    assert_eq!(problems(&inventory), "Note directories-left-out, Note directories-left-out");
    assert!(matches!(inventory.target, Target::Directory { .. }));
    let node =
        scan_rootfs(folder.path(), &RootfsOptions { node: Some("node-1".into()), stop: None })
            .unwrap();
    assert_eq!(node.target, Target::Node { name: "node-1".into() });
    assert!(node.platform.is_some());
}

#[test]
fn names_that_are_no_text_are_read_and_escaped() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9\x1b.egg-info");
    fs::write(folder.path().join(name), "Name: odd\nVersion: 1\n").unwrap();
    let inventory = scan_rootfs(folder.path(), &RootfsOptions::default()).unwrap();
    assert_eq!(inventory.packages[0].locations, ["caf\\xe9\u{1b}.egg-info"]);
}

#[test]
fn what_is_no_directory_says_so() {
    let error = scan_rootfs(Path::new("/nowhere"), &RootfsOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "/nowhere is no directory that can be read");
}
